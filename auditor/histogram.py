"""How often each stored value occurs: counted once per image, read by everything that asks about levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

SAMPLES = 1 << 17
"""Pixels that are counted; of larger images every k-th row and column."""
WIDEST = 1 << 17
"""Whole numbers are counted one by one up to this range."""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts of whole numbers.

    Args:
        low: the smallest value; the first count is of it, the last of the largest.
        counts: shape (channels, largest − low + 1).
    """

    low: int
    counts: npt.NDArray[np.int64]

    @property
    def high(self) -> int:
        """The largest value."""
        return self.low + int(self.counts.shape[1]) - 1

    def percentiles(self, *wanted: float) -> list[float]:
        """Values below which so many per cent of the first channel lie."""
        below = np.cumsum(self.counts[0])
        places = np.searchsorted(below, np.array(wanted) / 100 * below[-1], side="right")
        return [float(self.low + place) for place in np.minimum(places, self.counts.shape[1] - 1).tolist()]


def histogram_of(stored: npt.NDArray[Any]) -> Histogram | None:
    """The histogram of a frame, (height, width) or (height, width, channels); None for floats and ranges beyond `WIDEST`."""
    if stored.dtype.kind not in "iub" or stored.size == 0:
        return None
    part = max(1.0, stored.shape[0] * stored.shape[1] / SAMPLES)
    down = int(np.ceil(np.sqrt(part)))
    sample = stored[::down, :: max(1, round(part / down))]
    if sample.dtype == np.bool_:
        sample = sample.view(np.uint8)
    if sample.dtype == np.uint8:
        counts = _counted(sample, 256)
        used = np.flatnonzero(counts.any(axis=0))
        return Histogram(low=int(used[0]), counts=counts[:, used[0] : used[-1] + 1])
    low, high = int(sample.min()), int(sample.max())
    size = high - low + 1
    if size > WIDEST:
        return None
    if size <= 1 << 16:
        # Modulo 2¹⁶ the difference is the same, whatever the type.
        return Histogram(low=low, counts=_counted(sample.astype(np.uint16) - np.uint16(low & 0xFFFF), size))
    planes = [sample] if sample.ndim == 2 else [sample[..., channel] for channel in range(sample.shape[2])]
    return Histogram(low=low, counts=np.stack([np.bincount(p.astype(np.int64).ravel() - low, minlength=size) for p in planes]))


def _counted(sample: npt.NDArray[np.uint8 | np.uint16], size: int) -> npt.NDArray[np.int64]:
    whole = np.ascontiguousarray(sample)
    channels = 1 if whole.ndim == 2 else whole.shape[2]
    # As floats, which hold every count up to 2²⁴ exactly.
    parts = [cv2.calcHist([whole], [channel], None, [size], [0, size]).ravel() for channel in range(channels)]
    return np.stack(parts).astype(np.int64)
