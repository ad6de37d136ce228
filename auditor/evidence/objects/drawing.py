"""Draws the outlines of some pictures, one picture at a time, and says what was drawn; inside bounded workers alone.

No drawing leaves the worker: a picture of outlines becomes the same few numbers as a mask that lies in a file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from auditor.containers.outline import unpacked
from auditor.evidence.masks.mask_facts import mask_numbers
from auditor.evidence.masks.outlines import packed_outlines
from auditor.evidence.objects.boxes import overlapping_pairs
from auditor.evidence.objects.raster import Drawn, drawn
from auditor.values.drawings import NOT_DRAWN, OUTLINES, Sheet, Sketch
from auditor.values.image import Header, Limits, Pixels

MOST_PIXELS = 64_000_000
"""Of a picture that is drawn into: 8,000 × 8,000."""
MOST_HELD = 256_000_000
"""Pixels of single objects of one picture that are held to be compared with each other."""
MOST_PAIRS = 20_000
"""Of objects of one picture that are compared."""
LEAST_SHARED = 0.5
"""Objects whose extents share less (intersection over union) are not compared pixel by pixel."""


def draw(limits: Limits, sheets: Sequence[Sheet]) -> list[Sketch]:
    """Draw some pictures; called inside a bounded worker."""
    return [_sketch(sheet, limits) for sheet in sheets]


def _sketch(sheet: Sheet, limits: Limits) -> Sketch:
    size = sheet.height, sheet.width
    known = min(size) > 0
    most = min(MOST_PIXELS, limits.pixels)
    if not known or sheet.height * sheet.width > most:
        why = f"the picture has more than {most:,} pixels" if known else "the size of its picture is not known"
        found = [unpacked(outline) for _, outline in sheet.objects]
        problems = tuple(one if isinstance(one, str) else NOT_DRAWN + why for one in found)
        return Sketch(problems=problems, facts=np.full((len(found), 9), np.nan), pairs=np.empty((0, 3)))
    most_value = max((value for value, _ in sheet.objects), default=0)
    canvas = np.zeros(size, np.uint8 if most_value < 256 else np.uint16)
    problems_of: list[str] = []
    facts = np.full((len(sheet.objects), 9), np.nan)
    held: dict[int, Drawn] = {}
    room = MOST_HELD
    for place, (value, outline) in enumerate(sheet.objects):
        one = drawn(unpacked(outline), *size)
        problems_of.append(one if isinstance(one, str) else "")
        if isinstance(one, str):
            continue
        pixels = int(one.mask.sum())
        x0, y0, x1, y1 = one.extent
        outside = max(-x0, -y0, x1 - sheet.width, y1 - sheet.height, 0.0)
        facts[place] = one.corners, one.area, pixels, one.crossed, outside, x0, y0, x1, y1
        if pixels:
            part = canvas[one.top : one.top + one.mask.shape[0], one.left : one.left + one.mask.shape[1]]
            part[one.mask] = value
            room -= one.mask.size
            if room >= 0:
                held[place] = one
    whole = not any(problems_of) and bool(problems_of)
    pairs, crowded = _pairs(held, facts)
    crowded += int((facts[:, 2] > 0).sum()) - len(held)
    return Sketch(
        problems=tuple(problems_of), facts=facts, pairs=pairs, crowded=crowded,
        numbers=mask_numbers(Header(format=OUTLINES, shape=size), Pixels(array=canvas[None])) if whole else None,
        lines=packed_outlines(canvas) if whole and canvas.any() and canvas.min() != canvas.max() else b"",
    )  # fmt: skip


def _pairs(held: dict[int, Drawn], facts: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], int]:
    """Objects that cover each other, and how many were not compared with all others."""
    places = np.array(sorted(held), np.int64)
    if len(places) < 2:
        return np.empty((0, 3)), 0
    near = overlapping_pairs(np.zeros(len(places), np.int64), facts[places, 5:9], min_iou=LEAST_SHARED)
    first, second = places[near.first], places[near.second]
    crowded = near.left + len(set(second[MOST_PAIRS:].tolist()))
    found = [(a, b, _iou(held[a], held[b])) for a, b in zip(first[:MOST_PAIRS].tolist(), second.tolist(), strict=False)]
    return np.array(found, np.float64).reshape(-1, 3), crowded


def _iou(one: Drawn, other: Drawn) -> float:
    """Intersection over union of two drawn objects, in pixels."""
    top, left = max(one.top, other.top), max(one.left, other.left)
    bottom = min(one.top + one.mask.shape[0], other.top + other.mask.shape[0])
    right = min(one.left + one.mask.shape[1], other.left + other.mask.shape[1])
    if bottom <= top or right <= left:
        return 0.0
    a, b = (each.mask[top - each.top : bottom - each.top, left - each.left : right - each.left] for each in (one, other))
    both = int((a & b).sum())
    return both / (int(one.mask.sum()) + int(other.mask.sum()) - both)
