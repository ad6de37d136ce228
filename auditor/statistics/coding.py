"""Any metadata field → integer codes: text as categories, numbers in quantile bins; missing is a value of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.statistics.clusters import held_by

MAX_BINS = 32
MAX_CATEGORIES = 1000
RARE_PATIENTS = 3
FEW_VALUES = 8


@dataclass(frozen=True, kw_only=True)
class CodedField:
    """One field as integers.

    Args:
        name: column of the metadata.
        codes: int32, shape (records,), each in 0 … len(values) − 1.
        values: what each code means, as text (`16`, `from 120`, `(missing)`, `(rare values)`).
        ordered: numbers; codes rise with the number, and `(missing)`, if any, comes last.
        missing: the code of missing values, or −1.
    """

    name: str
    codes: npt.NDArray[np.int32]
    values: tuple[str, ...]
    ordered: bool
    missing: int = -1

    @property
    def size(self) -> int:
        """Number of codes."""
        return len(self.values)


def partition(field: CodedField) -> str:
    """Digest of which records share a value, whatever the values are called: fields of equal digest say the same.

    A DICOM element that always holds one value says no more than which files are DICOM.
    """
    order = pd.factorize(field.codes)[0].astype(np.int32)
    return hashlib.blake2b(order.tobytes(), digest_size=16).hexdigest()


def code_field(column: pd.Series, patients: npt.NDArray[np.int64]) -> CodedField | None:
    """Code one field; None when it is constant.

    Numbers with at most 32 distinct values keep them, others get at most 32 quantile bins (ties stay together).
    Where text has more than eight values, those that fewer than three patients hold are one code, `(rare values)`: nothing
    can be learnt from a value that only one patient has, and identifiers thereby become constant.

    Args:
        column: numbers or text, any missing marker of pandas.
        patients: patient index per record (records, as their own patient, where there is no id).
    """
    name = str(column.name)
    if pd.api.types.is_bool_dtype(column.dtype):
        column = column.astype("string")
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _code_numbers(name, column.to_numpy(dtype=np.float64, na_value=np.nan))
    return _code_text(name, column, patients)


def _code_numbers(name: str, numbers: npt.NDArray[np.float64]) -> CodedField | None:
    known = np.isfinite(numbers)
    present = numbers[known]
    if present.size == 0:
        return None
    ordered = np.sort(present)
    distinct = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    if distinct.size > MAX_BINS:
        # Left edges of the bins: quantiles that are values themselves, so that ties never part.
        at = (np.arange(MAX_BINS) * ordered.size) // MAX_BINS
        edges = np.unique(ordered[at])
        labels = [f"from {_number(edge)}" for edge in edges]
    else:
        edges = distinct
        labels = [_number(edge) for edge in edges]
    codes = np.full(numbers.shape, len(edges), np.int32)
    codes[known] = np.searchsorted(edges, present, side="right") - 1
    missing = -1
    if not known.all():
        missing = len(edges)
        labels.append("(missing)")
    if len(labels) < 2:
        return None
    return CodedField(name=name, codes=codes, values=tuple(labels), ordered=True, missing=missing)


def _number(value: float) -> str:
    return f"{value:.6g}"


def _code_text(name: str, column: pd.Series, patients: npt.NDArray[np.int64]) -> CodedField | None:
    raw, uniques = pd.factorize(column, use_na_sentinel=True)
    raw = raw.astype(np.int64)
    texts = [str(value) for value in uniques]
    counts = np.bincount(raw[raw >= 0], minlength=len(texts))
    frequent = np.arange(len(texts))
    if len(texts) > FEW_VALUES:
        frequent = np.flatnonzero(held_by(raw, patients, len(texts), least=RARE_PATIENTS))
    kept = sorted(frequent, key=lambda i: (-int(counts[i]), texts[i]))[:MAX_CATEGORIES]
    labels = [texts[i] for i in kept]
    lookup = np.full(len(texts) + 1, -1, np.int32)
    lookup[kept] = np.arange(len(kept), dtype=np.int32)
    if len(kept) < len(texts):
        lookup[:-1][lookup[:-1] < 0] = len(labels)
        labels.append("(rare values)")
    missing = -1
    if (raw < 0).any():
        missing = len(labels)
        lookup[-1] = missing
        labels.append("(missing)")
    if len(labels) < 2:
        return None
    return CodedField(name=name, codes=lookup[raw], values=tuple(labels), ordered=False, missing=missing)
