"""Columns of a table that may be the patients although nothing in their name says so: `Bogen` with K-012, K-012, K-047."""

from __future__ import annotations

import re

import pandas as pd

from auditor.evidence.kin.recurring import Recurring, are_groups, crossing_share
from auditor.values.dataset import Dataset

MOST_IN_COLUMN = 20
"""Images of a code on average; more are those of a batch, a ward or a machine."""
MATCHING = 0.95
_CODE = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w.\-/ ]{3,40}")
"""Letters and digits: shorter numbers alone may be ages, counts or measurements."""
_NUMBER = re.compile(r"\d{5,12}")
_DATE = re.compile(r"(?:19|20)\d\d[01]\d[0-3]\d")
_KNOWN_CODE = re.compile(
    r"[A-TV-Z]\d\d(?:\.\w{1,4})?"  # ICD-10
    r"|[a-p]\d{1,2}"  # the well of a plate
    r"|(?:[cpry]{0,2}[tnmgl]\d[a-d]?){1,4}(?:mi)?"  # TNM
    r"|[<>≤≥~]?\d+(?:[.,]\d+)?\s?[a-zµ%/²³]+\d?"  # a number with a unit
    r"|(?:grade|stage|level|type|score|class|kl|birads|stadium|grad)[ _.\-]*\w{1,4}",
    re.IGNORECASE,
)


def recurring_columns(dataset: Dataset, splits: pd.Series) -> tuple[str, Recurring] | None:
    """The column whose codes may be the patients and stand in several splits, with them; None where there is none.

    Of several the one of which fewest cross: whoever dealt the splits may have gone by it. Where the codes of some column
    never cross, he did, and nothing is told.

    Args:
        dataset: any stage.
        splits: the split of each record.
    """
    found: list[tuple[str, Recurring]] = []
    for name in map(str, dataset.metadata.columns):
        known = dataset.fields.get(name)
        if known is None or not name.startswith("table.") or known.kind != "clinical":
            continue
        ids = as_written(dataset.metadata[name])
        if are_codes(ids, dataset.labels.values.nunique()):
            found.append((name, Recurring(ids=ids, leading=False, share=crossing_share(ids, splits))))
    best = min(found, key=lambda one: one[1].share, default=None)
    return best if best is not None and best[1].share > 0 else None


def are_codes(values: pd.Series, classes: int) -> bool:
    """Letters with digits, or long numbers, that tell as many apart, and join as many, as pseudonyms of patients do.

    Codes that everybody knows (diagnoses, stages, wells of a plate) are none, nor are numbers with a unit.
    """
    distinct = values.dropna().unique()
    if not 0 < len(distinct) <= len(values) or int(values.notna().sum()) > MOST_IN_COLUMN * len(distinct):
        return False
    if sum(map(_is_code, distinct)) < MATCHING * len(distinct):
        return False
    return are_groups(values, classes)


def as_written(column: pd.Series) -> pd.Series:
    """Text, in which whole numbers have no decimal point although others of the column are missing."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("string").str.strip()


def _is_code(value: str) -> bool:
    if _NUMBER.fullmatch(value):
        return not _DATE.fullmatch(value)
    return bool(_CODE.fullmatch(value)) and not _KNOWN_CODE.fullmatch(value)
