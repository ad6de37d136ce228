"""What is wrong with a picture as a picture: clipping, levels in use, sharpness, noise, bands, background; stored depth.

Everything is measured on stored values over their own robust range, never on 8 bits. Nothing here is read by the probe.
Noise: Immerkær, Computer Vision and Image Understanding 1996, with a median for the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from auditor.resample import resize
from auditor.view import View

VERSION = 4

COLUMNS: tuple[str, ...] = (
    "overflow_fraction", "mode_fraction", "structure", "clipped_high_fraction", "clipped_low_fraction", "span_levels",
    "span_fraction", "eight_in_deep", "sharpness", "sharpness_across", "noise_fraction", "row_bands", "column_bands",
    "background_fraction", "border_level", "pixels",
)  # fmt: skip
"""What the columns say (share = share of pixels; log = natural logarithm):

* `overflow_fraction`: `Pixels.overflow`; `mode_fraction`: share at the most frequent level; `pixels`: how many there are;
* `structure`: log of how much more 4 × 4 means vary than those of white noise would;
* `clipped_*`: share at the highest or lowest level where it heaps up and the border of the picture does not lie there;
* `span_levels`: steps between the 1st and the 99th percentile, NaN for floats without steps; `span_fraction`: that over what
  the declared depth could hold;
* `eight_in_deep`: of files of more than 8 bits: 1 = stretched bytes, 0.5 = a range of 256, 0 = more;
* `sharpness`: log of the mean step to the next pixel over that to the fourth (0 = noise, −1.39 = a ramp, NaN = flat);
  `sharpness_across`: the same along rows less along columns;
* `noise_fraction`: standard deviation of the noise over the span;
* `*_bands`: log of how much more the means of rows (columns) jump than those of independent pixels would;
* `background_fraction`: share like an even border; `border_level`: 0–1."""

SAMPLES = 1 << 15
CROP = 192
BINS = 4096
MOST_LEVELS = 65_536.0
"""`BINS`: of floats; whole numbers are counted one by one. `MOST_LEVELS`: floats that are finer have none."""
HEAP = 5.0
LARGEST = 1e15
EVEN = 0.02
WHITE_BORDER, BLACK_BORDER = 0.5, 0.15
_CURVE = np.array([1, -2, 1], np.float32)


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (len(COLUMNS),)."""
    stored = _gray(view.stored)
    counted = _counted(view)
    if counted is None:
        return np.full(len(COLUMNS), np.nan, np.float32)
    ring = _ring(view.gray)
    border, background = _border(view.gray, ring)
    levels, span = _levels(counted, view)
    ring = 1 - ring if view.pixels.inverted else ring
    # White around a section, black around a retina or a scan: background, not what a detector cut off.
    if float((ring > 1 - EVEN).mean()) >= WHITE_BORDER:
        levels[1] = 0.0
    if float((ring < EVEN).mean()) >= BLACK_BORDER:
        levels[2] = 0.0
    crop = np.ascontiguousarray(_crop(stored), dtype=np.float32)
    crop = np.where(np.isfinite(crop), crop, np.float32(counted.low)) if stored.dtype.kind == "f" else crop
    numbers = [
        view.pixels.overflow, *levels, *_detail(crop / np.float32(span) if span > 0 else crop), background, border,
        float(stored.size),
    ]  # fmt: skip
    return np.array([*numbers[:2], _structure(view.gray), *numbers[2:]], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """How often values occur: `counts[i]` of them lie in the `width` from `low + i · width` on; `exact` where each is one.

    `step` is from one level to the next where the values are none of `counts` but floats; NaN where they are whole.
    """

    low: float
    width: float
    counts: npt.NDArray[np.int64]
    exact: bool
    step: float = np.nan


def _counted(view: View) -> _Counted | None:
    """The levels of one channel; None where the values are no grey levels."""
    histogram = view.histogram
    if histogram is not None:
        channels = len(histogram.counts)
        counts = histogram.counts[1 if channels >= 3 else 0]
        used = np.flatnonzero(counts)
        return _Counted(low=float(histogram.low + used[0]), width=1.0, counts=counts[used[0] : used[-1] + 1], exact=True)
    stored = _gray(view.stored)
    step = max(1, int(np.sqrt(stored.size / SAMPLES)))
    sample = stored[::step, ::step].astype(np.float64).ravel()
    sample = sample[np.isfinite(sample)]
    # Beyond this, differences and squares leave the range of 32 bits: such floats are no grey levels.
    if sample.size == 0 or float(np.abs(sample).max()) > LARGEST:
        return None
    low, high = float(sample.min()), float(sample.max())
    if high <= low:
        return _Counted(low=low, width=1.0, counts=np.array([sample.size]), exact=False)
    places = np.minimum((sample - low) / ((high - low) / BINS), BINS - 1).astype(np.int64)
    return _Counted(
        low=low, width=(high - low) / BINS, counts=np.bincount(places, minlength=BINS), exact=False, step=_level_step(sample)
    )


def _level_step(sample: npt.NDArray[np.float64]) -> float:
    """From one level to the next: the smallest difference of values that lie further apart than floats of 32 bits are rounded.

    A copy of whole numbers as floats has the levels that the numbers had; the bins of a histogram are levels of nothing.
    """
    values = np.unique(sample)
    gaps = np.diff(values)
    gaps = gaps[gaps > 4 * np.finfo(np.float32).eps * float(np.abs(values).max())]
    return float(gaps.min()) if gaps.size else float(values[-1] - values[0])


def _gray(stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One channel: the green of a colour picture (most light, least smoothed by JPEG), the first of others."""
    if stored.ndim == 2:
        return stored
    return stored[..., 1] if stored.shape[2] >= 3 else stored[..., 0]


def _crop(stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
    starts = [max(0, (side - CROP) // 2) for side in stored.shape]
    return stored[starts[0] : starts[0] + CROP, starts[1] : starts[1] + CROP]


def _levels(counted: _Counted, view: View) -> tuple[list[float], float]:
    """mode, clipped high, clipped low, span in levels, span over the depth, eight bits in a deeper file; and that span."""
    whole = view.stored.dtype.kind in "iub"
    counts, width, exact = counted.counts, counted.width, counted.exact
    if len(counts) == 1:
        return [1.0, 0.0, 0.0, 0.0, 0.0 if whole else np.nan, np.nan], 0.0
    size = int(counts.sum())
    share = counts / size
    used = np.flatnonzero(counts)
    step = float(np.gcd.reduce(used)) if exact else counted.step
    first, last = np.searchsorted(np.cumsum(counts), (0.01 * size, 0.99 * size))
    spread = float(last - first) * width
    depth = view.header.fields.get("container.bit_depth")
    bits = int(depth) if isinstance(depth, int | float) and 0 < depth <= 64 else view.stored.dtype.itemsize * 8
    range_ = (len(counts) - 1) * width
    eight = np.nan
    if exact and bits > 8 and view.stored.dtype.itemsize > 1:
        # Bytes, bytes times 256 or 257, or stretched so that a large picture is left with a byte's worth of levels.
        stretched = len(used) <= 256 and size >= 1 << 14 and share.max() < 0.5
        within = range_ / step <= 255
        eight = 1.0 if (within and step > 1) or (stretched and not within) else 0.5 if within else 0.0
    levels = spread / max(step, 1e-30)
    numbers = [
        float(share.max()),
        _heap(share, used[::-1]),
        _heap(share, used),
        levels if exact or levels <= MOST_LEVELS else np.nan,
        spread / (2.0**bits - 1) if whole else np.nan,
        eight,
    ]
    return numbers, spread or range_


def _heap(share: npt.NDArray[np.float64], order: npt.NDArray[np.int64]) -> float:
    """Share at the outermost level where it stands out from the next ones by more than `HEAP` times; else 0."""
    if len(order) < 12:
        return 0.0
    nearby = float(share[order[1:11]].mean())
    return float(share[order[0]]) if share[order[0]] > HEAP * nearby else 0.0


def _structure(gray: npt.NDArray[np.float32]) -> float:
    part = _crop(gray)
    rows, columns = part.shape[0] // 4 * 4, part.shape[1] // 4 * 4
    if rows < 16 or columns < 16:
        return float("nan")
    part = np.ascontiguousarray(part[:rows, :columns])
    variance = float(part.var())
    if variance < 1e-10:
        return float("nan")
    means = resize(part, rows // 4, columns // 4)
    return float(np.log(max(float(means.var()), 1e-12) * 16 / variance))


def _detail(crop: npt.NDArray[np.float32]) -> list[float]:
    """sharpness, its difference between the axes, noise, bands of rows and of columns; the crop is over its span."""
    if min(crop.shape) < 16:
        return [float("nan")] * 5
    near, far = ([_step(crop, axis, reach) for axis in (0, 1)] for reach in (1, 4))
    if min(far) < 1e-4:
        return [float("nan")] * 5
    sharp = [float(np.log(max(n, 1e-6) / f)) for n, f in zip(near, far, strict=True)]
    laplace = cv2.sepFilter2D(crop, cv2.CV_32F, _CURVE, _CURVE)[1:-1:2, 1:-1:2]
    noise = _middle(np.abs(laplace)) / (0.6745 * 6.0)
    bands = [_bands(crop, axis) for axis in (0, 1)]
    return [sum(sharp) / 2, sharp[1] - sharp[0], noise, *bands]


def _middle(values: npt.NDArray[np.float32]) -> float:
    """The median, the upper one of two: a seventh of the time of `np.median`."""
    return float(np.partition(values.ravel(), values.size // 2)[values.size // 2])


def _step(crop: npt.NDArray[np.float32], axis: int, reach: int) -> float:
    """Mean difference of pixels that lie `reach` apart."""
    one, other = (crop[reach:], crop[:-reach]) if axis == 0 else (crop[:, reach:], crop[:, :-reach])
    return float(cv2.norm(one, other, cv2.NORM_L1)) / one.size


def _bands(crop: npt.NDArray[np.float32], axis: int) -> float:
    """Variance of the jumps of line means over that of the steps of single pixels, by how many pixels a line has."""
    jumps = np.diff(crop.mean(axis=1 - axis))
    one, other = (crop[1:], crop[:-1]) if axis == 0 else (crop[:, 1:], crop[:, :-1])
    variance = float(cv2.norm(one, other, cv2.NORM_L2SQR)) / one.size - float(jumps.mean()) ** 2
    return float(np.log(max(float(jumps.var()) * crop.shape[1 - axis], 1e-9) / max(variance, 1e-9)))


def _ring(gray: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.concatenate([gray[0], gray[-1], gray[1:-1, 0], gray[1:-1, -1]])


def _border(gray: npt.NDArray[np.float32], ring: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Median of the outermost pixels, and the share of the picture that looks like them; 0 where they are not even."""
    level = _middle(ring)
    if float((np.abs(ring - level) <= EVEN).mean()) < 0.75:
        return level, 0.0
    return level, float((np.abs(gray[::3, ::3] - level) <= EVEN).mean())
