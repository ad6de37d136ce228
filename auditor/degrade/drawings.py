"""Worse masks: objects missed, grown or shrunk, drawn with few corners, or as boxes; holes, second parts and numbers stay.

After Foucart, Debeir & Decaestecker, "SNOW: Semi-supervised, NOisy and/or Weak data for deep learning in digital pathology"
(ISBI 2019). The parts of an object (pixels that share a side) are worked on one by one in a copy of the mask. A part takes no
pixel of another object, never comes to touch another part of its own value, and a change that would split it, lose it, or open
or close one of its holes is made smaller until it does not. Only a box has no holes, whatever it is drawn around.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from auditor.degrade.contours import filled, loops, thinned

Mask = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
UNKNOWN = 255
LESS = 0.75
"""A change that would not keep an object's form is tried again with this share of it."""
ROUND = ndimage.generate_binary_structure(2, 2)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One object of a mask: its value, and the parts of it as slices and pixels within them."""

    value: int
    parts: tuple[tuple[tuple[slice, slice], Bools], ...]

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 in pixels; the far corner is outside."""
        rows, columns = zip(*(box for box, _ in self.parts), strict=True)
        return (
            min(c.start for c in columns), min(r.start for r in rows),
            max(c.stop for c in columns), max(r.stop for r in rows),
        )  # fmt: skip

    @property
    def pixels(self) -> int:
        """How many."""
        return sum(int(inside.sum()) for _, inside in self.parts)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What was done to one object: `how` as a person reads it, and where it lies afterwards (empty: nowhere)."""

    drawn: Drawn
    kind: str
    how: str
    corners: tuple[int, ...] = ()


def values_of(mask: Mask) -> list[int]:
    """The values that are objects: not 0, and not 255 where the others are few and small (pixels that nobody annotated)."""
    found = [int(v) for v in np.unique(mask) if v != 0]
    void = len(found) > 2 and found[-1] == UNKNOWN and found[-2] <= len(found)
    return found[:-1] if void else found


def objects_of(mask: Mask, *, numbered: bool) -> list[Drawn]:
    """The objects of a mask of shape (height, width), by value and then from the top.

    Args:
        numbered: every value is one object, however many parts it has; otherwise every part is one.
    """
    found: list[Drawn] = []
    for value in values_of(mask):
        numbers, _ = ndimage.label(mask == value)
        parts = [(box, numbers[box] == i) for i, box in enumerate(ndimage.find_objects(numbers), start=1)]
        found += [Drawn(value=value, parts=tuple(parts))] if numbered else [Drawn(value=value, parts=(p,)) for p in parts]
    return found


def without(mask: Mask, objects: list[Drawn], gone: Collection[int]) -> tuple[Mask, list[Change]]:
    """The mask without the objects at these places of `objects`."""
    changed, changes = mask.copy(), []
    for place in sorted(gone):
        for box, inside in objects[place].parts:
            changed[box][inside] = 0
        changes.append(Change(drawn=objects[place], kind="missing-object", how=f"{objects[place].pixels} pixels"))
    return changed, changes


def deformed(mask: Mask, objects: list[Drawn], sigma: float, *, seed: int) -> tuple[Mask, list[Change]]:
    """Every object grown or shrunk by a disk of radius |int(N(0, σ))|.

    Args:
        sigma: of the radius, pixels.
    """
    rng = np.random.default_rng(seed)
    work, changes = mask.copy(), []
    for drawn in objects:
        wanted = int(rng.normal(0, sigma))
        done = 0
        for box, inside in drawn.parts:
            done = max((done, _reshaped(work, drawn.value, box, inside, wanted, _by_disk, abs(wanted))), key=abs)
        if wanted:
            changes.append(_changed(work, drawn, "object-deformed", f"radius {wanted:+d} drawn, {done:+d} at most done"))
    return work, changes


def simplified(mask: Mask, objects: list[Drawn], step: int) -> tuple[Mask, list[Change]]:
    """Every outline with each `step`-th of its corners alone (corners of pixels along it)."""
    work, changes = mask.copy(), []
    for drawn in objects:
        done = [_reshaped(work, drawn.value, box, inside, step, _by_corners, 1, least=2) for box, inside in drawn.parts]
        changes.append(_changed(work, drawn, "object-simplified", f"every {max(done) or 1}. corner kept"))
    return work, changes


def boxed(mask: Mask, objects: list[Drawn]) -> tuple[Mask, list[Change]]:
    """Every part of an object as the box around it, as far as no other object lies there."""
    work, changes = mask.copy(), []
    for drawn in objects:
        for box, inside in drawn.parts:
            window, own = _window(work, drawn.value, box, inside, 1)
            frame = np.zeros(own.shape, np.bool_)
            rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
            frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
            wanted = frame & _room(work[window], own, drawn.value)
            numbers, _ = ndimage.label(wanted)
            work[window][np.isin(numbers, np.unique(numbers[own])) & wanted] = drawn.value
        changes.append(_changed(work, drawn, "object-boxed", "its box"))
    return work, changes


def overlap(before: Mask, after: Mask) -> float:
    """F1 of the pixels that are objects (Dice); 1 where both masks are empty."""
    a, b = (np.isin(one, values_of(before)) for one in (before, after))
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else 1.0


def form_of(inside: Bools) -> tuple[int, int]:
    """How many parts, and how many holes: background that no way through sides or corners leads out of."""
    _, count = ndimage.label(~np.pad(inside, 1), structure=ROUND)
    return int(ndimage.label(inside)[1]), count - 1


Step = Callable[[Bools, int], Bools]


def _reshaped(
    work: Mask, value: int, box: tuple[slice, slice], inside: Bools, amount: int, step: Step, margin: int, *, least: int = 1
) -> int:
    """Change one part in `work`; the amount that was done, 0 where none keeps its form."""
    window, own = _window(work, value, box, inside, margin + 1)
    if not own.any():
        return 0
    room, form = _room(work[window], own, value), form_of(own)
    while abs(amount) >= least:
        new = step(own, amount) & room
        if form_of(new) == form:
            work[window][own] = 0
            work[window][new] = value
            return amount
        amount = math.trunc(amount * LESS)
    return 0


def _window(work: Mask, value: int, box: tuple[slice, slice], inside: Bools, margin: int) -> tuple[tuple[slice, slice], Bools]:
    """A part with some pixels around it, as far as the picture goes."""
    window = tuple(
        slice(max(0, side.start - margin), min(length, side.stop + margin))
        for side, length in zip(box, work.shape, strict=True)
    )
    rows, columns = window
    own = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.bool_)
    top, left = box[0].start - rows.start, box[1].start - columns.start
    own[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return (rows, columns), own & (work[rows, columns] == value)


def _room(there: Mask, own: Bools, value: int) -> Bools:
    """Where the part may lie: on its own pixels, and on free ones that do not share a side with another part of its value."""
    others = (there == value) & ~own
    free: Bools = own | ((there == 0) & ~ndimage.binary_dilation(others))
    return free


def _by_disk(own: Bools, radius: int) -> Bools:
    """Grown by a disk, or shrunk where the radius is negative; what lies beyond the window counts as the picture's edge."""
    if radius > 0 or own.all():
        return np.asarray(ndimage.distance_transform_edt(~own) <= radius)
    return np.asarray(own & (ndimage.distance_transform_edt(own) > -radius))


def _by_corners(own: Bools, step: int) -> Bools:
    return filled([thinned(loop, step) for loop in loops(own)], own.shape)


def _changed(work: Mask, drawn: Drawn, kind: str, how: str) -> Change:
    """Where the object lies now; the parts of one value are told by where they were."""
    x0, y0, x1, y1 = drawn.corners
    numbers, _ = ndimage.label(work == drawn.value)
    own = {int(n) for box, inside in drawn.parts for n in np.unique(numbers[box][inside])} - {0}
    if not own:
        return Change(drawn=drawn, kind=kind, how=how, corners=(x0, y0, x1, y1))
    rows, columns = np.nonzero(np.isin(numbers, list(own)))
    corners = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    return Change(drawn=drawn, kind=kind, how=how, corners=corners)
