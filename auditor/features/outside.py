"""What lies outside the body: background, markers, labels and frames around the largest thing in the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from auditor.feature import View
from auditor.resample import resize

VERSION = 1

_QUARTERS = ("top_left", "top_right", "bottom_left", "bottom_right")
COLUMNS: tuple[str, ...] = (
    "area_fraction", "mean", "sd", "marked_fraction",
    *(f"mean_{quarter}" for quarter in _QUARTERS), *(f"marked_fraction_{quarter}" for quarter in _QUARTERS),
)  # fmt: skip
"""`area_fraction` (0 where there is no outside) tells the body's size; the rest what is outside it, NaN where nothing is:
`mean` and `sd` of its brightness, `marked_fraction` the share that differs from the background by more than a tenth."""

SIDE = 96
LEAST, MOST = 0.05, 0.90
"""Share of the picture that an outside takes; less is a margin, more leaves no body."""
BORDER_SHARE = 0.5
MARGIN = 3
MARKED = 0.1
_CROSS = ndimage.generate_binary_structure(2, 1)


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (12,). The outside is found on 96 × 96: see `outside_of`."""
    gray = resize(view.gray, SIDE, SIDE)
    outside = outside_of(gray)
    found = np.full(len(COLUMNS), np.nan, dtype=np.float32)
    if outside is None:
        found[0] = 0.0
        return found
    values = gray[outside]
    marked = np.abs(gray - np.median(values)) > MARKED
    found[:4] = outside.mean(), values.mean(), values.std(), marked[outside].mean()
    half = SIDE // 2
    for number, (rows, columns) in enumerate(
        (rows, columns) for rows in (slice(None, half), slice(half, None)) for columns in (slice(None, half), slice(half, None))
    ):
        here = outside[rows, columns]
        if here.sum() >= 16:
            found[4 + number] = gray[rows, columns][here].mean()
            found[8 + number] = marked[rows, columns][here].mean()
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
    share = float(edge.mean())
    if max(share, 1 - share) < BORDER_SHARE + 0.1:
        return None
    thing = ~dark if share > BORDER_SHARE else dark
    pieces, count = ndimage.label(thing, structure=_CROSS)
    if count == 0:
        return None
    largest = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel(), minlength=count + 1)[1:]))
    # Holes of the body: pieces of what is not body that do not reach the edge.
    rest, _ = ndimage.label(~largest, structure=_CROSS)
    reaching = np.unique(np.concatenate([rest[0], rest[-1], rest[:, 0], rest[:, -1]]))
    open_ground = np.isin(rest, reaching[reaching > 0])
    outside = ~ndimage.binary_dilation(~open_ground, structure=_CROSS, iterations=MARGIN)
    return outside if LEAST <= float(outside.mean()) <= MOST else None


def _otsu(gray: npt.NDArray[np.float32]) -> float:
    """The threshold that parts the histogram best, 0–1."""
    bins = 64
    counts = np.bincount(np.clip(gray * bins, 0, bins - 1).astype(np.int64).ravel(), minlength=bins).astype(np.float64)
    level = np.arange(bins)
    below, sums = np.cumsum(counts), np.cumsum(counts * level)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return (float(np.argmax(np.nan_to_num(between))) + 1) / bins
