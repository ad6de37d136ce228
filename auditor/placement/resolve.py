"""Which file a name in a table means: exact, by its last folders, without its suffix, in other letters, as an address, or
without the zeros in front that a spreadsheet took away; never outside the root."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from auditor.naming.suffixes import stem_of
from auditor.placement.listing import resolve_inside

_ABSOLUTE = re.compile(r"(?:[A-Za-z]:)?/+|[A-Za-z]:|~/")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
_DIGITS = 18


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """One entry per name.

    Args:
        files: the file it means, or None.
        names: the name as a clean relative path; None when it leaves the root.
        doubtful: names that several files fit: none was taken.
        renumbered: names that mean a file only when the zeros in front of its number are left out.
    """

    files: tuple[str | None, ...]
    names: tuple[str | None, ...]
    doubtful: frozenset[str] = frozenset()
    renumbered: frozenset[str] = frozenset()

    @property
    def found(self) -> int:
        """Names with a file."""
        return sum(file is not None for file in self.files)


def clean_name(root: Path, name: str) -> str | None:
    """A name as a relative path with forward slashes, or None when it leaves the root."""
    name = name.replace("\\", "/")
    if _ADDRESS.match(name):
        return None
    if name.startswith(("/", "./", "~")) or ".." in name or "//" in name or "/./" in name or ":" in name or "\0" in name:
        return resolve_inside(root, name)
    return name


def foreign_path(name: str) -> str | None:
    """The folders and the file of an absolute path of another machine (`D:\\study\\a.png`) or of an address, without its
    beginning; else None.

    Such a name is compared with the files that were listed, and never opened.
    """
    name = name.replace("\\", "/")
    if _ADDRESS.match(name):
        name = "/" + unquote(re.split(r"[?#]", name.partition("://")[2], maxsplit=1)[0])
    found = _ABSOLUTE.match(name)
    rest = name[found.end() :] if found is not None else ""
    parts = [part for part in rest.split("/") if part not in ("", ".")]
    return "/".join(parts) if parts and ".." not in parts and "\0" not in rest else None


def _letters(name: str) -> str:
    """The same for a name in capitals, and with its accents apart (as one system writes them) or in one letter."""
    return unicodedata.normalize("NFC", name).casefold()


class Files:
    """The files of a dataset by the names that a table may give them."""

    def __init__(self, files: Sequence[str]) -> None:
        self.known = set(files)
        self.by_base: dict[str, list[str]] = defaultdict(list)
        self.by_stem: dict[str, list[str]] = defaultdict(list)
        self.by_letters: dict[str, list[str]] = defaultdict(list)
        self.by_number: dict[int, list[str]] = defaultdict(list)
        for file in files:
            base, stem = file.rpartition("/")[2], stem_of(file)
            self.by_base[base].append(file)
            self.by_stem[stem].append(file)
            self.by_letters[_letters(base)].append(file)
            if _letters(stem) != _letters(base):
                self.by_letters[_letters(stem)].append(file)
            if stem.isascii() and stem.isdecimal() and len(stem) <= _DIGITS:
                self.by_number[int(stem)].append(file)

    def named(self, name: str) -> Sequence[str]:
        """The files that a clean name may mean, by the strictest rule that finds any."""
        base = name.rpartition("/")[2]
        strict = self.by_base.get(base) or self.by_stem.get(base) or self.by_stem.get(stem_of(base))
        if strict:
            return strict
        plain = unquote(base)
        wanted = (_letters(base), _letters(stem_of(base)), _letters(plain), _letters(stem_of(plain)))
        return next((self.by_letters[one] for one in wanted if one in self.by_letters), ())

    def numbered(self, name: str) -> Sequence[str]:
        """The files whose number it is (`7`, `7.0` → `007.png`); none where the name is no number."""
        base = stem_of(name.rpartition("/")[2])
        base = base.removesuffix(".0")
        return self.by_number.get(int(base), ()) if base.isascii() and base.isdecimal() and len(base) <= _DIGITS else ()


def resolve_names(root: Path, names: Sequence[str], files: Sequence[str], *, numbers: bool = False) -> Resolved:
    """Match distinct names with files (relative paths).

    A name without folders means the one file so called, wherever it lies; a name with folders means the file that shares
    most of its last folders. A name without a known suffix is compared with the stems.

    Args:
        numbers: a number also means the file that is called so with zeros in front.
    """
    cleaned = [clean_name(root, name) if name else None for name in names]
    if not files:
        return Resolved(files=(None,) * len(names), names=tuple(cleaned))
    there = Files(files)
    found: list[str | None] = []
    doubtful: set[str] = set()
    renumbered: set[str] = set()
    for place, (given, clean) in enumerate(zip(names, cleaned, strict=True)):
        name = clean if clean is not None else foreign_path(given)
        if name is None or name in there.known:
            cleaned[place] = name if name is not None else clean
            found.append(name)
            continue
        candidates = there.named(name)
        by_number = numbers and not candidates
        if by_number:
            candidates = there.numbered(name)
        best = _closest(name, candidates, foreign=clean is None)
        if best is not None and clean is None:
            cleaned[place] = best
        if best is None and candidates and clean is not None:
            doubtful.add(name)
        if best is not None and by_number:
            renumbered.add(given)
        found.append(best)
    return Resolved(files=tuple(found), names=tuple(cleaned), doubtful=frozenset(doubtful), renumbered=frozenset(renumbered))


def _closest(name: str, candidates: Sequence[str], *, foreign: bool = False) -> str | None:
    """The candidate that shares the most last folders with `name`; None where two are as close, or a named folder differs.

    Of a path of another machine (`foreign`) the folders may all be others.
    """
    folders = name.split("/")[:-1]
    if len(candidates) == 1:
        there = candidates[0].split("/")[:-1]
        if foreign or not folders or not there or _shared(folders, there):
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
