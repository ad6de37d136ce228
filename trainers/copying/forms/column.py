"""A corrected column and its rows, as the forms are told to write them, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Changed = Mapping[str, Mapping[int, str]]
"""Column → row → text that stands there in the place of the original one."""


@dataclass(frozen=True, kw_only=True)
class CorrectedColumn:
    """One column of corrected values.

    Args:
        name: of the column.
        beside: the original column, right before it; None: the table had none, and the column comes last.
        changed: row of the table → new text. All other rows hold what the original holds (nothing, where there is none).
        was: row → text that stands there, for those that are known: it is looked up before a new one is written.
        exists: the column is in the table already, from an earlier correction; its own cells are the original ones.
    """

    name: str
    beside: str | None
    changed: Mapping[int, str]
    was: Mapping[int, str] = field(default_factory=dict)
    exists: bool = False


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which part of a table file is which row.

    Args:
        lines: 1-based line of each row in a file of JSON lines; of all other forms row i is simply the i-th.
        kept: rows that stay; shape (rows,).
    """

    lines: npt.NDArray[np.int64]
    kept: npt.NDArray[np.bool_]


def named(existing: Sequence[str], original: str) -> str:
    """What the corrected column of `original` is called: `finding_corrected`, numbered where that is taken."""
    stem = name = f"{original}_corrected"
    count = 2
    while name in existing:
        name = f"{stem}_{count}"
        count += 1
    return name
