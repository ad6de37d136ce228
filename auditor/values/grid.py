"""Where the pixels of an image lie in the patient: a matrix of 3 × 4, kept as text because facts of a header are plain values.

The first three columns are the steps along the columns, the rows and the slices, the last one is the first pixel; x runs to
the right, y to the front, z up (as in NIfTI), in the unit of the header, which is the millimetre nearly everywhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Grid = npt.NDArray[np.float64]
"""Shape (3, 4)."""


def grid_text(grid: npt.ArrayLike) -> str:
    """The matrix as twelve numbers; empty where it places nothing: not finite, or an axis without a direction of its own."""
    matrix = np.asarray(grid, np.float64)
    if matrix.shape != (3, 4) or not np.isfinite(matrix).all():
        return ""
    steps = np.linalg.norm(matrix[:, :3], axis=0)
    if not (steps > 0).all() or abs(np.linalg.det(matrix[:, :3] / steps)) < 1e-3:
        return ""
    return " ".join(f"{value + 0.0:.9g}" for value in matrix.ravel())


def grid_of(text: object) -> Grid | None:
    """The matrix of `grid_text`; None where the text holds none."""
    if not isinstance(text, str) or not text:
        return None
    return np.array(text.split(), np.float64).reshape(3, 4)


def corners(grid: Grid, sides: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Where the eight outermost pixels of an image of so many columns, rows and slices lie, shape (8, 3)."""
    ends = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.array(sides) - 1)
    return np.asarray(ends @ grid[:, :3].T + grid[:, 3])


def smallest_step(grid: Grid, sides: tuple[int, ...]) -> float:
    """Distance of neighbours along the axis where it is smallest, of those that have neighbours."""
    steps = np.linalg.norm(grid[:, :3], axis=0)
    several = np.array(sides) > 1
    return float(steps[several].min() if several.any() else steps.min())


def farthest(one: Grid, other: Grid, sides: tuple[int, ...]) -> float:
    """The largest distance of one and the same pixel in two places, in steps of `one` (the smallest)."""
    gaps = np.linalg.norm(corners(one, sides) - corners(other, sides), axis=1)
    return float(gaps.max()) / smallest_step(one, sides)
