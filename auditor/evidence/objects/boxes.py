"""Geometry of boxes: which are empty, which lie outside their image, which pairs of one image cover each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Doubles = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
BLOCK = 1024
MAX_PAIRS = 1_000_000


def corners_of(boxes: pd.DataFrame) -> Doubles:
    """x0, y0, x1, y1 of every box, shape (boxes, 4), in pixels."""
    return np.asarray(boxes[["x0", "y0", "x1", "y1"]].to_numpy(dtype=np.float64))


def areas(corners: Doubles) -> Doubles:
    """Area of every box in square pixels; 0 for a box without extent, also where its corners are in the wrong order."""
    sides = np.maximum(corners[:, 2:] - corners[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def overlapping_pairs(
    images: npt.NDArray[np.int64], corners: Doubles, *, min_iou: float
) -> tuple[Positions, Positions, Doubles]:
    """Pairs of boxes of one image whose intersection over union is at least `min_iou`.

    Args:
        images: number of the image per box.
        corners: (boxes, 4); boxes without area pair with none.

    Returns:
        Position of the first box, of the second, and their IoU; at most a million pairs.
    """
    area = areas(corners)
    usable = np.flatnonzero(area > 0)
    order = usable[np.lexsort((usable, images[usable]))]
    starts = np.flatnonzero(np.diff(images[order], prepend=-1))
    found: list[npt.NDArray[np.float64]] = []
    count = 0
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        for block in range(start, end, BLOCK):
            left, right = order[block : min(block + BLOCK, end)], order[start:end]
            inner = np.maximum(corners[left, None, :2], corners[None, right, :2])
            outer = np.minimum(corners[left, None, 2:], corners[None, right, 2:])
            common = np.maximum(outer - inner, 0).prod(axis=2)
            iou = common / (area[left, None] + area[None, right] - common)
            a, b = np.nonzero((iou >= min_iou) & (left[:, None] < right[None, :]))
            found.append(np.stack([left[a], right[b], iou[a, b]], axis=1))
            count += len(a)
            if count >= MAX_PAIRS:
                break
        if count >= MAX_PAIRS:
            break
    table = np.concatenate(found) if found else np.empty((0, 3))
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2]
