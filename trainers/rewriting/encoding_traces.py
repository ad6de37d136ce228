"""What earlier encodings leave in the pixels of one image, whatever it was saved as since.

Every number compares the image with itself (one phase of the block grid with the others, one frequency with its neighbours),
so that what is shown cancels out as far as it can: bones, noise and sharpness alone move them little. The family `noise` is
the exception, and is kept apart: a noise residual follows camera and anatomy as well.

* `blocks`: steps at the phase of the 8 × 8 grid against the other phases (Fan & de Queiroz, IEEE TIP 2003; 12: 230);
* `quantisation`: the comb that a quantisation table leaves in the histogram of each DCT coefficient, and its excess of noughts
  (Popescu & Farid, Information Hiding 2004; Farid, IEEE TIFS 2009; 4: 154);
* `levels`: empty grey levels and the comb of stretched, rescaled or gamma-corrected data (Stamm & Liu, IEEE TIFS 2010; 5: 492);
* `resampling`: lines in the spectrum of the second derivative (Gallagher, CRV 2005; Mahdian & Saic, IEEE TIFS 2008; 3: 529);
* `noise`: size, kurtosis and correlation of the residual of a 3 × 3 median.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import dct
from scipy.ndimage import median_filter

Floats = npt.NDArray[np.float32]

COLUMNS: tuple[str, ...] = (
    "blocks.grid", "blocks.best_phase",
    "quantisation.comb_low", "quantisation.comb_middle", "quantisation.comb_high", "quantisation.noughts",
    "levels.empty", "levels.step", "levels.comb",
    "resampling.rows", "resampling.columns",
    "noise.size", "noise.kurtosis", "noise.correlation",
)  # fmt: skip

BLOCK = 8
MOST_BLOCKS = 2048
SIDE = 1024
"""Of larger images the middle is looked at, cut on the grid."""
LEAST_SIDE = 24
NOUGHT = 0.5
SAMPLES = 1 << 18
_BASIS = dct(np.eye(BLOCK), axis=0, norm="ortho").astype(np.float32)
_ORDER = np.add.outer(np.arange(BLOCK), np.arange(BLOCK))
_BANDS = (_ORDER == 1) | (_ORDER == 2), (_ORDER == 3) | (_ORDER == 4), (_ORDER == 5) | (_ORDER == 6)
_FREQUENCIES = np.arange(3, 97, dtype=np.float32) / 96
"""Cycles per step of 8 bits: a table entry q shows at 1/q; up to 32."""


def measure_traces(frame: npt.NDArray[Any], top: float) -> Floats:
    """Traces in one frame; shape (len(COLUMNS),), NaN where the image is too small or too plain to show them.

    Args:
        frame: stored levels, (height, width) or (height, width, channels); of colours the mean is looked at.
        top: the largest level that the depth has (255 of 8 bits).
    """
    whole = frame if frame.ndim == 2 else frame[..., : 3 if frame.shape[2] >= 3 else 1].mean(axis=2)
    values = _middle(whole)
    levels = _levels(_middle(frame if frame.ndim == 2 else frame[..., 0]))
    if min(values.shape) < LEAST_SIDE or values.min() == values.max():
        return np.array([np.nan] * 6 + levels + [np.nan] * 5, dtype=np.float32)
    scaled = values.astype(np.float32) * np.float32(255 / top)
    return np.array(
        [*_blocks(scaled), *_quantisation(scaled), *levels, *_resampling(scaled), *_noise(scaled)], dtype=np.float32
    )


def _middle(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    starts = [max(0, (side - SIDE) // 2) // BLOCK * BLOCK for side in values.shape]
    return values[starts[0] : starts[0] + SIDE, starts[1] : starts[1] + SIDE]


def _blocks(values: Floats) -> tuple[float, float]:
    """Log ratio of the cross difference at the grid's own phase to the other phases; and at whichever phase is strongest."""
    cross = np.abs(values[1:, 1:] + values[:-1, :-1] - values[1:, :-1] - values[:-1, 1:])
    own, best = 0.0, 0.0
    for axis in (0, 1):
        line = np.log(cross.mean(axis=axis) + 0.05)
        usable = len(line) // BLOCK * BLOCK
        phase = np.median(line[:usable].reshape(-1, BLOCK) - np.median(line), axis=0)
        rest = float(np.median(phase))
        own += float(phase[BLOCK - 1]) - rest
        best += float(phase.max()) - rest
    return own, best


def _quantisation(values: Floats) -> tuple[float, float, float, float]:
    rows, columns = values.shape[0] // BLOCK, values.shape[1] // BLOCK
    grid = values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    blocks = grid.reshape(-1, BLOCK, BLOCK)
    chosen = blocks[:: -(-len(blocks) // MOST_BLOCKS)]
    # Padding and saturated areas have no frequencies at all: their noughts are no trace.
    textured = chosen[np.ptp(chosen, axis=(1, 2)) > 3.0]
    if len(textured) < 8:
        return (np.nan,) * 4
    coefficients = _BASIS @ textured @ _BASIS.T
    combs = [_comb(coefficients[:, band].T) for band in _BANDS]
    size = np.abs(coefficients[:, (_ORDER >= 3) & (_ORDER <= 10)])
    near, next_to = (size < NOUGHT).sum(axis=0), ((size >= NOUGHT) & (size < 3 * NOUGHT)).sum(axis=0)
    return combs[0], combs[1], combs[2], float(np.mean(np.log((near + 1.0) / (next_to / 2 + 1.0))))


def _comb(rows: npt.NDArray[Any]) -> float:
    """Mean over rows (samples each) of the strongest line in the spectrum of their histogram, above its surroundings.

    The spectrum of a histogram is the mean of exp(2πi·f·value): smooth where values are, a line at 1/q where they are
    multiples of q.
    """
    strengths = []
    for row in rows:
        phase = (2 * np.pi * _FREQUENCIES)[:, None] * row[None, :]
        spectrum = np.sqrt(np.cos(phase).mean(axis=1) ** 2 + np.sin(phase).mean(axis=1) ** 2)
        strengths.append(float((spectrum - median_filter(spectrum, 9, mode="nearest")).max()))
    return float(np.mean(strengths))


def _levels(values: npt.NDArray[Any]) -> list[float]:
    """Share of empty levels; log2 of the usual step between levels over that of so many samples; comb of the histogram."""
    step = max(1, int(np.sqrt(values.size / SAMPLES)))
    sample = values[::step, ::step].ravel().astype(np.int64)
    low, high = (int(v) for v in np.percentile(sample, (1, 99)))
    if high - low < 16:
        return [np.nan] * 3
    inside = sample[(sample >= low) & (sample <= high)]
    counts = np.bincount(inside - low, minlength=high - low + 1)
    present = np.flatnonzero(counts)
    # So many samples, spread as they are over 64 parts of the range, would fill about so many levels.
    parts = np.array_split(counts, 64)
    expected = sum(len(part) * (1 - np.exp(-part.sum() / max(1, len(part)))) for part in parts if len(part))
    empty = 1 - len(present) / max(expected, 1.0)
    usual = float(np.median(np.repeat(np.diff(present), counts[present[1:]])))
    crowded = max(1.0, (high - low + 1) / max(expected, 1.0))
    return [empty, float(np.log2(usual / crowded)), _level_comb(counts)]


def _level_comb(counts: npt.NDArray[np.int64]) -> float:
    """Strongest line above half the band in the spectrum of the histogram over its own smooth course."""
    counts = counts[: 1 << 16]
    if len(counts) > 1024:
        counts = counts[: len(counts) // 2 * 2]
    smooth = np.convolve(counts, np.ones(9) / 9, mode="same") + 1e-9
    ripple = (counts - smooth) / np.sqrt(smooth + 1)
    spectrum = np.abs(np.fft.rfft(ripple * np.hanning(len(ripple))))[len(counts) // 16 :]
    return float(np.log(spectrum.max() / (np.median(spectrum) + 1e-9))) if len(spectrum) > 4 else np.nan


def _resampling(values: Floats) -> tuple[float, float]:
    """Strongest line in the spectrum of the mean size of the second derivative, along rows and along columns, in logs.

    Multiples of 1/8 are left out: they are the blocks'.
    """
    found = []
    for axis in (1, 0):
        second = np.abs(np.diff(values, n=2, axis=axis))
        line = np.log(second.mean(axis=1 - axis) + 0.05)
        line = line - median_filter(line, 17, mode="nearest")
        spectrum = np.abs(np.fft.rfft(line * np.hanning(len(line))))
        frequency = np.arange(len(spectrum)) / len(line)
        off = np.abs(frequency * BLOCK - np.rint(frequency * BLOCK)) > BLOCK * 1.5 / len(line)
        kept = spectrum[off & (frequency > 0.08)]
        found.append(float(np.log((kept.max() + 1e-6) / (np.median(kept) + 1e-6))) if len(kept) > 4 else np.nan)
    return found[0], found[1]


def _noise(values: Floats) -> tuple[float, float, float]:
    residual = values - median_filter(values, 3)
    deviation = float(residual.std())
    if deviation < 1e-6:
        return np.nan, np.nan, np.nan
    unit = residual / deviation
    neighbours = float((unit[:, 1:] * unit[:, :-1]).mean() + (unit[1:] * unit[:-1]).mean()) / 2
    return float(np.log(deviation)), float(np.log((unit**4).mean())), neighbours
