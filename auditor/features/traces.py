"""Traces that an earlier encoding left in the pixels: blocks, missing frequencies, gaps between grey levels, false colour.

They survive conversion: a JPEG saved again as PNG keeps its blocks, 8-bit data written as 16 bits keep their gaps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from auditor.feature import View

VERSION = 1

COLUMNS: tuple[str, ...] = ("blockiness", "dct_zero_fraction", "level_gap_fraction", "level_step", "colour_fraction")
"""`blockiness`: log of the mean step across 8-pixel boundaries over that elsewhere (Wang, Sheikh & Bovik, ICIP 2002);
`dct_zero_fraction`: share of the 63 AC coefficients of 8 × 8 blocks that are nought; `level_gap_fraction`: levels between the
smallest and the largest of up to 1024 that do not occur; `level_step`: greatest common divisor of the steps between levels;
`colour_fraction`: share of pixels whose channels differ (0 for grey ones)."""

BLOCK = 8
BLOCKS = 256
NOUGHT = 0.5
"""A coefficient below this, in steps of 8 bits, is nought; rounding alone leaves less."""
CROP = 256
LEVELS = 1 << 17
GAP_LEVELS = 1024
SAMPLES = 1 << 16
_BASIS = dct(np.eye(BLOCK), axis=0, norm="ortho").astype(np.float32)


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (5,). Blocks are those of the stored picture's own grid, in a crop from its middle of at most 256 × 256."""
    stored: npt.NDArray[Any] = view.stored
    colour = stored[..., :3] if stored.ndim == 3 and stored.shape[2] >= 3 else None
    crop = _crop(stored)
    if crop.ndim == 3:
        channels = 1 if colour is None else 3
        crop = np.asarray(sum(crop[..., c].astype(np.float32) for c in range(channels)) / np.float32(channels))
    span = _span(crop, view)
    values = np.nan_to_num((crop.astype(np.float32) - np.float32(np.nan_to_num(crop).min())) * np.float32(255 / span))
    return np.array([_blockiness(values), _nought(values), *_levels(stored), _coloured(colour)], dtype=np.float32)


def _crop(stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The middle, starting on the grid of blocks."""
    starts = [max(0, (side - CROP) // 2) // BLOCK * BLOCK for side in stored.shape[:2]]
    return stored[starts[0] : starts[0] + CROP, starts[1] : starts[1] + CROP]


def _span(crop: npt.NDArray[Any], view: View) -> float:
    """What stands for the 255 steps of 8 bits: the full range of 8 bits, the range in use of any other depth."""
    if view.stored.dtype == np.uint8:
        return 255.0
    finite = crop[np.isfinite(crop)] if crop.dtype.kind == "f" else crop
    span = float(finite.max()) - float(finite.min()) if finite.size else 0.0
    return span if span > 0 else 1.0


def _blockiness(values: npt.NDArray[np.float32]) -> float:
    boundary, elsewhere = [], []
    for axis in (0, 1):
        steps = np.abs(np.diff(values, axis=axis)).mean(axis=1 - axis)
        if len(steps) < 2 * BLOCK:
            return float("nan")
        at = np.arange(len(steps)) % BLOCK == BLOCK - 1
        boundary.append(float(steps[at].mean()))
        elsewhere.append(float(steps[~at].mean()))
    return float(np.log((sum(boundary) + 0.02) / (sum(elsewhere) + 0.02)))


def _nought(values: npt.NDArray[np.float32]) -> float:
    rows, columns = values.shape[0] // BLOCK, values.shape[1] // BLOCK
    if rows * columns == 0:
        return float("nan")
    grid = values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    whole = grid.swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)
    chosen = whole[:: max(1, len(whole) // BLOCKS)][:BLOCKS]
    # Padding and saturated areas have no frequencies at all: they would count as compression.
    textured = chosen[chosen.std(axis=(1, 2)) > 1.0]
    if len(textured) == 0:
        return float("nan")
    coefficients = _BASIS @ textured @ _BASIS.T
    nought = int((np.abs(coefficients) < NOUGHT).sum()) - int((np.abs(coefficients[:, 0, 0]) < NOUGHT).sum())
    return nought / (63 * len(textured))


def _levels(stored: npt.NDArray[Any]) -> tuple[float, float]:
    if stored.dtype.kind not in "iu" or stored.size == 0:
        return float("nan"), float("nan")
    step = max(1, int(np.sqrt(stored.size / SAMPLES)))
    sample = stored[::step, ::step].ravel().astype(np.int64)
    low, high = int(sample.min()), int(sample.max())
    if high == low or high - low >= LEVELS:
        return float("nan"), float("nan")
    present = np.flatnonzero(np.bincount(sample - low, minlength=high - low + 1))
    # So few pixels cannot fill the levels of a deeper picture: gaps there would be those of the sample.
    gaps = 1 - len(present) / (high - low + 1) if high - low < GAP_LEVELS else float("nan")
    return gaps, float(np.gcd.reduce(present))


def _coloured(colour: npt.NDArray[Any] | None) -> float:
    if colour is None:
        return 0.0
    step = max(1, int(np.sqrt(colour.size / SAMPLES)))
    red, green, blue = (colour[::step, ::step, channel] for channel in range(3))
    return float(((red != green) | (green != blue)).mean())
