"""Strata: which records are alike in what every split should hold its share of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix, hstack

from auditor.evidence.privacy.withhold import withheld_names, withhold
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.labels import State

Codes = npt.NDArray[np.int64]

MAX_STRATA = 400
QUANTILES = 5


def strata_of(dataset: Dataset, columns: Sequence[str]) -> tuple[csr_matrix, int]:
    """One column of ones, then one per value of each column, then one per combination; shape (records, strata).

    Numbers with more than five values are cut at their fifths. Combinations are left out where there would be too many.

    Returns:
        The matrix, and how many of its columns are values of a single column.

    Raises:
        ConfigError: no such column.
    """
    parts: list[Codes] = []
    blocks = [csr_matrix(np.ones((dataset.size, 1)))]
    for name in columns:
        if name in ("label", dataset.labels.origin) and dataset.labels.task == "multi":
            assert dataset.labels.states is not None
            blocks.append(csr_matrix((dataset.labels.states.to_numpy() == State.POSITIVE).astype(np.float64)))
            continue
        codes = stratum_codes(column_of(dataset, name))
        parts.append(codes)
        blocks.append(indicator(codes))
    single = sum(block.shape[1] for block in blocks) - 1
    if len(parts) > 1:
        joint = np.zeros(dataset.size, np.int64)
        for codes in parts:
            joint = np.unique(joint * (int(codes.max()) + 1) + codes, return_inverse=True)[1].astype(np.int64)
        if int(joint.max(initial=0)) < MAX_STRATA:
            blocks.append(indicator(joint))
    return hstack(blocks, format="csr"), single


def column_of(dataset: Dataset, name: str, option: str = "--stratify") -> pd.Series:
    """A column by the name that a user has for it; `option` is what a mistake is reported under.

    Raises:
        ConfigError: there is none.
    """
    if name in ("label", dataset.labels.origin) and dataset.labels.task != "none":
        return dataset.labels.values
    for frame, key in ((dataset.records, name), (dataset.metadata, name), (dataset.metadata, f"table.{name}")):
        if key in frame.columns and frame[key].notna().any():
            return frame[key]
    tables = [str(c).removeprefix("table.") for c in dataset.metadata.columns if str(c).startswith("table.")]
    roles = [role for role in ("site", "fold", "time") if dataset.has(role)]
    known = [*(["label"] if dataset.labels.task != "none" else []), *roles, *tables]
    shown = withhold(list(dict.fromkeys(known)), withheld_names(dataset))
    raise ConfigError(f"{option} {name}: there is no such column; there are: {', '.join(shown) or 'none'}")


def stratum_codes(column: pd.Series) -> Codes:
    """A code per value, missing values together as one of their own; shape (records,).

    Raises:
        ConfigError: too many values for strata.
    """
    if pd.api.types.is_numeric_dtype(column.dtype) and column.nunique() > QUANTILES:
        column = pd.qcut(column, QUANTILES, labels=False, duplicates="drop")
    codes, values = pd.factorize(column, use_na_sentinel=False)
    if len(values) > MAX_STRATA:
        raise ConfigError(f"--stratify: a column has {len(values):,} different values; at most {MAX_STRATA} make strata")
    return codes.astype(np.int64)


def indicator(codes: Codes) -> csr_matrix:
    """1 where a record has the code; shape (records, codes)."""
    rows = np.arange(len(codes))
    return csr_matrix((np.ones(len(codes)), (rows, codes)), shape=(len(codes), int(codes.max(initial=-1)) + 1))
