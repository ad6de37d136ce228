"""What lies outside the body: background, markers, labels and frames around the largest thing in the picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from auditor.view import SQUARE_SIDE, View

VERSION = 3

_QUARTERS = ("top_left", "top_right", "bottom_left", "bottom_right")
COLUMNS: tuple[str, ...] = (
    "area_fraction", "mean", "sd", "marked_fraction",
    *(f"mean_{quarter}" for quarter in _QUARTERS), *(f"marked_fraction_{quarter}" for quarter in _QUARTERS),
)  # fmt: skip
"""`area_fraction` (0 where there is no outside) tells the body's size; the rest what is outside it, NaN where nothing is:
`mean` and `sd` of its brightness, `marked_fraction` the share that differs from the background by more than a tenth."""

LEAST, MOST = 0.05, 0.90
"""Share of the picture that an outside takes; less is a margin, more leaves no body."""
BORDER_SHARE = 0.5
MARGIN = 3
MARKED = 0.1
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (12,). The outside is found on a small square: see `outside_of`."""
    gray = view.square
    outside = outside_of(gray)
    found = np.full(len(COLUMNS), np.nan, dtype=np.float32)
    if outside is None:
        found[0] = 0.0
        return found
    values = gray[outside]
    middle = np.partition(values, len(values) // 2)[len(values) // 2]
    marked = np.abs(gray - middle) > MARKED
    found[:4] = _share(outside), values.mean(), values.std(), _share(marked[outside])
    half = SQUARE_SIDE // 2
    for number, (rows, columns) in enumerate(
        (rows, columns) for rows in (slice(None, half), slice(half, None)) for columns in (slice(None, half), slice(half, None))
    ):
        here = outside[rows, columns]
        if np.count_nonzero(here) >= 16:
            found[4 + number] = gray[rows, columns][here].mean()
            found[8 + number] = _share(marked[rows, columns][here])
    return found


def outside_of(gray: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_] | None:
    """Everything but the largest object, its holes and a margin of 3 pixels; None where no body stands out.

    Otsu's threshold (1979, IEEE SMC 9:62) parts dark from bright; the side that holds most of the edge of the picture is
    background, so X-rays and skin both work. Objects beside the largest one (a side marker, a ruler) are outside.
    """
    if float(gray.max() - gray.min()) < 0.05:
        return None
    dark = gray <= _otsu(gray)
    edge = np.concatenate([dark[0], dark[-1], dark[1:-1, 0], dark[1:-1, -1]])
    share = _share(edge)
    if max(share, 1 - share) < BORDER_SHARE + 0.1:
        return None
    thing = ~dark if share > BORDER_SHARE else dark
    count, pieces, numbers, _ = cv2.connectedComponentsWithStats(thing.view(np.uint8), connectivity=4)
    if count == 1:
        return None
    largest = pieces == 1 + int(np.argmax(numbers[1:, cv2.CC_STAT_AREA]))
    # Holes of the body: pieces of what is not body that do not reach the edge.
    pieces_of_rest, rest = cv2.connectedComponents((~largest).view(np.uint8), connectivity=4)
    reaching = np.zeros(pieces_of_rest, np.bool_)
    for line in (rest[0], rest[-1], rest[:, 0], rest[:, -1]):
        reaching[line] = True
    reaching[0] = False
    body = (~reaching[rest]).view(np.uint8)
    outside: npt.NDArray[np.bool_] = cv2.dilate(body, _CROSS, iterations=MARGIN) == 0
    return outside if LEAST <= _share(outside) <= MOST else None


def _share(marks: npt.NDArray[np.bool_]) -> float:
    """How many are True, of all; a tenth of the time of `mean`."""
    return np.count_nonzero(marks) / marks.size


def _otsu(gray: npt.NDArray[np.float32]) -> float:
    """The threshold that parts the histogram best, 0–1."""
    bins = 64
    codes = np.minimum(gray * np.float32(bins), np.float32(bins - 1)).astype(np.uint8)
    counts = cv2.calcHist([codes], [0], None, [bins], [0, bins]).ravel().astype(np.float64)
    level = np.arange(bins)
    below, sums = np.cumsum(counts), np.cumsum(counts * level)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    between[np.isnan(between)] = 0.0  # nothing lies on one side
    return (float(np.argmax(between)) + 1) / bins
