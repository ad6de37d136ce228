"""To which side of the patient the axes of an array run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def axis_code(matrix: npt.NDArray[np.float64]) -> str:
    """`RAS` and the like, a letter per column; the rows of the matrix are x to the right, y to the front, z up (nifti1.h).

    Empty where the matrix has an axis without direction.
    """
    if not np.isfinite(matrix).all() or not np.abs(matrix).any(axis=0).all():
        return ""
    names = (("R", "L"), ("A", "P"), ("S", "I"))
    code = ""
    for column in matrix.T:
        axis = int(np.abs(column).argmax())
        code += names[axis][0 if column[axis] > 0 else 1]
    return code
