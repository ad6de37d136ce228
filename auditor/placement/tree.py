"""What the levels of a folder tree mean: split, class, patient, site, or nothing. Names propose, counts decide."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from auditor.naming.lexicon import CLINICAL_WORDS
from auditor.naming.names import split_name
from auditor.values.errors import DatasetError
from auditor.values.results import Guess

LevelKind = Literal["split", "class", "patient", "site", "nothing"]

COVERAGE = 0.95
"""A level of folders counts when this share of the files lies that deep."""

MAX_CLASSES = 1000
FOLDER_PIN = "folder:"
"""How the user gives a role to a folder level: `--split folder:1`."""

_PINNABLE: Mapping[str, LevelKind] = {"label": "class", "split": "split", "patient": "patient", "site": "site"}

_GENERIC = frozenset(
    [
        "image",
        "images",
        "img",
        "imgs",
        "data",
        "dataset",
        "datasets",
        "file",
        "files",
        "folder",
        "dir",
        "part",
        "parts",
        "batch",
        "jpegimages",
        "png",
        "pngs",
        "jpg",
        "jpeg",
        "dicom",
        "dicoms",
        "dcm",
        "nifti",
        "tif",
        "tiff",
        "scan",
        "scans",
        "slice",
        "slices",
        "raw",
        "original",
        "originals",
        "picture",
        "pictures",
        "photo",
        "photos",
        "input",
        "inputs",
        "tile",
        "tiles",
        "patch",
        "patches",
        "export",
        "archive",
        "archives",
        "set",
        "sets",
        "volume",
        "volumes",
        "all",
        "misc",
        "other",
        "tests",
        "samples",
        "sample",
        "series",
        "study",
        "studies",
        "zip",
        "crop",
        "crops",
        "subset",
        "fold",
        "derivatives",
        "sourcedata",
        "rawdata",
        "anat",
        "func",
        "dwi",
        "fmap",
        "perf",
    ]
)
_CLINICAL = CLINICAL_WORDS | frozenset(
    [
        "sick",
        "diseased",
        "case",
        "grade",
        "stage",
        "class",
        "uninfected",
        "parasitized",
        "tb",
        "yes",
        "no",
        "glaucoma",
        "cataract",
        "pos",
        "neg",
        "meningioma",
        "pituitary",
        "notumor",
        "adenocarcinoma",
    ]
)
_PATIENT = re.compile(r"^(?:patient|pat|pt|subject|subj|sub|pid|case|person|p|s)[-_ ]?\d+$", re.IGNORECASE)
_NUMBERED = re.compile(r"^\w{1,2}[.)]\s*")
"""`a. Training Set`, `1) Images`."""
_SITE = re.compile(r"^(?:site|hospital|center|centre|clinic|institution|institute)[-_ ]?\w+$", re.IGNORECASE)
_UID = re.compile(r"^[\d.]{12,}$")
_IDENTIFIER = re.compile(r"^[A-Za-z]{0,8}[-_ ]?\d{3,}[-_ ]?[A-Za-z0-9]{0,3}$|\d{5,}|^[0-9a-f]{12,}$|^TCGA-")


@dataclass(frozen=True, kw_only=True)
class FolderRoles:
    """What the folders of files say: a value per file (None = not said), or None for the whole role."""

    split: tuple[str | None, ...] | None = None
    label: tuple[str | None, ...] | None = None
    patient: tuple[str | None, ...] | None = None
    site: tuple[str | None, ...] | None = None
    guesses: tuple[Guess, ...] = ()
    notes: tuple[str, ...] = ()
    label_depth: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Level:
    depth: int
    names: Mapping[str, int]
    kind: LevelKind
    confidence: float
    why: str
    clinical: bool = False
    stored: bool = False
    """Each name has a word of storage too (`colon_image_sets`)."""


def pinned_levels(roles: Mapping[str, str]) -> dict[str, int]:
    """The roles that the user gave to a folder level (`split` → `folder:1`, the first below the root), counted from 0.

    Raises:
        DatasetError: the level is no number from 1, or folders cannot say the role.
    """
    pinned: dict[str, int] = {}
    for role, value in roles.items():
        if not value.startswith(FOLDER_PIN):
            continue
        number = value.removeprefix(FOLDER_PIN)
        if role not in _PINNABLE or not number.isdecimal() or not 1 <= int(number) <= 99:
            raise DatasetError(f"{role} = {value!r}: label, split, patient and site may be a folder level, as in folder:1")
        pinned[role] = int(number) - 1
    return pinned


def read_folders(paths: Sequence[str], pinned: Mapping[str, int] | None = None) -> FolderRoles:
    """Roles of the folders that `paths` (relative, with forward slashes) lie in.

    Args:
        pinned: role → level that the user gave to it (`pinned_levels`).

    Raises:
        DatasetError: a pinned level is deeper than any folder.
    """
    pinned = pinned or {}
    folders = [path.rpartition("/")[0] for path in paths]
    counts = Counter(folders)
    parts = {folder: tuple(folder.split("/")) if folder else () for folder in counts}
    levels = _levels(parts, counts)
    roles: dict[str, tuple[str | None, ...]] = {}
    guesses: list[Guess] = []
    notes: list[str] = []
    chosen = _choose([level for level in levels if level.depth not in pinned.values()], parts)
    chosen |= {role: _pinned(role, depth, parts, counts) for role, depth in pinned.items()}
    for role, level in chosen.items():
        values = {folder: _value(names, level, role) for folder, names in parts.items()}
        roles[role] = tuple(values[folder] for folder in folders)
        what = "class folder" if role == "label" else "folder"
        value = f"{what}, level {level.depth + 1}"
        guesses.append(Guess(role=role, value=value, confidence=level.confidence, why=level.why, pinned=role in pinned))
        unsaid = sum(count for folder, count in counts.items() if values[folder] is None)
        if unsaid and role == "label":
            notes.append(f"{unsaid:,} images lie in no class folder: unlabelled")
    rivals = [level for level in levels if level.kind == "class"]
    if len(rivals) > 1 and "label" not in pinned:
        others = ", ".join(str(level.depth + 1) for level in rivals if level is not chosen.get("label"))
        notes.append(f"folder level {others} could be the class as well; say --label folder:N if the wrong one was taken")
    return FolderRoles(
        split=roles.get("split"),
        label=roles.get("label"),
        patient=roles.get("patient"),
        site=roles.get("site"),
        guesses=tuple(guesses),
        notes=tuple(notes),
        label_depth=chosen["label"].depth if "label" in chosen else None,
    )


def _pinned(role: str, depth: int, parts: Mapping[str, tuple[str, ...]], counts: Mapping[str, int]) -> _Level:
    """The level that the user named.

    Raises:
        DatasetError: no file lies that deep.
    """
    names: Counter[str] = Counter()
    for folder, folder_names in parts.items():
        if len(folder_names) > depth:
            names[folder_names[depth]] += counts[folder]
    if not names:
        raise DatasetError(f"{role} = '{FOLDER_PIN}{depth + 1}': no image lies in so many folders")
    return _Level(depth=depth, names=names, kind=_PINNABLE[role], confidence=1.0, why="pinned")


def _value(names: tuple[str, ...], level: _Level, role: str) -> str | None:
    if len(names) <= level.depth:
        return None
    name = names[level.depth]
    return _as_split(name) or name if role == "split" else name


def _levels(parts: Mapping[str, tuple[str, ...]], counts: Mapping[str, int]) -> list[_Level]:
    total = sum(counts.values())
    deepest = max((len(names) for names in parts.values()), default=0)
    levels: list[_Level] = []
    splits: _Level | None = None
    for depth in range(deepest):
        names: Counter[str] = Counter()
        for folder, folder_names in parts.items():
            if len(folder_names) > depth:
                names[folder_names[depth]] += counts[folder]
        covered = sum(names.values())
        if covered < COVERAGE * total and not _whole_splits(parts, counts, depth, splits):
            continue
        level = _judge(depth, names, total)
        levels.append(level)
        if level.kind == "split":
            splits = level
    return levels


def _whole_splits(parts: Mapping[str, tuple[str, ...]], counts: Mapping[str, int], depth: int, splits: _Level | None) -> bool:
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


def _tokens(name: str) -> tuple[str, ...]:
    return tuple(token for token in re.split(r"[^A-Za-z]+", name.lower()) if token)


def _reduced(name: str) -> tuple[str, ...]:
    """The words of a folder name that could mean a class."""
    return tuple(t for t in _tokens(name) if t not in _GENERIC and split_name(t) is None)


def _as_split(name: str) -> str | None:
    name = _NUMBERED.sub("", name)
    whole = split_name(name)
    if whole is not None:
        return whole
    words = [split_name(token) for token in _tokens(name) if token not in _GENERIC]
    return words[0] if len(words) == 1 else None


def _judge(depth: int, names: Mapping[str, int], total: int) -> _Level:
    def level(kind: LevelKind, confidence: float, why: str) -> _Level:
        clinical = any(token in _CLINICAL for name in names for token in _tokens(name))
        stored = all(any(token in _GENERIC for token in _tokens(name)) for name in names)
        return _Level(depth=depth, names=names, kind=kind, confidence=confidence, why=why, clinical=clinical, stored=stored)

    count = len(names)
    if all(_as_split(name) is not None for name in names):
        return level("split", 0.95 if count > 1 else 0.8, f"the folders are called {', '.join(sorted(names)[:4])}")
    if count < 2:
        return level("nothing", 1.0, "one folder")
    if _share(names, _SITE) >= 0.9:
        return level("site", 0.85, f"{count:,} folders are named after a site")
    if _share(names, _PATIENT) >= 0.9:
        return level("patient", 0.9, f"{count:,} folders are named after a patient")
    grades = all(re.fullmatch(r"\d{1,2}", name) and int(name) <= 20 for name in names)
    if not grades and _share(names, _UID) + _share(names, _IDENTIFIER) >= 0.5:
        return level("patient", 0.6, f"{count:,} folders are named by a number, as patients or studies are")
    reduced = {_reduced(name) for name in names}
    if (
        not grades
        and (len(reduced) == 1 or reduced == {()})
        and not all(re.search(r"(?:class|grade|stage)", n.lower()) for n in names)
    ):
        return level("nothing", 0.7, "the names differ in nothing that could be a class")
    if not grades and all(not _reduced(name) for name in names):
        return level("nothing", 0.7, "the names are those of storage, not of classes")
    if count > min(MAX_CLASSES, total / 2):
        return level("nothing", 0.6, f"{count:,} folders for {total:,} images are too many for classes")
    why = f"{count:,} folders with {total / count:,.0f} images on average"
    if grades:
        return level("class", 0.75, why + ", named as grades are")
    clinical = any(token in _CLINICAL for name in names for token in _tokens(name))
    return level("class", 0.95 if clinical else 0.8 if count <= 50 else 0.65, why)


def _share(names: Mapping[str, int], pattern: re.Pattern[str]) -> float:
    """Of the names that are no mere storage (`derivatives` beside `sub-01`)."""
    told = [name for name in names if _reduced(name) or not _tokens(name)] or list(names)
    return sum(pattern.search(name) is not None for name in told) / len(told)


def _choose(levels: Sequence[_Level], parts: Mapping[str, tuple[str, ...]]) -> dict[str, _Level]:
    """One level per role. Of two levels that could be classes: the one with a clinical word, then a lower level whose names
    recur under every upper one (site × class) or where the upper ones are called like storage, then the upper one (class /
    subtype)."""
    chosen: dict[str, _Level] = {}
    for level in levels:
        if level.kind in ("split", "patient", "site") and level.kind not in chosen:
            chosen[level.kind] = level
    classes = [level for level in levels if level.kind == "class"]
    if classes:
        best = classes[0]
        for level in classes[1:]:
            crossed = _crossed(parts, best.depth, level.depth)
            if (level.clinical and not best.clinical) or (
                level.clinical == best.clinical and (crossed or (best.stored and not level.stored))
            ):
                best = level
        chosen["label"] = best
    return chosen


def _crossed(parts: Mapping[str, tuple[str, ...]], upper: int, lower: int) -> bool:
    below: dict[str, set[str]] = defaultdict(set)
    for names in parts.values():
        if len(names) > lower:
            below[names[upper]].add(names[lower])
    sets = list(below.values())
    return len(sets) > 1 and all(names == sets[0] for names in sets)
