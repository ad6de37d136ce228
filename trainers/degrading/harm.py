"""What is to be done to one mask or one file of boxes, as the workers are told it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Corners = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What becomes of one box: it is left out, lies elsewhere (x0, y0, x1, y1 in pixels), or has another class."""

    gone: bool = False
    corners: Corners | None = None
    label: str | None = None


Edits = Mapping[int, Edit]
"""Place of a box among those of its file that are used → what becomes of it."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a mask holds: how many objects by either way of counting, and how many of its values are in one part."""

    numbered: int
    parts: int
    whole: int


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is to be done to one mask.

    Args:
        numbered: every value is one object.
        gone: places of the objects that are left out, in the order of `auditor.degrade.drawings.objects_of`.
        deform, simplify, boxes: as in `trainers.degrading.wish.Wish`.
        seed: of this mask.
    """

    numbered: bool
    gone: tuple[int, ...]
    deform: float | None
    simplify: int | None
    boxes: bool
    seed: int
