"""Traces that an earlier encoding left in the pixels: blocks, missing frequencies, gaps between grey levels, false colour.

They survive conversion: a JPEG saved again as PNG keeps its blocks, 8-bit data written as 16 bits keep their gaps.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from auditor.view import View

VERSION = 2

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
GAP_LEVELS = 1024
SAMPLES = 1 << 16


def _basis() -> npt.NDArray[np.float32]:
    """The orthonormal cosine transform of `BLOCK` values; shape (frequencies, places)."""
    waves = np.cos(np.pi * np.arange(BLOCK)[:, None] * (np.arange(BLOCK) + 0.5) / BLOCK) * np.sqrt(2 / BLOCK)
    waves[0] /= np.sqrt(2)
    return np.asarray(waves, np.float32)


_BASIS = _basis()


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (5,). Blocks are those of the stored picture's own grid, in a crop from its middle of at most 256 × 256."""
    stored: npt.NDArray[Any] = view.stored
    colour = stored[..., :3] if stored.ndim == 3 and stored.shape[2] >= 3 else None
    crop = _crop(stored)
    if crop.ndim == 3:
        channels = 1 if colour is None else 3
        crop = np.asarray(sum(crop[..., c].astype(np.float32) for c in range(channels)) / np.float32(channels))
    span = _span(crop, view)
    if crop.dtype.kind == "f":
        crop = np.nan_to_num(crop)
    values = (crop - np.float32(crop.min())) * np.float32(255 / span)
    return np.array([_blockiness(values), _nought(values), *_levels(view), _coloured(colour)], dtype=np.float32)


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
        one, other = (values[1:], values[:-1]) if axis == 0 else (values[:, 1:], values[:, :-1])
        if one.shape[axis] < 2 * BLOCK:
            return float("nan")
        steps = np.asarray(cv2.absdiff(one, other)).mean(axis=1 - axis)
        at = np.arange(len(steps)) % BLOCK == BLOCK - 1
        boundary.append(float(steps[at].mean()))
        elsewhere.append(float(steps[~at].mean()))
    return float(np.log((sum(boundary) + 0.02) / (sum(elsewhere) + 0.02)))


def _nought(values: npt.NDArray[np.float32]) -> float:
    rows, columns = values.shape[0] // BLOCK, values.shape[1] // BLOCK
    if rows * columns == 0:
        return float("nan")
    grid = values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    places = np.arange(0, rows * columns, max(1, rows * columns // BLOCKS))[:BLOCKS]
    chosen = grid[places // columns, places % columns]
    flat = chosen.reshape(len(chosen), -1)
    middle = flat.mean(axis=1)
    # Padding and saturated areas have no frequencies at all: they would count as compression.
    textured = chosen[np.einsum("ij,ij->i", flat, flat) / BLOCK**2 - middle * middle > 1.0]
    if len(textured) == 0:
        return float("nan")
    # Two large products instead of one small pair per block.
    across = (textured.reshape(-1, BLOCK) @ _BASIS.T).reshape(-1, BLOCK, BLOCK).swapaxes(1, 2)
    coefficients = (np.ascontiguousarray(across).reshape(-1, BLOCK) @ _BASIS.T).reshape(-1, BLOCK, BLOCK)
    small = np.abs(coefficients) < NOUGHT
    return (int(np.count_nonzero(small)) - int(np.count_nonzero(small[:, 0, 0]))) / (63 * len(textured))


def _levels(view: View) -> tuple[float, float]:
    histogram = view.histogram
    if histogram is None or view.stored.dtype.kind == "b" or histogram.counts.shape[1] == 1:
        return float("nan"), float("nan")
    levels = histogram.counts.shape[1]
    present = np.flatnonzero(histogram.counts.any(axis=0))
    # So few pixels cannot fill the levels of a deeper picture: gaps there would be those of the sample.
    gaps = 1 - len(present) / levels if levels <= GAP_LEVELS else float("nan")
    return gaps, float(np.gcd.reduce(present))


def _coloured(colour: npt.NDArray[Any] | None) -> float:
    if colour is None:
        return 0.0
    step = max(1, int(np.sqrt(colour.size / SAMPLES)))
    red, green, blue = (colour[::step, ::step, channel] for channel in range(3))
    return float(((red != green) | (green != blue)).mean())
