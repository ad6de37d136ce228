"""The label table as it was read, for whoever writes into it: its files, its rows, and what its columns are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """One file of a label table as it was when it was read.

    Args:
        name: relative to the folder of the table.
        rows: how many rows came from it.
        stamp: size in bytes and time of change in nanoseconds.
        content: its bytes.
    """

    name: str
    rows: int
    stamp: tuple[int, int]
    content: bytes = b""


@dataclass(frozen=True, kw_only=True)
class LabelRows:
    """A label table by row; `Dataset` says what the rows mean.

    Args:
        folder: where its files lie.
        files: in the order of their rows.
        frame: one categorical column of text per column, every row of every file.
        lines: 1-based line of each row in its file; 0 where the form has no lines.
        roles: role → column.
        labels: label columns.
        style: how they are read: single, joined, columns, ordinal, continuous or none.
        separator: between the labels of one cell.
        raters: columns of a wide table, one per rater.
        boxes: four columns, or none; `box_style`: corners, or corner and size.
        points: two columns, x and y of a mark, or none.
        joined: columns that lie in another file, and are written into none.
    """

    folder: Path
    files: tuple[TableFile, ...]
    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]
    roles: Mapping[str, str]
    labels: tuple[str, ...]
    style: str
    separator: str
    raters: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    box_style: str = ""
    points: tuple[str, ...] = ()
    joined: frozenset[str] = frozenset()

    def changed(self) -> bool:
        """Another file lies there now, or none."""
        try:
            return any(stamp_of(self.folder / file.name) != file.stamp for file in self.files)
        except OSError:
            return True


def stamp_of(file: Path) -> tuple[int, int]:
    """Size in bytes and time of change in nanoseconds: another stamp is another file.

    Raises:
        OSError: it is not there.
    """
    found = file.stat()
    return found.st_size, found.st_mtime_ns
