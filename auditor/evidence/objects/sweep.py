"""Pairs of objects of one image that lie near each other, found without looking at every two: as few looks as the places allow,
and never more than some seconds of them, whatever a stranger has put on one spot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

BLOCK = 250_000
"""So many pairs are looked at at once."""
MOST_PAIRS = 250_000
"""No block of pairs is begun after so many were found: a table of those of 1.4 million took 0.8 GB."""
MOST_LOOKS = 100_000_000
"""So many pairs are looked at in all: some seconds of computing."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pairs of one image, in the order of the images and of their members.

    Args:
        first, second: positions, `first` before `second`; `value`: what was measured of them.
        left: objects that were not compared with all that lie near, because too much lies on one spot.
    """

    first: Positions
    second: Positions
    value: Doubles
    left: int


def near_pairs(
    images: Positions, begins: Doubles, reaches: Doubles, measure: Callable[[Positions, Positions], Doubles], least: float
) -> Pairs:
    """Pairs whose measure is `least` or more; images in which few lie near come first.

    Args:
        images: number of the image per object.
        begins: where it begins on either axis, shape (objects, 2).
        reaches: no partner that begins behind it begins farther than here, on either axis.
        measure: of positions of the one and of the other.
    """
    order = np.argsort(images, kind="stable")
    starts = np.flatnonzero(np.diff(images[order], prepend=-1))
    swept = [_swept(order[start:end], begins, reaches) for start, end in zip(starts, [*starts[1:], len(order)], strict=True)]
    swept.sort(key=lambda one: int(one[1].sum()))
    found: list[tuple[Positions, Positions, Doubles]] = []
    pairs, looked, left = 0, 0, 0
    for rows, ahead in swept:
        ends, begin = np.cumsum(ahead), 0
        while begin < len(rows) and pairs < MOST_PAIRS and looked < MOST_LOOKS:
            done = ends[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, done + BLOCK, "right")))
            a, b = _next_ones(rows, ahead, begin, end)
            value = measure(a, b)
            enough = value >= least
            found.append((np.minimum(a, b)[enough], np.maximum(a, b)[enough], value[enough]))
            pairs, looked, begin = pairs + int(enough.sum()), looked + len(a), end
        left += int((ahead[begin:] > 0).sum())
    nothing = np.empty(0, dtype=np.int64)
    first, second, value = (
        (np.concatenate([part[k] for part in found]) for k in range(3)) if found else (nothing, nothing, np.empty(0))
    )
    told = np.lexsort((second, first, images[first]))
    return Pairs(first=first[told], second=second[told], value=value[told], left=left)


def _swept(rows: Positions, begins: Doubles, reaches: Doubles) -> tuple[Positions, Positions]:
    """The objects of one image in the order in which they begin, along the axis where fewer lie near, and how many of the next
    ones each may be near.
    """
    choices = []
    for axis in (0, 1):
        sorted_rows = rows[np.argsort(begins[rows, axis], kind="stable")]
        ahead = np.searchsorted(begins[sorted_rows, axis], reaches[sorted_rows, axis], "right")
        choices.append((sorted_rows, np.maximum(ahead - np.arange(1, len(rows) + 1), 0)))
    return min(choices, key=lambda one: int(one[1].sum()))


def _next_ones(rows: Positions, ahead: Positions, begin: int, end: int) -> tuple[Positions, Positions]:
    """Each of `rows[begin:end]` beside each of the `ahead` ones behind it."""
    counts = ahead[begin:end]
    place = np.repeat(np.arange(begin, end), counts)
    step = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows[place], rows[place + 1 + step]
