"""An outline as it was read and before it is drawn: corners of polygons, or run lengths, packed into a few bytes each.

Whoever reads a document packs (`polygons`, `runs`, `unread`), whoever draws unpacks (`unpacked`). Both are in bounded workers;
what lies between them holds no picture.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.containers.run_lengths import Counts, columns_of, counts_of_numbers, counts_of_text

Ring = npt.NDArray[np.float64]
"""Corners of one polygon, shape (corners, 2): x to the right and y down, in pixels; (0, 0) is the upper left corner of the
first pixel, (½, ½) its middle."""
MOST_CORNERS = 200_000
"""Of one object. A tumour on a whole slide has some ten thousand."""
LEAST_CORNERS = 3
FEW = "fewer than three corners"
MANY = f"more than {MOST_CORNERS:,} corners"
NO_NUMBERS = "corners that are no finite numbers"
_POLYGONS, _RUNS, _UNREAD, _TEXT = b"P", b"R", b"!", b"T"
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


def of_segmentation(said: object) -> bytes:
    """Pack what COCO says of an object: polygons, or run lengths as text or numbers; empty where it says nothing.

    Run lengths may be of a part of their picture, whose place is `left`, `top` (ours, in tables of boxes).
    """
    if not said:
        return b""
    if isinstance(said, list):
        return polygons(said if isinstance(said[0], list) else [said])
    size, counts = (said.get("size"), said.get("counts")) if isinstance(said, dict) else (None, None)
    if not isinstance(said, dict) or not isinstance(size, list) or len(size) != 2 or not all(map(_is_side, size)):
        return unread("run lengths without the size of their picture")
    found = counts_of_text(counts) if isinstance(counts, str) else None
    if isinstance(counts, list):
        found = counts_of_numbers(counts)
    if found is None or not len(found):
        return unread("run lengths that are none")
    left, top = (said.get(name, 0) for name in ("left", "top"))
    if not all(isinstance(place, int) for place in (left, top)):
        return unread("run lengths at no place")
    whole = "left" not in said and "top" not in said
    return runs(Runs(left=left, top=top, height=int(size[0]), width=int(size[1]), counts=found, whole=whole))


def text(said: str) -> bytes:
    """Pack the JSON of COCO's `segmentation` as it stands; whoever unpacks it reads it."""
    return _TEXT + said.encode() if said else b""


def as_segmentation(packed: bytes) -> str:
    """The JSON of COCO's `segmentation` of an outline; of one that is none, a polygon without corners."""
    if packed[:1] == _TEXT:
        return packed[1:].decode()
    found = unpacked(packed)
    if isinstance(found, str):
        return "[[]]"
    if isinstance(found, Runs):
        place = {} if found.whole else {"left": found.left, "top": found.top}
        said = {"size": [found.height, found.width], **place, "counts": found.counts.tolist()}
        return json.dumps(said, separators=(",", ":"))
    rings = (ring.ravel().astype(np.float32) for ring in found)
    texts = (",".join(np.format_float_positional(number, trim="-") for number in ring) for ring in rings)
    return "[" + ",".join(f"[{ring}]" for ring in texts) + "]"


def _is_side(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31


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
    if kind == _TEXT:
        return unpacked(_of_text(rest) or unread("a segmentation that is none"))
    return rest.decode()


def _of_text(content: bytes) -> bytes:
    try:
        return of_segmentation(json.loads(content))
    except (ValueError, RecursionError):
        return unread("a segmentation that is no JSON")


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
