"""Signs of text that was burned into the picture: rows of small, thin, evenly bright shapes, in the outer part of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from auditor.feature import View

VERSION = 1

COLUMNS: tuple[str, ...] = ("letters", "line_letters", "level_sd")
"""`letters`: shapes of the size and build of a letter on a plain ground; `line_letters`: the most of them that stand in one
row with even heights and gaps; `level_sd`: how much their brightness differs, NaN without letters."""

OUTER = 0.3
"""Text about the patient stands in this share of the picture at each edge; the middle is anatomy."""
CONTRAST = 0.25
LEAST, MOST = 4, 40
"""Height of a letter in pixels of the view (longest side 512)."""
MANY = 4000


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (3,). Bright letters on dark ground and dark ones on bright ground are both looked for; the better row counts."""
    gray = view.gray
    if min(gray.shape) < 64 or float(gray.max() - gray.min()) < CONTRAST:
        return np.array([0, 0, np.nan], np.float32)
    best = (0, 0, float("nan"))
    ground = ndimage.uniform_filter(gray, 25, mode="nearest")
    for sign in (1, -1):
        found = _letters((sign * (gray - ground) > CONTRAST) & _outer(gray.shape), gray)
        if found[1] > best[1]:
            best = found
    return np.array(best, np.float32)


def _outer(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    mask = np.ones(shape, np.bool_)
    down, across = (int(OUTER * side) for side in shape)
    mask[down : shape[0] - down, across : shape[1] - across] = False
    return mask


def _letters(mask: npt.NDArray[np.bool_], gray: npt.NDArray[np.float32]) -> tuple[int, int, float]:
    pieces, count = ndimage.label(mask, structure=np.ones((3, 3), bool))
    if not 3 <= count <= MANY:
        return 0, 0, float("nan")
    areas = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    slices = ndimage.find_objects(pieces)
    top = np.array([s[0].start for s in slices])
    height = np.array([s[0].stop for s in slices]) - top
    left = np.array([s[1].start for s in slices])
    width = np.array([s[1].stop for s in slices]) - left
    fill = areas / (height * width)
    right_size = (height >= LEAST) & (height <= MOST) & (width >= 1) & (width <= 1.6 * height) & (areas >= 4)
    kept = np.flatnonzero(right_size & (fill > 0.15) & ((fill < 0.85) | (width <= 0.4 * height)))
    if len(kept) < 3:
        return len(kept), 0, float("nan")
    levels = ndimage.mean(gray, pieces, kept + 1)
    row = _longest_row(top[kept] + height[kept], height[kept], left[kept], width[kept], np.asarray(levels))
    return len(kept), len(row), float(np.std(np.asarray(levels)[row])) if len(row) else float("nan")


def _longest_row(
    bottom: npt.NDArray[np.int64],
    height: npt.NDArray[np.int64],
    left: npt.NDArray[np.int64],
    width: npt.NDArray[np.int64],
    levels: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """Places of the letters of the longest row: baselines, heights and brightness alike, gaps no wider than two letters."""
    best = np.empty(0, np.int64)
    for i in np.argsort(-height, kind="stable")[:200]:
        alike = (np.abs(bottom - bottom[i]) <= max(1.0, 0.2 * height[i])) & (height >= 0.6 * height[i]) & (height <= height[i])
        alike &= np.abs(levels - levels[i]) < 0.15
        row = np.flatnonzero(alike)
        if len(row) <= len(best):
            continue
        row = row[np.argsort(left[row], kind="stable")]
        gaps = left[row][1:] - (left[row] + width[row])[:-1]
        near = (gaps >= 0) & (gaps <= 2.0 * height[i])
        runs = np.split(row, np.flatnonzero(~near) + 1)
        longest = max(runs, key=len)
        if len(longest) > len(best):
            best = longest
    return best
