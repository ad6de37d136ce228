"""One image as the features see it: normalised, small, and what several of them ask for made once.

How often each stored value occurs is counted once per image, and read by everything that asks about levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from auditor.resample import resize
from auditor.values.image import Header, Pixels

VIEW_SIDE = 256
"""Statistics of a picture are as good from 65,000 pixels as from all; what is too small to see here looks at `View.fine`."""
FINE_SIDE = 512
SQUARE_SIDE = 84
"""A multiple of 12 and of 14, so that the means of coarse grids are exact."""
MOST_SIDE = 2048
"""Of larger pictures every k-th row and column is looked at."""
ASKED = 1 << 14
"""So many pixels give the percentiles of colours and floats."""


@dataclass(frozen=True, kw_only=True)
class View:
    """One image as a feature sees it.

    Args:
        gray: float32 (height, width), 0–1, the middle frame; robustly normalised (1st–99th percentile of the stored values,
            at every depth alike, so that no feature can tell the depth); bright = high, MONOCHROME1 is turned over.
            Longest side ≤ `VIEW_SIDE`.
        stored: the middle frame in stored depth, full size, (height, width) or (height, width, channels).
        header: container fields.
        pixels: all frames.
        window: the stored values that are 0 and 1 in `gray`.
    """

    gray: npt.NDArray[np.float32]
    stored: npt.NDArray[np.generic]
    header: Header
    pixels: Pixels
    window: tuple[float, float] = (0.0, 1.0)

    @cached_property
    def histogram(self) -> Histogram | None:
        """Of the stored values; None for floats and very wide ranges."""
        return histogram_of(self.stored)

    @cached_property
    def square(self) -> npt.NDArray[np.float32]:
        """`gray` at `SQUARE_SIDE` × `SQUARE_SIDE`, whatever its shape."""
        return resize(self.gray, SQUARE_SIDE, SQUARE_SIDE)

    def grid(self, side: int) -> npt.NDArray[np.float32]:
        """Area means of `gray` on a grid of `side` × `side` cells."""
        return resize(self.square if min(self.gray.shape) >= SQUARE_SIDE else self.gray, side, side)

    @cached_property
    def fine(self) -> npt.NDArray[np.uint8]:
        """The same picture as `gray` in 0–255, longest side ≤ `FINE_SIDE`."""
        height, width = self.stored.shape[:2]
        if max(height, width) <= max(self.gray.shape):
            return np.asarray(cv2.convertScaleAbs(self.gray, alpha=255))
        stored: npt.NDArray[Any] = self.stored
        if stored.dtype == np.uint8 and stored.ndim == 2 and max(height, width) <= FINE_SIDE:
            levels = windowed(np.arange(256, dtype=np.float32), self.window, inverted=self.pixels.inverted)
            return np.asarray(cv2.LUT(np.ascontiguousarray(stored), (levels * 255 + 0.5).astype(np.uint8)))
        gray = windowed(shrunk(stored, FINE_SIDE), self.window, inverted=self.pixels.inverted)
        return np.asarray(cv2.convertScaleAbs(gray, alpha=255))


def view_of(header: Header, pixels: Pixels) -> View:
    """The normalised middle frame that features and the thumbnail are taken from."""
    stored = pixels.array[len(pixels.array) // 2]
    histogram = histogram_of(stored)
    small = shrunk(stored, VIEW_SIDE)
    # One rule for every depth: a full range for 8 bits and percentiles above would write the depth into every feature.
    if histogram is not None and stored.ndim == 2:
        low, high = histogram.percentiles(1, 99)
    else:
        step = max(1, int(np.sqrt(small.size / ASKED)))
        low, high = (float(v) for v in np.percentile(small[::step, ::step], (1, 99)))
    if high <= low:
        low, high = float(small.min()), float(small.max())
    gray = windowed(small, (low, high), inverted=pixels.inverted)
    view = View(gray=gray, stored=stored, header=header, pixels=pixels, window=(low, high))
    vars(view)["histogram"] = histogram
    return view


def windowed(values: npt.NDArray[np.float32], window: tuple[float, float], *, inverted: bool) -> npt.NDArray[np.float32]:
    """Stored values as 0–1; a window without width is 0."""
    low, high = window
    if high <= low:
        return np.full_like(values, float(inverted))
    start, scale = (high, -1 / (high - low)) if inverted else (low, 1 / (high - low))
    shown = values - np.float32(start)
    shown *= np.float32(scale)
    np.maximum(shown, np.float32(0), out=shown)
    return np.asarray(np.minimum(shown, np.float32(1), out=shown))


def shrunk(stored: npt.NDArray[Any], side: int) -> npt.NDArray[np.float32]:
    """One grey frame of stored values, area-averaged so that its longest side is at most `side`; never enlarged.

    What is not finite becomes the smallest value.
    """
    # A slide of 400 megapixels must not become 1.6 GB of floats.
    step = max(1, max(stored.shape[:2]) // MOST_SIDE)
    with np.errstate(over="ignore"):
        values = stored[::step, ::step].astype(np.float32)
    if stored.dtype.kind == "f":
        finite = np.isfinite(values)
        if not finite.all():
            values = np.where(finite, values, values[finite].min() if finite.any() else np.float32(0))
    if values.ndim == 3 and values.shape[2] not in (3, 4):
        values = luminance(values)
    height, width = values.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        values = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))
    return values if values.ndim == 2 else luminance(values)


def luminance(stored: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Rec. 601 luma of an RGB(A) frame; the mean of the channels for any other number of them."""
    values = stored.astype(np.float32, copy=False)
    if stored.shape[-1] in (3, 4):
        return np.asarray(values[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)
    return np.asarray(values[..., 0] if stored.shape[-1] == 2 else values.mean(axis=-1), np.float32)


def shrink(gray: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.float32]:
    """Area-averaged so that the longest side is at most `side`; never enlarged."""
    height, width = gray.shape
    scale = side / max(height, width)
    if scale >= 1:
        return gray
    return resize(gray, max(1, round(height * scale)), max(1, round(width * scale)))


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
        below = self.counts[0].cumsum()
        total, last = int(below[-1]), self.counts.shape[1] - 1
        places = below.searchsorted([share / 100 * total for share in wanted], side="right").tolist()
        return [float(self.low + min(place, last)) for place in places]


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
