"""The picture itself, very small: where bright and dark lie, brightness and contrast taken out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.view import View

VERSION = 2

SIDE = 12
COLUMNS: tuple[str, ...] = tuple(f"r{row:02d}c{column:02d}" for row in range(SIDE) for column in range(SIDE))


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (144,): area means on a 12 × 12 grid, less their mean, over their standard deviation; zeros for a flat image."""
    small = view.grid(SIDE).ravel()
    centred = small - small.mean()
    deviation = float(centred.std())
    return centred / deviation if deviation > 1e-4 else np.zeros_like(centred)
