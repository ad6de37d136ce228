"""What lies beside the images of each case and is not read: texts of keys and values (`Info.cfg`), outlines, run lengths.

A label that nobody reads is a question that nobody asks, so each kind is told once, with how many there are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import pandas as pd

from auditor.naming.suffixes import stem_of, suffix_of
from auditor.placement.documents import first_lines
from auditor.placement.listing import Listing

LEAST_FILES = 3
LEAST_RUNS = 3
_KEYED = re.compile(r"^\s*(?P<key>[A-Za-z][\w '()-]{0,40}?)\s*[:=]\s*\S")
_RUNS = re.compile(r"\d+ \d+(?: \d+ \d+)*")
_NONE = frozenset(("", "-1", "nan", "1 0"))
_CUT = re.compile(r"[-_ .]")


def keyed_texts(listing: Listing, names: Sequence[str], images: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Files of one name, or one suffix, that say keys and values in the folders of images, and why they are not read."""
    folders = {path.rpartition("/")[0] for path in images}
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if suffix_of(name) in ("cfg", "ini", "conf", "info") and name.rpartition("/")[0] in folders:
            alike[name.rpartition("/")[2]].append(name)
    for base, files in sorted(alike.items()):
        keys = [found["key"] for line in first_lines(listing.root / files[0]) if (found := _KEYED.match(line))]
        if len(files) >= LEAST_FILES and keys:
            told = ", ".join(keys[:4])
            yield (
                files[0],
                f"{len(files):,} files {base} say something of each case ({told}) and are not read: write a table of the cases",
            )


def outlines_beside(names: Sequence[str], images: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Texts that begin as an image is called and go on (`001_01_cyt.dat`, `RET002OD_cup_exp1.txt`)."""
    stems = {stem_of(path).lower() for path in images}
    found = [name for name in names if _begins(PurePosixPath(name).stem.lower(), stems)]
    if len(found) >= max(LEAST_FILES, len(images) // 10):
        folder = found[0].rpartition("/")[0] or found[0]
        yield folder, f"{len(found):,} text files are called after the images and a word more, as outlines are: not read"


def _begins(stem: str, stems: set[str]) -> bool:
    return stem not in stems and any(stem[: cut.start()] in stems for cut in _CUT.finditer(stem))


def run_length_columns(frame: pd.DataFrame) -> list[str]:
    """Columns whose cells are masks as run lengths: pairs of start and length (`EncodedPixels`)."""
    found = []
    for name in map(str, frame.columns):
        cells = [str(cell).strip() for cell in frame[name].cat.categories]
        said = [cell for cell in cells if cell.lower() not in _NONE][:100]
        pairs = [cell for cell in said if _RUNS.fullmatch(cell)]
        if said and len(pairs) == len(said) and sum(cell.count(" ") > 1 for cell in pairs) >= min(LEAST_RUNS, len(pairs)):
            found.append(name)
    return found
