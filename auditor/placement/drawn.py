"""What a picture holds, at a glance: few values, as a drawing does, or many. Called in the bounded workers, by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from auditor.format import open_header, open_pixels, read_source
from auditor.values.drawn import Look
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

FEW_VALUES = 8
"""A drawing holds no more grey values or colours than this."""


def look_at(limits: Limits, path: Path) -> Look | None:
    """What a file holds; None where that cannot be told (unreadable, one value in all pixels). For `auditor.reading.jobs`."""
    try:
        source = read_source(path, limits)
        header = open_header(source, limits)
        frames = open_pixels(source, header, limits).array
    except UnreadableFile:
        return None
    values = _one_channel(frames[:: max(len(frames) // 8, 1)])
    if values.size == 0 or not (values != values.flat[0]).any():
        return None
    return Look(drawn=_is_drawn(values), size=(int(frames.shape[1]), int(frames.shape[2])))


def _one_channel(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Grey values, or one number per colour."""
    if array.ndim == 4 and array.shape[-1] in (3, 4) and array.dtype == np.uint8:
        colours = array[..., :3].astype(np.uint32)
        if (colours[..., 0] == colours[..., 1]).all() and (colours[..., 0] == colours[..., 2]).all():
            return np.asarray(array[..., 0])
        return np.asarray((colours[..., 0] << 16) | (colours[..., 1] << 8) | colours[..., 2])
    return array


def _is_drawn(values: npt.NDArray[np.generic]) -> bool:
    """Few values; or, after lossy compression, hardly anything between the darkest and the brightest."""
    if len(np.unique(values)) <= FEW_VALUES:
        return True
    if values.dtype != np.uint8:
        return False
    levels = values.astype(np.int16)
    low, high = int(levels.min()), int(levels.max())
    dark = float((levels <= low + 12).mean())
    bright = float((levels >= high - 12).mean())
    return high - low > 100 and dark + bright >= 0.97 and min(dark, bright) >= 0.005
