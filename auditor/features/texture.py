"""Texture at three scales: local binary patterns (Ojala et al., TPAMI 2002) and how strongly pixels differ from neighbours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.feature import View
from auditor.resample import resize

VERSION = 1

SIDE = 128
SCALES: tuple[int, ...] = (1, 2, 4)
CODES = 10
CONTRASTS: tuple[float, ...] = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
COLUMNS: tuple[str, ...] = tuple(
    name
    for scale in SCALES
    for name in (*(f"s{scale}lbp{code}" for code in range(CODES)), *(f"s{scale}contrast{i}" for i in range(len(CONTRASTS) + 1)))
)
"""Per scale: shares of the ten rotation-invariant uniform patterns, and a histogram of the local contrast."""


def _pattern_classes() -> npt.NDArray[np.int64]:
    """Code 0–255 → number of ones when the ring has at most two changes, else 9."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(changes <= 2, bits.sum(axis=1), 9)


_CLASS_OF = _pattern_classes()
_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (51,): shares of pixels. Scales are the image at most 128 pixels wide, a half and a quarter of that."""
    height, width = view.gray.shape
    factor = min(1.0, SIDE / max(height, width))
    parts = []
    for scale in SCALES:
        rows, columns = (max(1, round(side * factor / scale)) for side in (height, width))
        parts.append(_one_scale(resize(view.gray, rows, columns)))
    return np.concatenate(parts).astype(np.float32)


def _one_scale(gray: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    rows, columns = gray.shape
    padded = np.pad(gray, 1, mode="edge")
    code = np.zeros((rows, columns), dtype=np.uint8)
    differences = np.zeros((rows, columns), dtype=np.float32)
    for bit, (down, across) in enumerate(_RING):
        difference = padded[1 + down : 1 + down + rows, 1 + across : 1 + across + columns] - gray
        code |= (difference >= 0).astype(np.uint8) << np.uint8(bit)
        differences += np.abs(difference)
    patterns = np.bincount(_CLASS_OF[code.ravel()], minlength=CODES)
    contrast = np.searchsorted(np.array(CONTRASTS), differences.ravel() / 8)
    return np.concatenate([patterns, np.bincount(contrast, minlength=len(CONTRASTS) + 1)]) / gray.size
