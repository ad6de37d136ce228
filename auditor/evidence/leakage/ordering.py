"""In which order records came to be: the day they were taken, and the numbers in their file names."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd

UNIQUE_SHARE = 0.95
MIN_KNOWN = 0.5
LONGEST = 15
_DIGITS = re.compile(r"\d+")


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


def name_order(paths: pd.Series) -> pd.Series | None:
    """Rank of each file by the numbers in its name alone, or None where they are no order.

    Letters, folders and times of modification play no part: `benign (7)` comes before `malignant (12)`. Numbers that start
    anew in every folder, or that most files share, say nothing of order: at least 95 % must be different.
    """
    keys: list[tuple[int, ...] | None] = []
    for path in paths:
        stem = PurePosixPath(path).name.partition(".")[0] if isinstance(path, str) else ""
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
