"""Documents and arrays that look like labels and that nothing here reads: told by what they name, or by what they are called.

None of them is parsed: the words at the beginning and the end of a document are compared with the names of the images. A file
of arrays or of Python's objects says nothing that way, and is judged by its own name alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from auditor.files import head_of, is_of_ours
from auditor.naming.suffixes import stem_of, suffix_of
from auditor.placement.listing import Listing
from auditor.placement.resolve import Files

HEAD_BYTES = 1 << 18
MOST = 200
"""Documents looked into, those nearest to the root first."""
MIN_NAMED = 3
"""So many images are named by a document that speaks of them; of fewer images, each of them."""
SHORT_BYTES = 2048
"""A list of what classes are called (`labels.json` of a model) is no longer, and names no image."""
MOST_WORDS = 20_000

_DOCUMENTS = frozenset(("json", "yaml", "yml", "toml", "xml", "ini", "jsonld", "geojson"))
_OBJECTS = frozenset(
    (
        "npy",
        "mat",
        "pkl",
        "pickle",
        "joblib",
        "pt",
        "pth",
        "msgpack",
        "bson",
        "db",
        "sqlite",
        "sqlite3",
        "gz",
        "bz2",
        "xz",
        "zst",
    )
)
_CALLED = re.compile(
    r"(^|[^a-z])(labels?|annotations?|annots?|targets?|diagnos[ei]s|ground[-_ ]?truths?|gt|findings|gradings?|grades|"
    r"y[-_](train|test|val|valid)|truth)([^a-z]|$)"
)
_BETWEEN = re.compile(r"[\s\"'<>=,;:{}\[\]()]+")


def unread_documents(listing: Listing, names: Sequence[str], images: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each file among `names` (relative paths) that may hold labels, and why it is not read.

    Args:
        names: files that nothing has read; tables that can be opened are judged by their columns, and are none of them.
        images: the files of the records.
    """
    there, stems = Files(images), {stem_of(path) for path in images}
    for name in sorted(names, key=lambda name: (name.count("/"), name))[:MOST]:
        suffix = suffix_of(name)
        path = listing.root / name
        if PurePosixPath(name).stem in stems or is_of_ours(path):  # what lies beside one image describes it
            continue
        called = is_called_as_labels(name)
        if suffix in _DOCUMENTS and _names_images(path, there):
            yield (
                name,
                f"it names the images, and no layout reads such a file ({suffix}): write a table of them, or say --layout",
            )
        elif called and suffix in _DOCUMENTS and listing.files[name] > SHORT_BYTES:
            yield name, f"it is called as labels are, and cannot be read ({suffix}): write a table, one line for each image"
        elif called and suffix in _OBJECTS:
            yield (
                name,
                f"it is called as labels are, and such a file is not read ({suffix}): write a table, one line for each image",
            )


def is_called_as_labels(name: str) -> bool:
    """A word of the file's name is one that labels are called by."""
    return _CALLED.search(stem_of(name).casefold()) is not None


def _names_images(path: Path, there: Files) -> bool:
    """Words of the document are names of images, of enough of them."""
    try:
        text = head_of(path, HEAD_BYTES, end=HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return False
    least, found = min(MIN_NAMED, len(there.known)), set[str]()
    for word in _BETWEEN.split(text)[:MOST_WORDS]:
        if len(word) > 2 and not word.isdecimal():  # a number is the number of anything
            found.update(there.named(word)[:1])
            if len(found) >= least:
                return True
    return False
