"""Classes that nobody but the file names says: `cat_001.png`, `malignant-12.png`, `0007_tumor.png`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from auditor.naming.clinical import CLINICAL_WORDS
from auditor.naming.lexicon import words
from auditor.naming.names import split_name
from auditor.naming.suffixes import stem_of

MOST_CLASSES = 20
LEAST_FILES = 5
"""So many files of each word, on average; a word of fewer than three is none."""
SURE, DOUBTFUL = 0.75, 0.4
"""How sure a class is whose words are clinical, and one whose words may mean anything (see `layouts.folders.DOUBTFUL`)."""

NO_CLASS = frozenset(
    [
        "img",
        "image",
        "images",
        "im",
        "pic",
        "picture",
        "photo",
        "slice",
        "slices",
        "scan",
        "scans",
        "frame",
        "frames",
        "file",
        "sample",
        "samples",
        "case",
        "cases",
        "patient",
        "patients",
        "pat",
        "subject",
        "subjects",
        "sub",
        "subj",
        "participant",
        "volume",
        "vol",
        "series",
        "study",
        "exam",
        "view",
        "id",
        "no",
        "nr",
        "num",
        "number",
        "p",
        "s",
        "i",
        "f",
        "x",
        "y",
        "z",
        "left",
        "right",
        "l",
        "r",
        "od",
        "os",
        "lt",
        "rt",
        "cc",
        "mlo",
        "ap",
        "pa",
        "lat",
        "lateral",
        "frontal",
        "axial",
        "coronal",
        "sagittal",
        "ct",
        "mr",
        "mri",
        "us",
        "xr",
        "cr",
        "dx",
        "mg",
        "pet",
        "flair",
        "dwi",
        "adc",
        "tce",
        "wi",
        "gd",
        "post",
        "pre",
        "mask",
        "masks",
        "seg",
        "label",
        "copy",
        "new",
        "site",
        "hospital",
        "center",
        "centre",
        "clinic",
        "device",
        "scanner",
        "batch",
        "part",
        "fold",
        "group",
        "section",
        "region",
        "tile",
        "patch",
        "dsc",
        "dscn",
        "pict",
        "png",
        "jpg",
    ]
)
"""Words of a name that stand for a place, a view, a machine or a count."""
_GRADES = frozenset(("grade", "class", "stage", "label", "birads", "tirads", "pirads", "kl", "level", "score", "category"))
"""With a number behind it such a word is a class."""
_PART = re.compile(r"[^\W\d_]+(?:[ ][^\W\d_]+)*|\d+")


@dataclass(frozen=True, kw_only=True)
class StemClasses:
    """The word of each name that may be its class; None where a name has none. `counts`: files of each word."""

    values: tuple[str | None, ...]
    counts: Counter[str]
    place: str
    confidence: float

    @property
    def why(self) -> str:
        """In words."""
        told = ", ".join(f"{word} ({count:,})" for word, count in self.counts.most_common(4))
        more = f" and {len(self.counts) - 4} more" if len(self.counts) > 4 else ""
        return f"no folder or table says the class, but the names {self.place} a word of few: {told}{more}"


def classes_in_stems(paths: Sequence[str]) -> StemClasses | None:
    """The words that nearly all names begin or end with, or hold, where they are few and none is of a place or a count.

    Where the words are clinical they are believed, else they are a proposal below half.
    """
    found = [
        one
        for place, at in (("begin with", 0), ("end with", -1), ("hold", None))
        if (one := _classes_at([_words(path) for path in paths], place, at)) is not None
    ]
    return max(found, key=lambda one: one.confidence, default=None)


def _words(path: str) -> list[str]:
    """Words and numbers of a stem in their order, those of a split left out."""
    return [part for part in _PART.findall(stem_of(path)) if split_name(part) is None]


def _classes_at(names: Sequence[list[str]], place: str, at: int | None) -> StemClasses | None:
    values: list[str | None] = []
    for parts in names:
        if at is None:
            told = [part for part in parts if part.lower() in CLINICAL_WORDS]
            values.append(told[0] if len(told) == 1 else None)
        else:
            word = parts[at] if parts else ""
            if at == 0 and len(parts) > 2 and word.lower() in _GRADES and parts[1].isdigit():
                word += parts[1]
            values.append(word if word[:1].isalpha() and len(word) >= 3 else None)
    counts = Counter(value for value in values if value is not None)
    known, kinds = counts.total(), len(counts)
    if not 2 <= kinds <= MOST_CLASSES or known < 0.95 * len(names) or known < LEAST_FILES * kinds or min(counts.values()) < 3:
        return None
    said = [set(words(value)) for value in counts]
    if any(one & NO_CLASS for one in said):
        return None
    clinical = sum(bool(one & (CLINICAL_WORDS | _GRADES)) for one in said)
    return StemClasses(values=tuple(values), counts=counts, place=place, confidence=SURE if 2 * clinical >= kinds else DOUBTFUL)
