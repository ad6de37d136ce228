"""Resize a grey picture: area averaging when it shrinks, linear interpolation when it grows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image


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
    picture = Image.fromarray(np.ascontiguousarray(gray, dtype=np.float32))
    if rows > height or columns > width:
        picture = picture.resize((min(columns, width), min(rows, height)), Image.Resampling.BOX)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture, dtype=np.float32)
