"""Classes that the last word of a file name may say though the folders say something else: `Nurse A/IMG_0012_m.jpg`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from auditor.naming.acquisition import acquisition_kind
from auditor.naming.names import split_name
from auditor.naming.stems import NO_CLASS
from auditor.naming.suffixes import stem_of

NAME_PIN = "name:"
"""How the user says that names hold the label: `--label name:end`, `--label name:begin`."""
PLACES = ("begin", "end")
MOST_ENDINGS = 4
LEAST_SHARE = 0.05
COVERED = 0.95
_END = re.compile(r"^(?P<base>.+?)[-_. ](?P<end>[^\W\d_]{1,12})$")
_WORD = re.compile(r"[^\W\d_]+")


def endings_across(paths: Sequence[str]) -> Mapping[str, int]:
    """Ending → files, where nearly all names end in one of few, several folders hold several of them, and no picture is there
    with two (`7_a`, `7_b` are views of one thing); empty otherwise, and where an ending says a side, a view or a split."""
    found = [(path.rpartition("/")[0], _END.match(stem_of(path))) for path in paths]
    ended = [(folder, one["base"], one["end"].lower()) for folder, one in found if one is not None]
    counts = Counter(end for _, _, end in ended)
    few = 2 <= len(counts) <= MOST_ENDINGS and min(counts.values()) >= LEAST_SHARE * len(paths)
    if not few or len(ended) < COVERED * len(paths):
        return {}
    if any(end in NO_CLASS or split_name(end) or acquisition_kind((end,)) for end in counts):
        return {}
    of_base: dict[tuple[str, str], set[str]] = defaultdict(set)
    of_folder: dict[str, set[str]] = defaultdict(set)
    for folder, base, end in ended:
        of_base[folder, base].add(end)
        of_folder[folder].add(end)
    alone = sum(len(ends) == 1 for ends in of_base.values())
    mixed = sum(len(ends) > 1 for ends in of_folder.values())
    return dict(counts.most_common()) if alone >= COVERED * len(of_base) and mixed > 1 else {}


def words_at(paths: Sequence[str], place: str) -> list[str]:
    """The first or the last word of each name, as it is written; empty where a name has none."""
    found = [_WORD.findall(stem_of(path)) for path in paths]
    return [(parts[0] if place == "begin" else parts[-1]) if parts else "" for parts in found]
