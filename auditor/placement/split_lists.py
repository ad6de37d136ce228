"""Lists of images that are called after a split: `train_val_list.txt`, `test_list.txt`, `Data-split/COVID/trainCT_COVID.txt`.

A list names images, one a line, and says nothing beside; its name says the split. An image in two lists of different splits is
taken for the first of test, val and train that names it: what is evaluated on is what must not be trained on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from auditor.naming.acquisition import pieces
from auditor.naming.names import split_name
from auditor.naming.suffixes import suffix_of
from auditor.placement.documents import first_lines
from auditor.placement.listing import Listing
from auditor.placement.resolve import resolve_names
from auditor.reading.jobs import run_job
from auditor.values.errors import UnreadableFile

MOST_LISTS = 60
NAMED = 0.9
"""Of the lines so many name an image."""
COVERED = 0.5
"""The lists together name so many of the images; else they speak of something else."""
_ORDER = ("test", "val", "train")


def splits_in_lists(listing: Listing, paths: Sequence[str]) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Image → its split, and the lists that say so; empty where there are none, or lists of one split alone."""
    found: dict[str, str] = {}
    read: list[str] = []
    texts = [name for name in listing.inventory.other if suffix_of(name) in ("txt", "lst", "list")]
    called = {name: split for name in texts if (split := split_of_list(name)) is not None}
    for name, split in sorted(called.items(), key=lambda item: _ORDER.index(item[1]))[:MOST_LISTS]:
        lines = first_lines(listing.root / name)
        if not lines or any(len(re.split(r"[\s,;|]+", line.strip())) != 1 for line in lines if line.strip()):
            continue
        try:
            names = list(run_job("auditor.placement.voc_file:names", listing.root / name, limits=listing.limits))
        except UnreadableFile:
            continue  # `placement.unused` tells what it is
        files = resolve_names(listing.root, names, paths).files
        there = [file for file in files if file is not None]
        if names and len(there) >= NAMED * len(names):
            read.append(name)
            for file in there:
                found.setdefault(file, split)
    if len(set(found.values())) < 2 or len(found) < COVERED * len(paths):
        return {}, ()
    return found, tuple(read)


def split_of_list(name: str) -> str | None:
    """What the name of a list says: `train_val_list` is of training, as is `trainCT_COVID`."""
    said = [split for piece in pieces(PurePosixPath(name).stem) if (split := split_name(piece)) is not None]
    if not said:
        glued = re.match(r"(train|val|test)(?=[A-Z])", PurePosixPath(name).stem)
        said = [glued[1]] if glued else []
    first = said[0] if said else None
    return {"trainval": "train"}.get(first, first) if first in ("train", "val", "test", "trainval") else None
