"""Run lengths of an object in a picture, as COCO writes them: how many pixels are background, object, background, and so on.

COCO goes down the columns and writes the counts as numbers or as a text of six bits a character, five of them of the number,
the least first, each count from the third on less the one two before it. Source: cocodataset/cocoapi, `common/maskApi.c`
(`rleToString`, `rleFrString`), BSD-2-Clause; written anew here, and held against pycocotools by the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.uint32]
MOST_RUNS = 4_000_000
"""Of one object: a picture of 4,000 × 4,000 in which every other row is object has as many down each column."""
MOST_PIXELS = 256_000_000
"""Of a picture that run lengths are of."""
_MOST = 0xFFFFFFFF


def counts_of_text(text: str) -> Counts | None:
    """The counts of COCO's compressed text; None where it is none."""
    if len(text) > 8 * MOST_RUNS:
        return None
    found: list[int] = []
    value = place = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or place > 35:
            return None
        value |= (bits & 31) << place
        place += 5
        if bits & 32:
            continue
        if bits & 16:  # the sign goes on to the left
            value -= 1 << place
        if len(found) > 2:
            value += found[-2]
        if not 0 <= value <= _MOST:
            return None
        found.append(value)
        value = place = 0
    return None if place or len(found) > MOST_RUNS else np.array(found, np.uint32)


def counts_of_numbers(numbers: Sequence[Any]) -> Counts | None:
    """Counts that are written as numbers; None where one is no whole number from 0 on."""
    if len(numbers) > MOST_RUNS:
        return None
    for one in numbers:
        if isinstance(one, bool) or not isinstance(one, int) or not 0 <= one <= _MOST:
            return None
    return np.array(numbers, np.uint32)


def counts_of_array(mask: npt.NDArray[np.bool_]) -> Counts:
    """The counts of a mask, shape (height, width), down its columns."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat.astype(np.int8), prepend=0))  # an object in the first pixel: no background before it
    return np.diff(np.concatenate([[0], edges, [flat.size]])).astype(np.uint32)


def mask_of(counts: Counts, height: int, width: int, *, by_rows: bool = False) -> npt.NDArray[np.bool_] | None:
    """The mask that counts tell of, shape (height, width); None where they do not add up to its pixels, or these
    are more than `MOST_PIXELS`.

    Args:
        by_rows: the runs go along the rows (CVAT), not down the columns.
    """
    if not _adds_up(counts, height, width):
        return None
    values = np.arange(len(counts)) % 2 == 1
    flat = np.repeat(values, counts)
    return flat.reshape(height, width) if by_rows else flat.reshape(width, height).T


def columns_of(counts: Counts, height: int, width: int) -> tuple[int, npt.NDArray[np.bool_]] | None:
    """The first column that holds a pixel of the object, and the mask from there to the last; None as in `mask_of`.

    What lies left and right of it is never unfolded, so that many small objects of a large picture cost what they are.
    """
    if not _adds_up(counts, height, width):
        return None
    ends = np.cumsum(counts, dtype=np.int64)
    filled = np.flatnonzero(counts[1::2]) * 2 + 1
    if not len(filled):
        return 0, np.zeros((height, 0), bool)
    left = int(ends[filled[0] - 1]) // height
    right = (int(ends[filled[-1]]) - 1) // height
    start, stop = left * height, (right + 1) * height
    begins = np.clip(np.concatenate([[0], ends[:-1]]), start, stop)
    lengths = np.clip(ends, start, stop) - begins
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, lengths)
    return left, flat.reshape(right - left + 1, height).T


def _adds_up(counts: Counts, height: int, width: int) -> bool:
    return height > 0 and 0 < width <= MOST_PIXELS // height and int(counts.sum(dtype=np.uint64)) == height * width
