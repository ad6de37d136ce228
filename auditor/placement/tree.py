"""Which role each level of a folder tree has: split, class, patient or site. What one level means is `folder_levels`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.naming.acquisition import is_acquisition
from auditor.naming.folder_names import IMAGE_WORDS, drawn_among, splits_among
from auditor.placement.folder_levels import UNTOLD, FolderLevel, LevelKind, folder_levels
from auditor.values.errors import DatasetError
from auditor.values.results import Guess

FOLDER_PIN = "folder:"
"""How the user gives a role to a folder level: `--split folder:1`."""

_PINNABLE: Mapping[str, LevelKind] = {"label": "class", "split": "split", "patient": "patient", "site": "site"}


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
    fields: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    """Of levels that say how pictures were taken: name → a value per file."""
    aside: tuple[str, ...] = ()
    """What is told of those levels."""
    untold: tuple[int, tuple[str, ...]] | None = None
    """A level, from 0, whose names may be grades, and they."""


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


def read_folders(paths: Sequence[str], pinned: Mapping[str, int] | None = None, drawings: Collection[str] = ()) -> FolderRoles:
    """Roles of the folders that `paths` (relative, with forward slashes) lie in.

    Args:
        pinned: role → level that the user gave to it (`pinned_levels`).
        drawings: files of drawings in the same tree, which are none of `paths`.

    Raises:
        DatasetError: a pinned level is deeper than any folder.
    """
    pinned = pinned or {}
    folders = [path.rpartition("/")[0] for path in paths]
    counts = Counter(folders)
    parts = {folder: tuple(folder.split("/")) if folder else () for folder in counts}
    levels = folder_levels(parts, counts, drawings)
    roles: dict[str, tuple[str | None, ...]] = {}
    guesses: list[Guess] = []
    notes: list[str] = []
    chosen = _choose([level for level in levels if level.depth not in pinned.values()], parts)
    chosen |= {role: _pinned(role, depth, parts, counts) for role, depth in pinned.items()}
    for role, level in chosen.items():
        above = chosen["site"].depth if role == "patient" and "site" in chosen and role not in pinned else None
        values = {folder: _value(names, level, role, above) for folder, names in parts.items()}
        roles[role] = tuple(values[folder] for folder in folders)
        what = "class folder" if role == "label" else "folder"
        value = f"{what}, level {level.depth + 1}"
        guesses.append(Guess(role=role, value=value, confidence=level.confidence, why=level.why, pinned=role in pinned))
        unsaid = sum(count for folder, count in counts.items() if values[folder] is None)
        if unsaid and role == "label":
            drawn = sorted(drawn_among(level.names))
            beside = f"; {', '.join(drawn[:3])} sound like drawings, and no image is called as their files are" if drawn else ""
            notes.append(f"{unsaid:,} images lie in no class folder: unlabelled{beside}")
    untold = next((level for level in levels if level.why == UNTOLD and not pinned), None)
    fields, aside = {}, []
    for level in levels:
        if level.kind == "acquisition" and level.depth not in pinned.values():
            said = {folder: names[level.depth] if len(names) > level.depth else None for folder, names in parts.items()}
            fields[f"folder {level.depth + 1}"] = tuple(said[folder] for folder in folders)
            if "label" not in pinned:
                learnt = f"if it is what is learnt, say --label folder:{level.depth + 1}"
                aside.append(f"folder level {level.depth + 1}: {level.why}; {learnt}")
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
        fields=fields,
        aside=tuple(aside),
        untold=(untold.depth, tuple(sorted(untold.names))) if untold is not None else None,
    )


def _pinned(role: str, depth: int, parts: Mapping[str, tuple[str, ...]], counts: Mapping[str, int]) -> FolderLevel:
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
    return FolderLevel(depth=depth, names=names, kind=_PINNABLE[role], confidence=1.0, why="pinned")


def _value(names: tuple[str, ...], level: FolderLevel, role: str, site_depth: int | None = None) -> str | None:
    """What a folder says in a role. The numbers of cases start anew at each site: there the site is a part of who it is."""
    if len(names) <= level.depth:
        return None
    name = names[level.depth]
    if role == "label" and level.confidence < 1 and (name.lower() in IMAGE_WORDS or name in drawn_among(level.names)):
        return None  # a test split without classes; drawings, of whatever
    if role == "split":
        return splits_among(level.names).get(name, name)
    if role == "patient" and level.confidence < 1 and is_acquisition(name):
        # `Amsterdam/GE3T/100` beside `Utrecht/50`: the scanner is nobody, the folder below it is
        if len(names) <= level.depth + 1:
            return None
        name = names[level.depth + 1]
    if role == "patient" and site_depth is not None and site_depth < level.depth and name.isdecimal():
        return f"{names[site_depth]}/{name}"
    return name


def _choose(levels: Sequence[FolderLevel], parts: Mapping[str, tuple[str, ...]]) -> dict[str, FolderLevel]:
    """One level per role. Of two levels that could be classes: the one with a clinical word, then a lower level whose names
    recur under every upper one (site × class) or where the upper ones are called like storage, then the upper one (class /
    subtype)."""
    chosen: dict[str, FolderLevel] = {}
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
