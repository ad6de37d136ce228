"""Outlines of drawn pixels as loops of the corners of pixels, and back: every corner kept gives the same pixels again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Loop = npt.NDArray[np.int64]
"""Corners (row, column) of a closed line along the sides of pixels, one side apart; shape (corners, 2)."""

LEAST = 3
"""Corners of a polygon."""
_TURNS = {(0, 1): ((1, 0), (0, 1), (-1, 0)), (1, 0): ((0, -1), (1, 0), (0, 1)),
          (0, -1): ((-1, 0), (0, -1), (1, 0)), (-1, 0): ((0, 1), (-1, 0), (0, -1))}  # fmt: skip
"""Direction of a side → the next ones to try: where two pixels meet at a corner alone, the line stays with its own."""


def loops(inside: Bools) -> list[Loop]:
    """The closed lines around the pixels that are True, drawn ones to the right; around every hole there is one too."""
    padded = np.pad(inside, 1)
    sides: dict[tuple[int, int], set[tuple[int, int]]] = {}

    def add(rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], way: tuple[int, int]) -> None:
        for corner in zip(rows.tolist(), columns.tolist(), strict=True):
            sides.setdefault(corner, set()).add(way)

    here = padded[1:-1, 1:-1]
    rows, columns = np.nonzero(here & ~padded[:-2, 1:-1])  # above: to the right
    add(rows, columns, (0, 1))
    rows, columns = np.nonzero(here & ~padded[1:-1, 2:])  # to the right: down
    add(rows, columns + 1, (1, 0))
    rows, columns = np.nonzero(here & ~padded[2:, 1:-1])  # below: to the left
    add(rows + 1, columns + 1, (0, -1))
    rows, columns = np.nonzero(here & ~padded[1:-1, :-2])  # to the left: up
    add(rows + 1, columns, (-1, 0))
    found = []
    for start in sorted(sides):
        while sides.get(start):
            found.append(_walk(sides, start))
    return found


def _walk(sides: dict[tuple[int, int], set[tuple[int, int]]], start: tuple[int, int]) -> Loop:
    way = min(sides[start])
    corner, corners = start, []
    while True:
        sides[corner].discard(way)
        corners.append(corner)
        corner = (corner[0] + way[0], corner[1] + way[1])
        open_ways = sides[corner]
        if not open_ways:
            return np.array(corners, np.int64)
        way = next(turn for turn in _TURNS[way] if turn in open_ways)


def thinned(loop: Loop, step: int) -> Loop:
    """Every `step`-th corner of a loop, and three of them at least."""
    return loop[:: max(1, min(step, len(loop) // LEAST))]


def filled(polygons: Sequence[Loop], shape: tuple[int, ...]) -> Bools:
    """The pixels whose middle lies inside an odd number of the polygons; of `shape` (height, width)."""
    crossings: list[list[float]] = [[] for _ in range(shape[0])]
    for polygon in polygons:
        for (row, column), (next_row, next_column) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            if row == next_row:
                continue
            slope = (next_column - column) / (next_row - row)
            for y in range(max(0, min(row, next_row)), min(shape[0], max(row, next_row))):
                crossings[y].append(column + (y + 0.5 - row) * slope)
    inside = np.zeros(shape, np.bool_)
    for y, line in enumerate(crossings):
        ends = np.ceil(np.sort(line) - 0.5).astype(np.int64)
        for start, end in zip(ends[::2], ends[1::2], strict=True):
            inside[y, max(0, start) : max(0, end)] = True
    return inside
