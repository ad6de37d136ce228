"""Of an image of several pages, frames or slices: how many show nothing, and where. Every page that was decoded is looked at.

All else is measured of the middle one; so a page without content inside a stack would be seen by nobody. The first and last
slices of a volume are air by right, and so are those where one volume of a series ends and the next begins. An item of an npz
or HDF5 file that is a volume (slices, height, width) reads as one frame of many channels; its slices are the pages.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.view import View

VERSION = 2
COLUMNS: tuple[str, ...] = ("count", "blank", "inside", "first", "middle", "drawn")
"""`count`: pages; `blank`: those of one value (or colour) everywhere; `inside`: those between pages with content; `first`: the
number of the first of these, from 1 (NaN = none); `middle`: 1 where the page that is measured is blank and others are not;
`drawn`: 1 where the pages hold so few values that they look drawn, as a volume of labels does (looked at only where a page is
blank)."""

SIDE = 16
"""A page whose sample on so many rows and columns varies is not blank; only the others are looked at whole."""
FEW_VALUES = 16
MOST_CHANNELS = 15
"""One frame of more channels than these is a volume."""
DRAWN_SIDE = 64


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (6,)."""
    array = view.pixels.array
    is_item = len(array) == 1 and array.ndim == 4 and array.shape[3] > MOST_CHANNELS
    pages = array[0] if is_item else array
    blank = blank_pages(pages)
    inside = np.flatnonzero(holes(blank, int(view.header.facts.get("frames_per_slice") or 1)))
    # of an item the mean of all slices is measured, and not the middle one
    middle = not is_item and bool(blank[len(blank) // 2]) and not blank.all()
    drawn = bool(len(inside) or middle) and _is_drawn(pages[~blank])
    first = float(inside[0] + 1) if len(inside) else float("nan")
    return np.array([len(blank), blank.sum(), len(inside), first, middle, drawn], np.float32)


def blank_pages(pages: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Shape (pages,): every pixel is like the first, or none is a number. Takes (pages, height, width[, channels])."""
    down, across = (max(1, side // SIDE) for side in pages.shape[1:3])
    blank = _are_flat(pages[:, ::down, ::across])
    for index in np.flatnonzero(blank):
        blank[index] = _are_flat(pages[index : index + 1])[0]
    return blank


def _are_flat(pages: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    rest = tuple(range(1, pages.ndim))
    flat = (pages == pages[:, :1, :1]).all(axis=rest)
    if pages.dtype.kind == "f":
        flat |= ~np.isfinite(pages).any(axis=rest)
    return np.asarray(flat, np.bool_)


def holes(blank: npt.NDArray[np.bool_], times: int = 1) -> npt.NDArray[np.bool_]:
    """Blank pages that count, shape (pages,).

    Where a series of `times` volumes is stored slice by slice, each may have its own air at its ends, and a volume of nothing
    between others is lost.
    """
    if times < 2 or len(blank) % times:
        return inner(blank)
    by_time = blank.reshape(-1, times)
    found = np.stack([inner(volume) for volume in by_time.T], axis=1)
    found[:, inner(np.asarray(by_time.all(axis=0), np.bool_))] = True
    return found.reshape(-1)


def inner(blank: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Blank pages between pages with content; none where all of them lie where volumes of one length meet."""
    content = np.flatnonzero(~blank)
    found = np.zeros(len(blank), np.bool_)
    if len(content):
        found[content[0] : content[-1]] = blank[content[0] : content[-1]]
    return np.zeros_like(found) if _between_volumes(blank, found) else found


def _between_volumes(blank: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]) -> bool:
    """The stack is several volumes of equal length, each with the air that the whole one has at its ends."""
    total = len(blank)
    if not found.any() or not (blank[0] or blank[-1]):
        return False
    periods = (total // parts for parts in range(2, total // 2 + 1) if total % parts == 0)
    return any(
        bool((blank.reshape(-1, period) == blank[:period]).all()) and not inner(blank[:period]).any() for period in periods
    )


def _is_drawn(pages: npt.NDArray[np.generic]) -> bool:
    """The pages with content hold few values, in a sample of each."""
    down, across = (max(1, side // DRAWN_SIDE) for side in pages.shape[1:3])
    return len(np.unique(pages[:, ::down, ::across])) <= FEW_VALUES
