"""Signs of text that was burned into the picture: rows of small, thin, evenly bright shapes, in the outer part of it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from auditor.resample import resize
from auditor.view import View

VERSION = 3

COLUMNS: tuple[str, ...] = ("letters", "line_letters", "level_sd")
"""`line_letters`: the most shapes of the size and build of a letter that stand in one row with even heights and gaps, 0 where
fewer than `FEWEST` are near each other; `letters`: such shapes in and near that row; `level_sd`: how much their brightness
differs, NaN without letters."""

OUTER = 0.3
"""Text about the patient stands in this share of the picture at each edge; the middle is anatomy."""
CONTRAST = 63
"""Of 255, against what surrounds it."""
AROUND = 25
"""Side of what surrounds a pixel."""
COARSER = 4
FEWEST = 5
"""Fewer letters are no row: ribs and vessels cross a line three times, too."""
BURNED = 9
"""A row of so many letters is text that was burned in (PH004): its thumbnail is veiled."""
LEAST, MOST = 4, 40
"""Height of a letter in pixels of the view (longest side 512)."""
MANY = 4000


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (3,). Bright letters on dark ground and dark ones on bright ground are both looked for; the better row counts."""
    fine = view.fine
    if min(fine.shape) < 64 or int(fine.max()) - int(fine.min()) < CONTRAST:
        return np.array([0, 0, np.nan], np.float32)
    ground = _ground(view)
    best = (0, 0, float("nan"))
    for difference in (cv2.subtract(fine, ground), cv2.subtract(ground, fine)):
        mask = _outer(cv2.threshold(difference, CONTRAST, 1, cv2.THRESH_BINARY)[1])
        if cv2.countNonZero(mask) < FEWEST * LEAST:  # fewer pixels than the fewest letters have
            continue
        for rows in _crossed(mask):
            found = _letters(mask[rows], fine[rows])
            if found[1] > best[1]:
                best = found
    return np.array(best, np.float32)


def _ground(view: View) -> npt.NDArray[np.uint8]:
    """The mean of what surrounds each pixel. It is smooth: a quarter of the resolution gives as good a one as all of it."""
    fine = view.fine
    if max(fine.shape) < 4 * AROUND:
        return np.asarray(cv2.blur(fine, (AROUND, AROUND), borderType=cv2.BORDER_REPLICATE))
    rows, columns = (-(-side // COARSER) for side in fine.shape)
    part = AROUND // COARSER + 1 | 1
    coarse = cv2.blur(resize(view.gray, rows, columns), (part, part), borderType=cv2.BORDER_REPLICATE)
    bytes_ = cv2.convertScaleAbs(coarse, alpha=255)
    return np.asarray(cv2.resize(bytes_, fine.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _outer(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    down, across = (int(OUTER * side) for side in mask.shape)
    mask[down : mask.shape[0] - down, across : mask.shape[1] - across] = 0
    return mask


def _crossed(mask: npt.NDArray[np.uint8]) -> list[slice]:
    """Bands of rows around the lines that cross as many shapes as a row of letters has.

    Every line between the tops and the baseline of a row of letters crosses all of them, so without one there is no row.
    """
    marked = np.flatnonzero(mask.any(axis=1))
    if len(marked) < LEAST:
        return []
    part = mask[marked]
    starts = np.count_nonzero(part[:, 1:] > part[:, :-1], axis=1) + part[:, 0]
    lines = marked[starts >= FEWEST]
    if len(lines) < 2:
        return []
    groups = np.split(lines, np.flatnonzero(np.diff(lines) > 2 * MOST) + 1)
    return [slice(max(0, int(group[0]) - MOST), int(group[-1]) + MOST + 1) for group in groups]


def _letters(mask: npt.NDArray[np.uint8], fine: npt.NDArray[np.uint8]) -> tuple[int, int, float]:
    count, pieces, numbers, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if not FEWEST < count <= MANY + 1:
        return 0, 0, float("nan")
    left, top, width, height, areas = numbers[1:].T.astype(np.int64)
    fill = areas / (height * width)
    right_size = (height >= LEAST) & (height <= MOST) & (width >= 1) & (width <= 1.6 * height) & (areas >= 4)
    kept = np.flatnonzero(right_size & (fill > 0.15) & ((fill < 0.85) | (width <= 0.4 * height)))
    if len(kept) < FEWEST:
        return len(kept), 0, float("nan")
    marked = mask.ravel().view(np.bool_)
    levels = np.bincount(pieces.ravel()[marked], fine.ravel()[marked], minlength=count)[1:][kept] / (255 * areas[kept])
    row = _longest_row(top[kept] + height[kept], height[kept], left[kept], width[kept], levels)
    return len(kept), len(row), float(np.std(levels[row])) if len(row) else float("nan")


def _longest_row(
    bottom: npt.NDArray[np.int64],
    height: npt.NDArray[np.int64],
    left: npt.NDArray[np.int64],
    width: npt.NDArray[np.int64],
    levels: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """Places of the letters of the longest row: baselines, heights and brightness alike, gaps no wider than two letters."""
    best = np.empty(0, np.int64)
    first = np.argsort(-height, kind="stable")[:200]
    tall = height[first, None]
    alike = (np.abs(bottom - bottom[first, None]) <= np.maximum(1.0, 0.2 * tall)) & (height >= 0.6 * tall) & (height <= tall)
    alike &= np.abs(levels - levels[first, None]) < 0.15
    for i, count, candidates in zip(first, np.count_nonzero(alike, axis=1).tolist(), alike, strict=True):
        if count <= len(best):
            continue
        row = np.flatnonzero(candidates)
        row = row[np.argsort(left[row], kind="stable")]
        gaps = left[row][1:] - (left[row] + width[row])[:-1]
        near = (gaps >= 0) & (gaps <= 2.0 * height[i])
        runs = np.split(row, np.flatnonzero(~near) + 1)
        longest = max(runs, key=len)
        if len(longest) > len(best):
            best = longest
    return best
