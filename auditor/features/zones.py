"""Brightness by place: the picture on a 14 × 14 grid, as it is. Its outer cells alone are the border of the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.view import View

VERSION = 2

SIDE = 14
COLUMNS: tuple[str, ...] = tuple(f"r{row:02d}c{column:02d}" for row in range(SIDE) for column in range(SIDE))


def depth(column: str) -> int:
    """How many cells lie between the cell and the nearest edge: 0 for the outermost, 6 in the middle."""
    row, across = int(column[1:3]), int(column[4:6])
    return min(row, across, SIDE - 1 - row, SIDE - 1 - across)


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (196,): area means, 0–1, row by row. Unlike `patches`, brightness and contrast stay in."""
    return view.grid(SIDE).ravel()
