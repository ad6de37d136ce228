"""Whether the records of a table have several rows, and what differs between those."""

from __future__ import annotations

import pandas as pd

from auditor.tables.profiles import Profile


def repeats(frame: pd.DataFrame, seen: Profile, record: str, rater: str) -> bool:
    """Records of a column have several rows, by several raters.

    Args:
        seen: the profile of `record`.
    """
    if seen.distinct < 2 or seen.distinct >= seen.rows * 0.95 or seen.distinct <= 20 < seen.rows / 20:
        return False
    return len(_pairs(frame, record, rater).drop_duplicates()) > seen.distinct


def reads_once(frame: pd.DataFrame, seen: Profile, record: str, rater: str) -> bool:
    """Nearly every row is another pair of record and rater, and records have several rows."""
    return repeats(frame, seen, record, rater) and float(_pairs(frame, record, rater).duplicated().mean()) < 0.1


def differs(frame: pd.DataFrame, record: str, name: str) -> bool:
    """A column says different things in the rows of one record."""
    return bool(_pairs(frame, record, name).drop_duplicates()["a"].duplicated().any())


def _pairs(frame: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    return pd.DataFrame({"a": frame[one].cat.codes, "b": frame[other].cat.codes})
