"""In which order records came to be: the day they were taken, and the numbers in their file names."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

UNIQUE_SHARE = 0.95
MIN_KNOWN = 0.5
LONGEST = 15
_DIGITS = re.compile(r"\d+")
MOST_TIMES = 0.8
"""Share of the values of a column that must be times."""
_CLOCK = r"(?i)^(?:.*\d[T ,]\s*)?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\s*([ap]m)?\s*(?:z|utc|[+-]\d{2}:?\d{2})?$"
_PACKED = r"^(?:(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))?(\d{2})(\d{2})(\d{2}(?:\.\d+)?)(?:[+-]\d{4})?$"


def days_of(column: pd.Series) -> pd.Series:
    """Days since 1970 of a text column of dates (`2017-03-05`, `20170305`, with or without a time); NaN where it is none.

    Years alone count as their first day; other forms, whose day and month could be confused, are left out.
    """
    text = column.astype("string").str.strip()
    found = text.str.extract(r"^(\d{4})(?:[-/.]?(\d{2})(?:[-/.]?(\d{2}))?)?(?=$|[T \d])")
    year, month, day = (pd.to_numeric(found[i], errors="coerce").astype("Float64") for i in range(3))
    real = year.between(1900, 2100) & month.fillna(1).between(1, 12) & day.fillna(1).between(1, 31)
    parts = pd.DataFrame({"year": year, "month": month.fillna(1), "day": day.fillna(1)}).where(real)
    moment = pd.to_datetime(parts, errors="coerce")
    since = (moment - pd.Timestamp(1970, 1, 1)) / pd.Timedelta(days=1)
    return pd.Series(since.to_numpy(dtype=np.float64, na_value=np.nan), index=column.index)


def hours_of(column: pd.Series) -> pd.Series | None:
    """Time of day in hours, 0–24, of a column of date-times or times; None where it holds none.

    Reads `2017-03-05 14:22`, `5.3.2017 2:22 PM`, `14:22:10.5`, and DICOM's `20170305142210` and `142210.000`: the order of day
    and month does not matter here. Dates without a time, and clocks that always stand at the same minute, tell no hour.
    """
    text = column.astype("string").str.strip()
    known = text.notna()
    clock = text.str.extract(_CLOCK)
    packed = text.str.extract(_PACKED)
    parts = [clock[i].fillna(packed[i]) for i in range(3)]
    hour, minute, second = (pd.to_numeric(part, errors="coerce").astype("Float64") for part in parts)
    half = clock[3].str.lower()
    hour = hour.where(half.isna(), hour % 12 + half.eq("pm").fillna(False).astype("Int64") * 12)
    value = hour + minute / 60 + second.fillna(0) / 3600
    value = value.where((hour < 24) & (minute < 60) & (second.fillna(0) < 61))
    if not known.any() or float(value[known].notna().mean()) < MOST_TIMES or value.nunique() < 2:
        return None
    return pd.Series(value.to_numpy(dtype=np.float64, na_value=np.nan), index=column.index)


def name_order(paths: pd.Series) -> pd.Series | None:
    """Rank of each file by the numbers in its name alone, or None where they are no order.

    Letters, folders and times of modification play no part: `benign (7)` comes before `malignant (12)`. Numbers that start
    anew in every folder, or that most files share, say nothing of order: at least 95 % must be different.
    """
    keys: list[tuple[int, ...] | None] = []
    for path in paths:
        stem = path.rpartition("/")[2].partition(".")[0] if isinstance(path, str) else ""
        digits = [part for part in _DIGITS.findall(stem) if len(part) <= LONGEST]
        keys.append(tuple(int(part) for part in digits) or None)
    known = [key for key in keys if key is not None]
    if len(known) < max(2, MIN_KNOWN * len(keys)) or len(set(known)) < UNIQUE_SHARE * len(known):
        return None
    # Names of different make (one number, three numbers) are ordered among themselves: only the commonest make counts.
    lengths = np.bincount([len(key) for key in known])
    common = int(np.argmax(lengths))
    if lengths[common] < UNIQUE_SHARE * len(known):
        return None
    rank: npt.NDArray[np.float64] = np.full(len(keys), np.nan)
    rows = [i for i, key in enumerate(keys) if key is not None and len(key) == common]
    rows.sort(key=lambda i: keys[i] or ())
    rank[rows] = np.arange(len(rows))
    return pd.Series(rank, index=paths.index)
