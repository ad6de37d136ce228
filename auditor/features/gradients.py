"""Which way edges run, and where: histograms of oriented gradients (Dalal & Triggs, CVPR 2005) on a 6 × 6 grid."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from auditor.view import SQUARE_SIDE, View

VERSION = 2

GRID = 6
DIRECTIONS = 8
COLUMNS: tuple[str, ...] = tuple(
    f"r{row}c{column}d{direction}" for row in range(GRID) for column in range(GRID) for direction in range(DIRECTIONS)
)


def _cells() -> npt.NDArray[np.int64]:
    """Per pixel of the square the place of its cell's first direction."""
    rows, columns = np.indices((SQUARE_SIDE, SQUARE_SIDE)) * GRID // SQUARE_SIDE
    return np.asarray((rows * GRID + columns) * DIRECTIONS, dtype=np.int64)


_CELLS = _cells()


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (288,): per cell and direction the gradient energy, normalised over the image, square-rooted; zeros when flat.

    Unsigned directions, split linearly between the two nearest; the image is taken to a small square first.
    """
    edge = cv2.BORDER_REPLICATE
    across = cv2.Sobel(view.square, cv2.CV_32F, 1, 0, ksize=1, borderType=edge)
    down = cv2.Sobel(view.square, cv2.CV_32F, 0, 1, ksize=1, borderType=edge)
    size, angle = cv2.cartToPolar(across, down)
    place = angle * np.float32(DIRECTIONS / np.pi)
    lower = place.astype(np.int64)
    part = size * (place - lower).astype(np.float32)
    count = len(COLUMNS)
    energy = np.bincount((_CELLS + lower % DIRECTIONS).ravel(), (size - part).ravel(), minlength=count)
    energy += np.bincount((_CELLS + (lower + 1) % DIRECTIONS).ravel(), part.ravel(), minlength=count)
    total = energy.sum()
    if total < 1e-3:
        return np.zeros(count, dtype=np.float32)
    return np.asarray(np.sqrt(energy / total), dtype=np.float32)
