"""Drawings beside their pictures that end in a word which names no drawing: `149143370-001.BMP` and `149143370-001-d.bmp`.

The names only pair the files, as those of views do (`x.png`, `x-r.png`); what a few of them hold decides, in bounded workers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from auditor.naming.suffixes import stem_of
from auditor.placement.counterparts import look_into
from auditor.values.image import Limits

PAIRED = 0.9
"""Of the files that end so, so many lie beside their picture; they are `LEAST_SHARE` of all files at least."""
LEAST_SHARE = 0.1
MOST_TAILS = 6
_TAIL = re.compile(r"^(?P<base>.+?)[-_. ](?P<tail>[A-Za-z]{1,5})$")


def find_tails(
    paths: Sequence[str], root: Path, sizes: Mapping[str, int], limits: Limits, workers: int
) -> dict[str, tuple[str, ...]]:
    """Picture → the drawings of it; empty where no ending tells drawings from pictures.

    Args:
        paths: images that nothing else has told to be drawings.
        sizes: path → bytes.
    """
    bases = {(path.rpartition("/")[0], stem_of(path).lower()): path for path in paths}
    ends: dict[str, dict[str, str]] = defaultdict(dict)
    for path in paths:
        found = _TAIL.match(stem_of(path))
        if found is not None:
            picture = bases.get((path.rpartition("/")[0], found["base"].lower()))
            if picture is not None:
                ends[found["tail"].lower()][path] = picture
    kept = {tail: pairs for tail, pairs in ends.items() if _are_paired(tail, pairs, paths)}
    if not 0 < len(kept) <= MOST_TAILS:
        return {}
    pictures = sorted({picture for pairs in kept.values() for picture in pairs.values()})
    groups = {"": dict(enumerate(pictures))} | {tail: dict(enumerate(sorted(pairs))) for tail, pairs in kept.items()}
    looks = look_into(groups, root, sizes, limits, workers)
    if not looks[""] or any(look.drawn for look in looks[""]):
        return {}
    of: dict[str, list[str]] = defaultdict(list)
    for tail, pairs in kept.items():
        if looks[tail] and all(look.drawn for look in looks[tail]):
            for drawing, picture in pairs.items():
                of[picture].append(drawing)
    return {picture: tuple(sorted(drawings)) for picture, drawings in of.items()}


def _are_paired(tail: str, pairs: Mapping[str, str], paths: Sequence[str]) -> bool:
    """Nearly all files that end so lie beside their picture, and there are enough of them to be those of the set."""
    called = sum((found := _TAIL.match(stem_of(path))) is not None and found["tail"].lower() == tail for path in paths)
    return len(pairs) >= PAIRED * called and len(pairs) >= LEAST_SHARE * len(paths)
