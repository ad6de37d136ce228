"""What one level of folders means. Names propose, counts decide."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from auditor.naming.acquisition import acquisition_kind, are_sites
from auditor.naming.folder_names import (
    CLASS_WORDS,
    NUMBER_FOLDER,
    PATIENT_FOLDER,
    SITE_FOLDER,
    STORAGE_WORDS,
    UID_FOLDER,
    class_words,
    drawn_among,
    is_of_drawings,
    splits_among,
    tokens_of,
)

LevelKind = Literal["split", "class", "patient", "site", "acquisition", "nothing"]

COVERAGE = 0.95
"""A level of folders counts when this share of the files lies that deep."""
MAX_CLASSES = 1000
LEAST_COUNTED = 3
UNTOLD = "one word and a running number: grades, or parts of the collection"


@dataclass(frozen=True, kw_only=True)
class FolderLevel:
    """One level: its names with the files below each, what it means, how sure that is and why."""

    depth: int
    names: Mapping[str, int]
    kind: LevelKind
    confidence: float
    why: str
    clinical: bool = False
    stored: bool = False
    """Each name has a word of storage too (`colon_image_sets`)."""


def folder_levels(
    parts: Mapping[str, tuple[str, ...]], counts: Mapping[str, int], drawings: Collection[str] = ()
) -> list[FolderLevel]:
    """The levels that most files lie in, or all files of whole splits.

    Args:
        parts: folder → the names of its levels.
        counts: folder → files in it.
        drawings: files of drawings in the same tree, which are none of those.
    """
    total = sum(counts.values())
    deepest = max((len(names) for names in parts.values()), default=0)
    levels: list[FolderLevel] = []
    splits: FolderLevel | None = None
    for depth in range(deepest):
        names: Counter[str] = Counter()
        for folder, folder_names in parts.items():
            if len(folder_names) > depth:
                names[folder_names[depth]] += counts[folder]
        covered = sum(names.values())
        if covered < COVERAGE * total and not whole_splits(parts, counts, depth, splits):
            continue
        level = judge_level(depth, names, total)
        if levels and _are_cases(levels[-1], level, drawings):
            levels[-1] = replace(levels[-1], kind="patient", confidence=0.6, why="numbers, with folders of one case in each")
        levels.append(level)
        if level.kind == "split":
            splits = level
    return levels


def _are_cases(upper: FolderLevel, lower: FolderLevel, drawings: Collection[str]) -> bool:
    """Folders called by numbers that hold folders of images and of drawings, or of views or sequences, are cases, no grades."""
    numbered = upper.kind == "class" and all(name.isdecimal() for name in upper.names)
    if not numbered or lower.kind not in ("nothing", "acquisition"):
        return False
    if lower.kind == "acquisition":
        return True
    found = {parts[upper.depth] for parts in (path.split("/") for path in drawings) if len(parts) > lower.depth + 1}
    return bool(drawn_among(lower.names)) or set(upper.names) <= found


def whole_splits(
    parts: Mapping[str, tuple[str, ...]], counts: Mapping[str, int], depth: int, splits: FolderLevel | None
) -> bool:
    """The level is there for whole splits and not at all for others (a test split without classes)."""
    if splits is None:
        return False
    deep: dict[str, int] = defaultdict(int)
    every: dict[str, int] = defaultdict(int)
    for folder, names in parts.items():
        if len(names) > splits.depth:
            every[names[splits.depth]] += counts[folder]
            deep[names[splits.depth]] += counts[folder] if len(names) > depth else 0
    shares = [deep[name] / every[name] for name in every]
    return any(share >= COVERAGE for share in shares) and all(share >= COVERAGE or share <= 1 - COVERAGE for share in shares)


def judge_level(depth: int, names: Mapping[str, int], total: int) -> FolderLevel:
    """What a level means, by its names and how many files (of `total`) each holds."""

    def level(kind: LevelKind, confidence: float, why: str) -> FolderLevel:
        clinical = any(token in CLASS_WORDS for name in names for token in tokens_of(name))
        stored = all(any(token in STORAGE_WORDS for token in tokens_of(name)) for name in names)
        return FolderLevel(
            depth=depth, names=names, kind=kind, confidence=confidence, why=why, clinical=clinical, stored=stored
        )

    count = len(names)
    if splits_among(names):
        return level("split", 0.95 if count > 1 else 0.8, f"the folders are called {', '.join(sorted(names)[:4])}")
    if count < 2:
        return level("nothing", 1.0, "one folder")
    if share(names, SITE_FOLDER) >= 0.9:
        return level("site", 0.85, f"{count:,} folders are named after a site")
    taken = acquisition_kind([name for name in names if not is_of_drawings(name)], STORAGE_WORDS)
    if taken is not None:
        return level("acquisition", 0.8, f"{count:,} folders are called after a {taken}, which is no class of what is seen")
    if are_sites(names, STORAGE_WORDS):
        return level("site", 0.8, f"{count:,} folders are called after places")
    if share(names, PATIENT_FOLDER) >= 0.9:
        return level("patient", 0.9, f"{count:,} folders are named after a patient")
    grades = all(re.fullmatch(r"\d{1,2}", name) and int(name) <= 20 for name in names)
    if not grades and share(names, UID_FOLDER) + share(names, NUMBER_FOLDER) >= 0.5:
        return level("patient", 0.6, f"{count:,} folders are named by a number, as patients or studies are")
    told = [name for name in names if acquisition_kind((name,)) is None]
    if not grades and len(told) > 1 and all(name.isdecimal() for name in told):
        return level("patient", 0.6, f"{len(told):,} folders are named by a number, as cases are")
    drawn = [name for name in names if is_of_drawings(name)]
    others = [name for name in names if name not in drawn]
    if drawn and others and (len(others) == 1 or not any(class_words(name) for name in others)):
        return level("nothing", 0.8, f"{len(drawn):,} of the folders are called after drawings, the others after images")
    reduced = {class_words(name) for name in names}
    if (
        not grades
        and (len(reduced) == 1 or reduced == {()})
        and not all(re.search(r"(?:class|grade|stage)", n.lower()) for n in names)
    ):
        return level("nothing", 0.7, UNTOLD if _are_counted(names) else "the names differ in nothing that could be a class")
    if not grades and all(not class_words(name) for name in names):
        return level("nothing", 0.7, "the names are those of storage, not of classes")
    if count > min(MAX_CLASSES, total / 2):
        return level("nothing", 0.6, f"{count:,} folders for {total:,} images are too many for classes")
    why = f"{count:,} folders with {total / count:,.0f} images on average"
    if grades:
        return level("class", 0.75, why + ", named as grades are")
    clinical = any(token in CLASS_WORDS for name in names for token in tokens_of(name))
    return level("class", 0.95 if clinical else 0.8 if count <= 50 else 0.65, why)


def _are_counted(names: Mapping[str, int]) -> bool:
    """One word and a number from 0 or 1 on without gaps, with several files each (`CT-0` to `CT-4`): grades, or parts."""
    found = [re.fullmatch(r"(?P<word>[A-Za-z]+)[-_ ]?(?P<number>\d)", name) for name in names]
    if not all(found) or min(names.values()) < LEAST_COUNTED:
        return False
    words = {one["word"].lower() for one in found if one}
    numbers = sorted(int(one["number"]) for one in found if one)
    return len(words) == 1 and not words & STORAGE_WORDS and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def share(names: Mapping[str, int], pattern: re.Pattern[str]) -> float:
    """Of the names that are no mere storage (`derivatives` beside `sub-01`)."""
    told = [name for name in names if class_words(name) or not tokens_of(name)] or list(names)
    return sum(pattern.search(name) is not None for name in told) / len(told)
