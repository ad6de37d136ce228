"""Files of arrays that lie among images: those that are one picture each, and those that hold pictures nobody reads."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from auditor.naming.suffixes import stem_of
from auditor.placement.array_sets import HDF5, NPZ, shapes_of
from auditor.placement.images import Inventory
from auditor.placement.listing import Listing
from auditor.values.dataset import Problem

LEAST_SIDE, MOST_COLOURS = 16, 4
LEAST = 5
"""Fewer arrays in one folder are tables of numbers (means, features, weights) before they are pictures."""


def lone_arrays(inventory: Inventory) -> tuple[str, ...]:
    """The npy files that are one picture each, as the images beside them are.

    An array that is called as an image is what somebody made of that image (its mask, its features).
    """
    arrays = [name for name in inventory.containers if name.lower().endswith(".npy")]
    if len(arrays) < LEAST:
        return ()
    stems = {stem_of(name) for name in inventory.images}
    alone = [name for name in arrays if stem_of(name) not in stems]
    folders = Counter(name.rpartition("/")[0] for name in alone)
    return tuple(name for name in alone if folders[name.rpartition("/")[0]] >= LEAST)


def unread_arrays(listing: Listing, records: Collection[str], known: Collection[str]) -> list[Problem]:
    """Files of many pictures, and arrays in folders of images, that are no records: they are no reason to be silent.

    Args:
        records: files that are records.
        known: files that the layout uses otherwise, or of which a problem tells already.
    """
    inventory = listing.inventory
    stems = {stem_of(name) for name in inventory.images}
    left = [name for name in inventory.containers if name not in records and name not in known and stem_of(name) not in stems]
    if not left:
        return []
    counts = {
        name: sum(map(_pictures, arrays.values()))
        for kind in (replace(NPZ, suffixes=(".npz", ".npy")), HDF5)
        for name, arrays in shapes_of(listing.root, left, listing.limits, kind=kind).items()
    }
    folders = {folder for name in inventory.images if (folder := name.rpartition("/")[0])}
    among = {name for name in left if name.lower().endswith(".npy") and name.rpartition("/")[0] in folders}
    return [
        Problem(kind="unsupported", path=name, reason=_reason(counts.get(name, 0)))
        for name in left
        if counts.get(name) or name in among
    ]  # fmt: skip


def _pictures(shape: tuple[int, ...]) -> int:
    """How many planes an array of three dimensions or more holds; 0 where it is too narrow for pictures."""
    sides = shape[:-1] if len(shape) > 3 and shape[-1] <= MOST_COLOURS else shape
    return math.prod(sides[:-2]) if len(sides) > 2 and min(sides[-2:]) >= LEAST_SIDE else 0


def _reason(pictures: int) -> str:
    if pictures:
        return f"{pictures:,} pictures in a file of arrays beside images: write each as a file, or scan this one alone"
    return "an array among the images, which is not read: write it as an image, or keep it elsewhere"
