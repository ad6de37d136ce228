"""Geometry of boxes: which are empty, which lie outside their image, which pairs of one image cover each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from auditor.evidence.objects.sweep import Pairs, near_pairs

if TYPE_CHECKING:  # a worker compares objects and needs no tables
    import pandas as pd

Doubles = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]


def corners_of(boxes: pd.DataFrame) -> Doubles:
    """x0, y0, x1, y1 of every box, shape (boxes, 4), in pixels."""
    return np.asarray(boxes[["x0", "y0", "x1", "y1"]].to_numpy(dtype=np.float64))


def areas(corners: Doubles) -> Doubles:
    """Area of every box in square pixels; 0 for a box without extent, also where its corners are in the wrong order; infinite
    where numbers are too large to be multiplied."""
    with np.errstate(over="ignore"):
        sides = np.maximum(corners[:, 2:] - corners[:, :2], 0)
        return np.asarray(sides[:, 0] * sides[:, 1])


def overlapping_pairs(images: Positions, corners: Doubles, *, min_iou: float) -> Pairs:
    """Pairs of boxes of one image whose intersection over union (`value`) is at least `min_iou`; at most half a million.

    Who shares so much begins at most 1 − `min_iou` of the first one's width, and height, behind it.

    Args:
        images: number of the image per box.
        corners: (boxes, 4); boxes without area pair with none.
    """
    area = areas(corners)
    usable = np.flatnonzero(area > 0)
    with np.errstate(over="ignore"):
        reaches = np.nextafter(corners[:, :2] + (1 - min_iou) * (corners[:, 2:] - corners[:, :2]), np.inf)

    def shared(a: Positions, b: Positions) -> Doubles:
        a, b = usable[a], usable[b]
        with np.errstate(over="ignore", invalid="ignore"):  # of two that are infinite nothing is told: they reach outside
            lower, upper = np.maximum(corners[a, :2], corners[b, :2]), np.minimum(corners[a, 2:], corners[b, 2:])
            common = np.maximum(upper - lower, 0).prod(axis=1)
            return np.asarray(common / (area[a] + area[b] - common))

    found = near_pairs(images[usable], corners[usable, :2], reaches[usable], shared, min_iou)
    return replace(found, first=usable[found.first], second=usable[found.second])
