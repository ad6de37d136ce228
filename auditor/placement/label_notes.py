"""The class of each image in a text file beside it: `img_012.txt` that holds `benign`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from auditor.naming.suffixes import stem_of, suffix_of
from auditor.placement.documents import first_lines
from auditor.placement.listing import Listing
from auditor.placement.text_tables import TEXTS

MOST_BYTES = 200
MOST_WORDS = 3
"""A class is a word or a few; what is longer tells of the image, and four numbers are a box."""
MOST_CLASSES = 20
LEAST_FILES = 3
"""So many files of each class, on average."""
COVERED = 0.9


def labels_in_notes(listing: Listing, ids: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Image → its class and the text that says it; empty unless nearly all images have such a text and the words are few."""
    texts: dict[str, str] = {}
    for name in listing.inventory.other:
        if suffix_of(name) in TEXTS and 0 < listing.files[name] <= MOST_BYTES:
            texts.setdefault(name.rpartition("/")[0] + "/" + PurePosixPath(name).stem, name)
    beside = {path: texts.get(path.rpartition("/")[0] + "/" + stem_of(path)) for path in ids}
    named = {path: name for path, name in beside.items() if name is not None}
    if len(named) < max(LEAST_FILES, COVERED * len(ids)):
        return {}
    said: dict[str, tuple[str, str]] = {}
    for path, name in named.items():
        lines = first_lines(listing.root / name)
        if len(lines) != 1 or len(lines[0].split()) > MOST_WORDS:
            return {}
        said[path] = lines[0].strip(), name
    counts = Counter(label for label, _ in said.values())
    if not 2 <= len(counts) <= MOST_CLASSES or len(said) < LEAST_FILES * len(counts):
        return {}
    return said
