"""How much of the area of some boxes other boxes cover, without drawing them on a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Boxes = Sequence[tuple[float, ...]]
"""x0, y0, x1, y1."""


def area_overlap(before: Boxes, after: Boxes) -> float:
    """F1 of the area that lies in any box (Dice); 1 where neither has an area. Exact: on the grid of all corners."""
    xs, ys = (np.unique([box[i] for box in (*before, *after) for i in axis]) for axis in ((0, 2), (1, 3)))
    if len(xs) < 2 or len(ys) < 2:
        return 1.0
    area = np.diff(ys)[:, None] * np.diff(xs)[None]
    a, b = (_covered(boxes, xs, ys) for boxes in (before, after))
    total = float(area[a].sum() + area[b].sum())
    return 2 * float(area[a & b].sum()) / total if total else 1.0


def _covered(boxes: Boxes, xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    found = np.zeros((len(ys) - 1, len(xs) - 1), np.bool_)
    for x0, y0, x1, y1 in boxes:
        rows, columns = np.searchsorted(ys, (y0, y1)), np.searchsorted(xs, (x0, x1))
        found[rows[0] : rows[1], columns[0] : columns[1]] = True
    return found
