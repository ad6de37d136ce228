"""Resize a grey picture: area averaging when it shrinks, linear interpolation when it grows."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def resize(gray: npt.NDArray[np.float32], height: int, width: int) -> npt.NDArray[np.float32]:
    """`gray` (h, w) as float32 (height, width).

    Each axis is averaged over areas where it shrinks and interpolated linearly where it grows: no aliasing on large
    pictures, no blocks on small ones.

    Raises:
        ValueError: the picture has no pixel, or is not two-dimensional.
    """
    if gray.ndim != 2 or gray.size == 0:
        raise ValueError(f"a grey picture has two non-empty axes, not the shape {gray.shape}")
    rows, columns = gray.shape
    picture = np.asarray(gray, dtype=np.float32)
    if (rows, columns) == (height, width):
        return picture
    if rows > height or columns > width:
        picture = cv2.resize(picture, (min(columns, width), min(rows, height)), interpolation=cv2.INTER_AREA)
    if picture.shape != (height, width):
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return picture
