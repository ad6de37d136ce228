"""Files of arrays that lie among images: those that are one picture each, and those that hold pictures nobody reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from auditor.naming.suffixes import stem_of
from auditor.placement.array_sets import HDF5, NPZ, array_pairs
from auditor.placement.images import Inventory
from auditor.placement.listing import Listing
from auditor.values.dataset import Problem

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
    left = [name for name in inventory.containers if name not in records and name not in known]
    if not left:
        return []
    counts = Counter(
        {
            pair.file: pair.count
            for kind in (NPZ, HDF5)
            for pair in array_pairs(listing.root, left, listing.limits, kind=kind, workers=1)
        }
    )
    stems = {stem_of(name) for name in inventory.images}
    folders = {folder for name in inventory.images if (folder := name.rpartition("/")[0])}
    among = {
        name
        for name in left
        if name.lower().endswith(".npy") and stem_of(name) not in stems and name.rpartition("/")[0] in folders
    }
    return [
        Problem(kind="unsupported", path=name, reason=_reason(counts[name]))
        for name in left
        if counts[name] or name in among
    ]  # fmt: skip


def _reason(pictures: int) -> str:
    if pictures:
        return f"{pictures:,} pictures in a file of arrays beside images: write each as a file, or scan this one alone"
    return "an array among the images, which is not read: write it as an image, or keep it elsewhere"
