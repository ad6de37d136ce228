"""A polygon as pixels: how often it goes around the middle of each, which also tells where it crosses or covers itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.containers.outline import Outline, Ring, Runs
from auditor.containers.run_lengths import columns_of

MOST_CROSSINGS = 20_000_000
"""Of the edges of one object with the rows of its picture: corners that leap up and down a large picture cost no more."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One object in its picture.

    Args:
        top, left: of the first pixel of `mask`.
        mask: the object, cut to its own extent and to the picture; no pixel where nothing of it lies in the picture.
        area: of the polygons by their corners, in square pixels; of run lengths their pixels.
        crossed: pixels that lie outside, or inside twice, by another rule of filling.
        corners: how many; 0 of run lengths.
        extent: x0, y0, x1, y1 of the outline, whether in the picture or not; NaN where it is empty.
    """

    top: int
    left: int
    mask: npt.NDArray[np.bool_]
    area: float
    crossed: int
    corners: int
    extent: tuple[float, float, float, float]


def drawn(outline: Outline, height: int, width: int) -> Drawn | str:
    """Draw one object in a picture of so many rows and columns; or why it is not drawn, in words.

    A pixel belongs to a polygon that goes around its middle (nonzero winding number).
    """
    if isinstance(outline, str):
        return outline
    if isinstance(outline, Runs):
        return _of_runs(outline, height, width)
    parts = []
    for ring in outline:
        part = winding(ring, height, width)
        if part is None:
            return "too large to be drawn"
        parts.append(part)
    corners = np.concatenate(outline)
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    top = min(part[0] for part in parts)
    left = min(part[1] for part in parts)
    bottom = max(part[0] + part[2].shape[0] for part in parts)
    right = max(part[1] + part[2].shape[1] for part in parts)
    mask = np.zeros((bottom - top, right - left), bool)
    crossed = 0
    for row, column, turns in parts:
        there = mask[row - top : row - top + turns.shape[0], column - left : column - left + turns.shape[1]]
        there |= turns != 0
        crossed += min(int((turns > 0).sum()), int((turns < 0).sum())) + int((np.abs(turns) > 1).sum())
    return Drawn(
        top=top, left=left, mask=mask, area=sum(map(area_of, outline)), crossed=crossed, corners=len(corners),
        extent=(x0, y0, x1, y1),
    )  # fmt: skip


def area_of(ring: Ring) -> float:
    """Area inside a polygon by its corners (Gauss), in square pixels; of one that crosses itself its parts count against
    each other."""
    x, y = (ring - ring[0]).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def winding(ring: Ring, height: int, width: int) -> tuple[int, int, npt.NDArray[np.int32]] | None:
    """Row and column of the first pixel, and how often a polygon goes around the middle of each pixel of its extent.

    None where its edges cross more rows than `MOST_CROSSINGS`. Each edge that passes a row adds one turn to all pixels right
    of it, or takes one away, by its direction.
    """
    (x, y), (x2, y2) = ring.T, np.roll(ring, -1, axis=0).T
    first = np.clip(np.ceil(np.minimum(y, y2) - 0.5), 0, height).astype(np.int64)
    end = np.clip(np.ceil(np.maximum(y, y2) - 0.5), 0, height).astype(np.int64)
    rows_each = end - first
    total = int(rows_each.sum())
    if total > MOST_CROSSINGS:
        return None
    if not total:
        return 0, 0, np.zeros((0, 0), np.int32)
    edge = np.repeat(np.arange(len(ring)), rows_each)
    row = np.arange(total) - np.repeat(np.cumsum(rows_each) - rows_each, rows_each) + first[edge]
    at = x[edge] + (row + 0.5 - y[edge]) / (y2 - y)[edge] * (x2 - x)[edge]
    column = np.clip(np.ceil(at - 0.5), 0, width).astype(np.int64)
    top, left = int(row.min()), int(column.min())
    shape = int(row.max()) - top + 1, int(column.max()) - left + 1
    turns = np.zeros(shape, np.int32)
    np.add.at(turns, (row - top, column - left), np.where(y2 > y, 1, -1).astype(np.int32)[edge])
    return top, left, np.cumsum(turns, axis=1, out=turns)[:, :-1]


def _of_runs(found: Runs, height: int, width: int) -> Drawn | str:
    if found.whole and (found.height, found.width) != (height, width):
        return f"run lengths of a picture of {found.height:,} × {found.width:,}, which this one is not"
    if found.height * found.width > height * width:
        return "run lengths of more than the picture"
    part = columns_of(found.counts, found.height, found.width)
    if part is None:
        return "run lengths that do not add up to their picture"
    column, mask = part
    if not mask.any():
        nothing = float("nan")
        return Drawn(
            top=0, left=0, mask=np.zeros((0, 0), bool), area=0.0, crossed=0, corners=0,
            extent=(nothing, nothing, nothing, nothing),
        )  # fmt: skip
    rows = np.flatnonzero(mask.any(axis=1))
    mask = mask[rows[0] : rows[-1] + 1]
    top, left = found.top + int(rows[0]), found.left + column
    extent = (float(left), float(top), float(left + mask.shape[1]), float(top + mask.shape[0]))
    area = float(mask.sum())
    up, down = min(max(-top, 0), len(mask)), max(min(height - top, len(mask)), 0)
    back, on = min(max(-left, 0), mask.shape[1]), max(min(width - left, mask.shape[1]), 0)
    return Drawn(
        top=max(top, 0), left=max(left, 0), mask=mask[up:down, back:on], area=area, crossed=0, corners=0, extent=extent
    )
