"""Which way edges run, and where: histograms of oriented gradients (Dalal & Triggs, CVPR 2005) on a 6 × 6 grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.feature import View
from auditor.resample import resize

VERSION = 1

SIDE = 96
GRID = 6
DIRECTIONS = 8
COLUMNS: tuple[str, ...] = tuple(
    f"r{row}c{column}d{direction}" for row in range(GRID) for column in range(GRID) for direction in range(DIRECTIONS)
)


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (288,): per cell and direction the gradient energy, normalised over the image, square-rooted; zeros when flat.

    Unsigned directions, split linearly between the two nearest; the image is taken to 96 × 96 first.
    """
    small = resize(view.gray, SIDE, SIDE)
    padded = np.pad(small, 1, mode="edge")
    across = padded[1:-1, 2:] - padded[1:-1, :-2]
    down = padded[2:, 1:-1] - padded[:-2, 1:-1]
    size = np.hypot(across, down)
    place = np.arctan2(down, across) * np.float32(DIRECTIONS / np.pi)
    place[place < 0] += DIRECTIONS
    lower = np.floor(place)
    part = place - lower
    first = lower.astype(np.int64) % DIRECTIONS
    rows, columns = np.indices((SIDE, SIDE)) * GRID // SIDE
    cell = (rows * GRID + columns) * DIRECTIONS
    count = GRID * GRID * DIRECTIONS
    energy = np.bincount((cell + first).ravel(), (size * (1 - part)).ravel(), minlength=count)
    energy += np.bincount((cell + (first + 1) % DIRECTIONS).ravel(), (size * part).ravel(), minlength=count)
    total = energy.sum()
    if total < 1e-3:
        return np.zeros(count, dtype=np.float32)
    share: npt.NDArray[np.float32] = np.sqrt(energy / total).astype(np.float32)
    return share
