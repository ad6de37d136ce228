"""An outline as it was read and before it is drawn: corners of polygons, or run lengths, packed into a few bytes each.

Whoever reads a document packs (`polygons`, `runs`, `unread`), whoever draws unpacks (`unpacked`). Both are in bounded workers;
what lies between them holds no picture.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.containers.run_lengths import Counts, columns_of

Ring = npt.NDArray[np.float64]
"""Corners of one polygon, shape (corners, 2): x to the right and y down, in pixels; (0, 0) is the upper left corner of the
first pixel, (½, ½) its middle."""
MOST_CORNERS = 200_000
"""Of one object. A tumour on a whole slide has some ten thousand."""
LEAST_CORNERS = 3
FEW = "fewer than three corners"
MANY = f"more than {MOST_CORNERS:,} corners"
NO_NUMBERS = "corners that are no finite numbers"
_POLYGONS, _RUNS, _UNREAD = b"P", b"R", b"!"
_PLACE = struct.Struct("<4i?")


@dataclass(frozen=True, kw_only=True)
class Runs:
    """An object of run lengths down the columns of a box; `whole`: the box is to be the picture."""

    left: int
    top: int
    height: int
    width: int
    counts: Counts
    whole: bool = True


Outline = tuple[Ring, ...] | Runs | str
"""Polygons (their union is the object), run lengths, or why there is no outline, in words."""


def polygons(rings: Sequence[Any]) -> bytes:
    """Pack polygons, each a list of pairs or of x, y, x, y, …; what is none is packed as `unread`."""
    packed: list[npt.NDArray[np.float32]] = []
    corners = 0
    for ring in rings:
        try:
            numbers = np.asarray(ring, np.float64).ravel()
        except (TypeError, ValueError, OverflowError):
            return unread(NO_NUMBERS)
        if len(numbers) % 2:
            return unread("corners that are no pairs")
        if len(numbers) < 2 * LEAST_CORNERS:
            return unread(FEW)
        corners += len(numbers) // 2
        if corners > MOST_CORNERS:
            return unread(MANY)
        with np.errstate(over="ignore"):
            small = numbers.astype(np.float32)
        if not np.isfinite(small).all():
            return unread(NO_NUMBERS)
        packed.append(small)
    if not packed:
        return unread(FEW)
    sizes = np.array([len(packed), *(len(ring) // 2 for ring in packed)], np.uint32)
    return _POLYGONS + sizes.tobytes() + b"".join(ring.tobytes() for ring in packed)


def runs(found: Runs) -> bytes:
    """Pack run lengths."""
    numbers = (found.left, found.top, found.height, found.width)
    if not all(-(1 << 31) <= number < 1 << 31 for number in numbers):
        return unread("a place beyond any picture")
    return _RUNS + _PLACE.pack(*numbers, found.whole) + found.counts.tobytes()


def unread(why: str) -> bytes:
    """Pack the reason why there is no outline: words of ours, none of the file."""
    return _UNREAD + why.encode()


def unpacked(packed: bytes) -> Outline:
    """What was packed."""
    kind, rest = packed[:1], packed[1:]
    if kind == _RUNS:
        left, top, height, width, whole = _PLACE.unpack_from(rest)
        counts = np.frombuffer(rest, np.uint32, offset=_PLACE.size)
        return Runs(left=left, top=top, height=height, width=width, counts=counts, whole=whole)
    if kind == _POLYGONS:
        (many,) = np.frombuffer(rest, np.uint32, count=1).tolist()
        sizes = np.frombuffer(rest, np.uint32, count=many, offset=4).tolist()
        numbers = np.frombuffer(rest, np.float32, offset=4 * (many + 1)).astype(np.float64).reshape(-1, 2)
        return tuple(np.split(numbers, np.cumsum(sizes)[:-1]))
    return rest.decode()


def bounds(packed: bytes) -> tuple[float, float, float, float] | None:
    """x, y, width and height of the box around an outline; None where there is none, or nothing in it."""
    found = unpacked(packed)
    if isinstance(found, str):
        return None
    if isinstance(found, Runs):
        part = columns_of(found.counts, found.height, found.width)
        if part is None or not part[1].any():
            return None
        rows = np.flatnonzero(part[1].any(axis=1))
        wide = part[1].shape[1]
        return float(found.left + part[0]), float(found.top + rows[0]), float(wide), float(rows[-1] - rows[0] + 1)
    corners = np.concatenate(found)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])
