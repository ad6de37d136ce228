"""Which file a name in a table means: exact, by its last folders, or without its suffix; never outside the root."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.naming.suffixes import stem_of
from auditor.placement.listing import resolve_inside


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """One entry per name.

    Args:
        files: the file it means, or None.
        names: the name as a clean relative path; None when it leaves the root.
        doubtful: names that several files fit: none was taken.
    """

    files: tuple[str | None, ...]
    names: tuple[str | None, ...]
    doubtful: frozenset[str] = frozenset()

    @property
    def found(self) -> int:
        """Names with a file."""
        return sum(file is not None for file in self.files)


def clean_name(root: Path, name: str) -> str | None:
    """A name as a relative path with forward slashes, or None when it leaves the root."""
    name = name.replace("\\", "/")
    if name.startswith(("/", "./", "~")) or ".." in name or "//" in name or "/./" in name or ":" in name or "\0" in name:
        return resolve_inside(root, name)
    return name


def resolve_names(root: Path, names: Sequence[str], files: Sequence[str]) -> Resolved:
    """Match distinct names with files (relative paths).

    A name without folders means the one file so called, wherever it lies; a name with folders means the file that shares
    most of its last folders. A name without a known suffix is compared with the stems.
    """
    cleaned = [clean_name(root, name) if name else None for name in names]
    known = set(files)
    if not known:
        return Resolved(files=(None,) * len(names), names=tuple(cleaned))
    by_base: dict[str, list[str]] = defaultdict(list)
    by_stem: dict[str, list[str]] = defaultdict(list)
    for file in files:
        by_base[file.rpartition("/")[2]].append(file)
        by_stem[stem_of(file)].append(file)
    found: list[str | None] = []
    doubtful: set[str] = set()
    for name in cleaned:
        if name is None:
            found.append(None)
        elif name in known:
            found.append(name)
        else:
            base = name.rpartition("/")[2]
            candidates = by_base.get(base) or by_stem.get(base) or by_stem.get(stem_of(base), [])
            best = _closest(name, candidates)
            if best is None and candidates:
                doubtful.add(name)
            found.append(best)
    return Resolved(files=tuple(found), names=tuple(cleaned), doubtful=frozenset(doubtful))


def _closest(name: str, candidates: Sequence[str]) -> str | None:
    """The candidate that shares the most last folders with `name`; None where two are as close, or a named folder differs."""
    folders = name.split("/")[:-1]
    if len(candidates) == 1:
        there = candidates[0].split("/")[:-1]
        if not folders or not there or _shared(folders, there):
            return candidates[0]
        return None
    scored = sorted(((_shared(folders, file.split("/")[:-1]), file) for file in candidates), reverse=True)
    return scored[0][1] if len(scored) > 1 and scored[0][0] > scored[1][0] else None


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many last folders are the same."""
    count = 0
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
