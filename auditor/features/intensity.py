"""Grey levels and colour: moments, percentiles, entropy, saturation, and how the stored depth is used."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from auditor.view import View

VERSION = 2

PERCENTILES: tuple[int, ...] = (1, 5, 10, 25, 50, 75, 90, 95, 99)
COLUMNS: tuple[str, ...] = (
    "mean", "sd", "skewness", *(f"p{p:02d}" for p in PERCENTILES), "entropy_bits", "at_min_fraction", "at_max_fraction",
    "red_mean", "green_mean", "blue_mean", "stored_levels", "range_used_fraction",
)  # fmt: skip
"""`red_mean`, `green_mean`, `blue_mean` are NaN for grey images, `range_used_fraction` for floating-point ones.

`at_min_fraction`, `at_max_fraction`, `stored_levels` and `range_used_fraction` look at the stored values; the rest at the
normalised picture, 0–1."""

SAMPLES = 1 << 15
"""Values of which the distinct ones are counted where they are floats, or whole numbers too far apart for a histogram."""
BINS = 1024
_LEVELS = (np.arange(BINS) + 0.5) / BINS
_ASKED = np.array(PERCENTILES) / 100


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (len(COLUMNS),). Larger images are sampled on a regular grid."""
    return np.array([*_shape_of_histogram(view.gray), *_use_of_depth(view)], dtype=np.float32)


def _shape_of_histogram(gray: npt.NDArray[np.float32]) -> list[float]:
    scaled = gray * np.float32(BINS)
    bins = np.minimum(scaled, np.float32(BINS - 1), out=scaled).astype(np.uint16)
    counts = cv2.calcHist([bins], [0], None, [BINS], [0, BINS]).ravel().astype(np.float64)
    share = counts / gray.size
    mean = float(gray.mean())
    flat = gray.ravel()
    sd = float(np.sqrt(max(0.0, float(flat @ flat) / gray.size - mean * mean)))
    centred = _LEVELS - float(share @ _LEVELS)
    skewness = float(share @ (centred * centred * centred)) / sd**3 if sd > 1e-3 else 0.0
    reached = np.searchsorted(np.cumsum(counts), _ASKED * gray.size)
    percentiles = _LEVELS[np.minimum(reached, BINS - 1)]
    coarse = share.reshape(64, -1).sum(axis=1)
    coarse = coarse[coarse > 0]
    return [mean, sd, skewness, *percentiles.tolist(), float(-(coarse * np.log2(coarse)).sum())]


def _use_of_depth(view: View) -> list[float]:
    stored: npt.NDArray[Any] = view.stored
    colours = 3 if stored.ndim == 3 and stored.shape[2] >= 3 else 1
    histogram = view.histogram
    if histogram is not None:
        counts = histogram.counts[:colours]
        total = counts.sum(axis=0)
        used = np.flatnonzero(total)
        low, high = histogram.low + int(used[0]), histogram.low + int(used[-1])
        size = int(total.sum())
        at_min, at_max, levels = total[used[0]] / size, total[used[-1]] / size, len(used)
        means = (counts @ np.arange(counts.shape[1], dtype=np.float64)) * colours / size + histogram.low
    else:
        channels = stored[..., :colours] if stored.ndim == 3 else stored[..., None]
        step = max(1, int(np.ceil(np.sqrt(channels.size / SAMPLES))))
        sample = channels[::step, ::step].reshape(-1, channels.shape[2])
        if stored.dtype.kind not in "iub":
            return _use_of_floats(sample.astype(np.float64), view.gray)
        low, high = int(sample.min()), int(sample.max())
        at_min, at_max = float(np.mean(sample == low)), float(np.mean(sample == high))
        levels, means = len(np.unique(sample)), sample.mean(axis=0)
    depth = view.header.fields.get("container.bit_depth")
    bits = int(depth) if isinstance(depth, int | float) and 0 < depth <= 64 else stored.dtype.itemsize * 8
    if stored.dtype.kind == "b":
        bits = 1
    span = float(2**bits - 1)
    colour = (means / span).tolist() if colours == 3 else [np.nan] * 3
    return [float(at_min), float(at_max), *colour, float(levels), min(1.0, (high - low) / span)]


def _use_of_floats(sample: npt.NDArray[np.float64], gray: npt.NDArray[np.float32]) -> list[float]:
    """Stored floats have no depth; NaN and infinities are no levels."""
    flat = sample[np.isfinite(sample)]
    if flat.size == 0:
        return [0.0, 0.0, np.nan, np.nan, np.nan, 0.0, np.nan]
    values, counts = np.unique(flat, return_counts=True)
    colour = [float(gray.mean())] * 3 if sample.shape[1] == 3 else [np.nan] * 3
    if sample.shape[1] == 3 and len(values) > 1:
        spread = (sample - values[0]) / (values[-1] - values[0])
        finite = np.isfinite(spread)
        colour = [float(spread[finite[:, c], c].mean()) if finite[:, c].any() else np.nan for c in range(3)]
    return [counts[0] / flat.size, counts[-1] / flat.size, *colour, float(len(values)), np.nan]
