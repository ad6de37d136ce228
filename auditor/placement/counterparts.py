"""Sibling folders that hold the same names: `images/21_training.tif`, `1st_manual/21_manual1.gif`. Whose files are drawings?

Class folders often hold equal names too (`benign/001.png`, `malignant/001.png`), so equal names alone tell nothing: the names
of the folders and, in bounded workers, what a few of their files hold decide. What stays in doubt is said, and lowers the
confidence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from auditor.naming.clinical import CLINICAL_WORDS
from auditor.naming.names import split_name
from auditor.naming.suffixes import stem_of
from auditor.reading.jobs import Job, run_jobs
from auditor.values.drawn import Look
from auditor.values.image import Limits

TWIN_FRACTION = 0.9
"""Two folders are twins when so many files of the smaller one have a file of the same name in the other."""
SAMPLED = 4
"""Files that are looked at per folder."""
MAX_FOLDERS = 12
SPREAD = 4
"""Running numbers lie closer than this; ids of patients or pictures do not."""
MAX_SAMPLED_BYTES = 64 << 20
SMALLER = 6
"""Files of a drawing are so many times smaller than pictures: worth a look though no name is the same."""

_DRAWN = """
    mask masks seg segs segmentation segmentations segmented manual manuals gt gts ground truth groundtruth annotation
    annotations anno annos annot annots annotated contour contours outline outlines delineation delineations drawn drawing
    drawings label
    labels overlay overlays rater raters reader readers expert experts annotator annotators observer observers grader graders"""
_IMAGE = "image images img imgs original originals raw input inputs picture pictures photo photos photograph photographs"
DRAWN_WORDS = frozenset(_DRAWN.split())
IMAGE_WORDS = frozenset(_IMAGE.split())
_NUMBERS = re.compile(r"(?:1st|2nd|3rd|\dth|first|second|third|\d+)|(?<![a-z])[a-h](?![a-z])")


@dataclass(frozen=True, kw_only=True)
class Counterparts:
    """What sibling folders are to one another.

    Args:
        of: picture → folder → the drawing of it in that folder.
        files: every file of a folder of drawings.
        folders: the folders of drawings.
        classless: the folders hold the same things seen in several ways, so they are no classes.
        doubt: why the folders may be no classes; empty where nothing speaks against it.
        why: one sentence; empty where there are no drawings.
    """

    of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()
    classless: bool = False
    doubt: str = ""
    why: str = ""

    @property
    def are_raters(self) -> bool:
        """Several folders that differ in a number or a letter alone are several people, not several structures."""
        bare = {re.sub(r"[\W_]+", "", _NUMBERS.sub("", name.lower())) for name in self.folders}
        return len(self.folders) > 1 and len(bare) == 1


def words_of(name: str) -> set[str]:
    """The words of a folder's name, `1st_manual` → st, manual; `GroundTruth` → ground, truth, groundtruth."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return {part.lower() for part in parts} | {part.lower() for part in re.findall(r"[A-Za-z]+", name)}


def bare_stems(paths: Iterable[str]) -> dict[str, str]:
    """Path → what parts its name from the others in its folder: `21_manual1` → `21` where all end so; never empty."""
    folders: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        folders[path.rpartition("/")[0]].append(path)
    bare: dict[str, str] = {}
    for members in folders.values():
        parts = {path: re.findall(r"[^\W\d_]+|\d+", stem_of(path)) for path in members}
        seen: dict[str, int] = defaultdict(int)
        for tokens in parts.values():
            for token in set(tokens):
                seen[token] += 1
        for path, tokens in parts.items():
            # One letter in front (`a1`, `b1`) is what tells two series apart.
            kept = [t for i, t in enumerate(tokens) if seen[t] < len(members) or (i == 0 and len(t) == 1)]
            bare[path] = "-".join(kept).lower() or stem_of(path).lower()
    return bare


def find_counterparts(
    paths: Sequence[str], depth: int, root: Path, sizes: Mapping[str, int], limits: Limits, workers: int
) -> Counterparts:
    """Judge the folders at `depth` of the paths, which could be classes.

    Args:
        sizes: path → bytes.
        limits, workers: of the processes that look at a few files of each folder.
    """
    bare = bare_stems(paths)
    folders: dict[str, dict[tuple[str, ...], str]] = defaultdict(dict)
    for path in paths:
        parts = path.split("/")
        if len(parts) > depth + 1:
            folders[parts[depth]][(*parts[:depth], *parts[depth + 1 : -1], bare[path])] = path
    if not 2 <= len(folders) <= MAX_FOLDERS:
        return Counterparts()
    twins = [(a, b) for a, b in combinations(sorted(folders), 2) if _share(folders[a], folders[b]) >= TWIN_FRACTION]
    light = _lighter(folders, sizes)
    if not twins and not light:
        return Counterparts()
    together = sorted({name for pair in twins for name in pair})
    looks = look_into(folders if light else {n: folders[n] for n in together}, root, sizes, limits, workers)
    drawn = {name for name in looks if looks[name] and all(look.drawn for look in looks[name])}
    plain = {name for name in looks if looks[name] and not any(look.drawn for look in looks[name])}
    # `with_mask` may be a class of faces: a name that says more than "drawn" needs files that do not look like pictures.
    called = {n for n in together if words_of(n) & DRAWN_WORDS and (n not in plain or _says_only(n, DRAWN_WORDS))}
    drawings = sorted(called | (drawn & set(together)))
    pictures = [name for name in together if name not in drawings]
    if pictures and drawings:
        return _paired(folders, pictures, drawings, seen=bool(drawn))
    if called and not pictures and drawn == set(together):
        return Counterparts(classless=True, doubt=f"{_listed(together)} hold drawings, by their names and their few values")
    if len(pictures) > 1 and any(_says_only(name, IMAGE_WORDS) for name in pictures):
        return Counterparts(classless=True, doubt=f"{_listed(together)} hold files of the same names, one as the images")
    sure = sorted(name for name in drawn if words_of(name) & DRAWN_WORDS)
    if sure and plain:  # `ManualMask/leftMask/x.png` of `CXR/x.png`: other folders, the same stems
        loose = _by_stem(folders, sure)
        others = sorted(set(folders) - set(sure))
        return _paired(loose, others, sorted(set(loose) - set(others)), seen=True)
    if drawn and plain:
        few, many = _listed(sorted(drawn)), _listed(sorted(plain))
        return Counterparts(doubt=f"the files of {few} hold a few values each, as drawings do, those of {many} many")
    named = all(words_of(name) & CLINICAL_WORDS for name in folders)  # `benign` and `malignant` are classes, however numbered
    if twins and len(together) == len(folders) and not named and not _are_running(folders, together):
        return Counterparts(doubt=f"{_listed(together)} hold files of the same names: they may show the same things")
    return Counterparts()


def _by_stem(
    folders: Mapping[str, Mapping[tuple[str, ...], str]], drawn: Sequence[str]
) -> dict[str, dict[tuple[str, ...], str]]:
    """The same folders, their files by what parts their names alone; of drawings, each folder of files for itself."""
    found: dict[str, dict[tuple[str, ...], str]] = defaultdict(dict)
    for name, files in folders.items():
        for key, path in files.items():
            found[path.rpartition("/")[0] if name in drawn else name].setdefault((key[-1],), path)
    return found


def _says_only(name: str, words: frozenset[str]) -> bool:
    """The folder's name is made of such words alone, but for numbers: `1st_manual`, `images`."""
    said = {word for word in re.findall(r"[a-z]+", _NUMBERS.sub("", name.lower())) if split_name(word) is None}
    return bool(said) and said <= words


def _are_running(folders: Mapping[str, Mapping[tuple[str, ...], str]], names: Sequence[str]) -> bool:
    """The names are mere running numbers, which every class may have: 1, 2, 3, with few gaps."""
    for name in names:
        keys = [key[-1] for key in folders[name]]
        if not all(key.isdecimal() for key in keys):
            return False
        numbers = sorted({int(key) for key in keys})
        if numbers[-1] - numbers[0] > SPREAD * len(numbers):
            return False
    return True


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _share(one: Mapping[tuple[str, ...], str], other: Mapping[tuple[str, ...], str]) -> float:
    return len(one.keys() & other.keys()) / min(len(one), len(other))


def _are_twins(folders: Mapping[str, Mapping[tuple[str, ...], str]], names: Sequence[str]) -> bool:
    return len(names) > 1 and all(_share(folders[a], folders[b]) >= TWIN_FRACTION for a, b in combinations(names, 2))


def _paired(
    folders: Mapping[str, Mapping[tuple[str, ...], str]],
    pictures: Sequence[str],
    drawn: Sequence[str],
    *,
    seen: bool,
) -> Counterparts:
    of: dict[str, dict[str, str]] = defaultdict(dict)
    for picture in pictures:
        for key, path in folders[picture].items():
            for name in drawn:
                if key in folders[name]:
                    of[path][name] = folders[name][key]
    how = "few values in them" if seen else "their names"
    return Counterparts(
        of=dict(of),
        files=frozenset(path for name in drawn for path in folders[name].values()),
        folders=tuple(drawn),
        classless=len(folders) - len(drawn) == 1 or (_are_twins(folders, pictures) and not _are_running(folders, pictures)),
        why=f"{_listed(drawn)} hold drawings of the images in {_listed(pictures)}: the same names, and {how}",
    )


def _lighter(folders: Mapping[str, Mapping[tuple[str, ...], str]], sizes: Mapping[str, int]) -> bool:
    """The files of one folder are far smaller than those of another."""
    middle = [float(np.median([sizes.get(path, 0) for path in files.values()])) for files in folders.values()]
    return min(middle) > 0 and max(middle) >= SMALLER * min(middle)


def look_into(
    folders: Mapping[str, Mapping[Any, str]], root: Path, sizes: Mapping[str, int], limits: Limits, workers: int
) -> dict[str, list[Look]]:
    """Group → what a few of its files hold. The keys within a group count for nothing."""
    jobs, owners = [], []
    for name, files in folders.items():
        fit = [path for path in files.values() if 0 < sizes.get(path, 0) <= MAX_SAMPLED_BYTES]
        for path in fit[:: max(len(fit) // SAMPLED, 1)][:SAMPLED]:
            jobs.append(Job(function="auditor.placement.drawn:look_at", arguments=(root / path,)))
            owners.append(name)
    found: dict[str, list[Look]] = {name: [] for name in folders}
    for answer in run_jobs(jobs, limits, workers=workers):
        if answer.raised is None and answer.returned is not None:
            found[owners[answer.number]].append(answer.returned)
    return found
