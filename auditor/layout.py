"""How a dataset lies on disk: the listing of its files, what a layout is, and which one fits.

A layout module in `auditor.layouts` has two names:

* `detect(listing: Listing, options: Options) -> Detection | None`
* `load(listing: Listing, options: Options) -> Dataset`

Names propose, content decides: a path column must resolve to files, 1 < patients < rows.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

from auditor.dataset import Dataset, Problem
from auditor.errors import DatasetError

OWN_OUTPUT = "medaudit-out"
CONFIG_NAME = "medaudit.toml"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user pinned: a role → the column that holds it. `root` is where image paths of a table start."""

    roles: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None
    layout: str | None = None
    level: str | None = None
    task: str | None = None
    separator: str | None = None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The files of a dataset, listed once.

    Args:
        target: what the user named: a folder or a file.
        root: the folder that `files` are relative to (the parent when a file was named).
        files: relative path with forward slashes → size in bytes, sorted; no hidden files, no own output,
            no link that leaves the root, no device, no FIFO.
        problems: what was refused, and why.
    """

    target: Path
    root: Path
    files: Mapping[str, int]
    problems: tuple[Problem, ...] = ()

    @property
    def is_file(self) -> bool:
        """The user named one file."""
        return self.target != self.root


@dataclass(frozen=True, kw_only=True)
class Detection:
    """A layout that fits: confidence 0–1 and why."""

    layout: str
    confidence: float
    why: str


def list_files(target: Path) -> Listing:
    """List the files of a folder, or the one file that was named.

    Raises:
        DatasetError: the path does not exist, cannot be opened or is empty.
    """
    if not target.exists():
        raise DatasetError(f"{target}: no such file or folder; check the spelling")
    root = (target if target.is_dir() else target.parent).resolve()
    if target.is_file():
        return Listing(target=target.resolve(), root=root, files={target.name: target.stat().st_size})
    if not target.is_dir():
        raise DatasetError(f"{target}: neither a file nor a folder")
    if not os.access(target, os.R_OK | os.X_OK):
        raise DatasetError(f"{target}: the folder cannot be opened; check its permissions")
    files: dict[str, int] = {}
    problems: list[Problem] = []
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            where = folder.relative_to(root).as_posix()
            problems.append(Problem(kind="refused", path=where, reason=f"the folder cannot be opened ({error.strerror})"))
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name == OWN_OUTPUT:
                continue
            where = Path(entry.path).relative_to(root).as_posix()
            if entry.is_symlink():
                goal = Path(entry.path).resolve()
                if not goal.is_relative_to(root) or not goal.is_file():
                    reason = "a symbolic link to a folder or out of the dataset is not followed"
                    problems.append(Problem(kind="refused", path=where, reason=reason))
                    continue
            if entry.is_dir(follow_symlinks=False):
                pending.append(Path(entry.path))
                continue
            status = entry.stat()
            if not stat.S_ISREG(status.st_mode):
                problems.append(Problem(kind="refused", path=where, reason="not a regular file (device, pipe or socket)"))
                continue
            files[where] = status.st_size
    if not files:
        raise DatasetError(f"{target}: the folder holds no file; name the folder that holds the images or the label table")
    return Listing(target=root, root=root, files=dict(sorted(files.items())), problems=tuple(problems))


def resolve_inside(root: Path, name: str) -> str | None:
    """`name` (a path from a table, JSON, XML or DICOMDIR) as a relative path inside `root`, or None when it leaves it."""
    clean = os.path.normpath(name.replace("\\", "/"))
    if os.path.isabs(clean):
        try:
            clean = os.path.relpath(clean, root)
        except ValueError:
            return None
    clean = Path(clean).as_posix()
    return None if clean == ".." or clean.startswith("../") else clean


@cache
def layouts() -> Mapping[str, ModuleType]:
    """All layout modules by name."""
    import auditor.layouts as package

    return {m.name: importlib.import_module(f"auditor.layouts.{m.name}") for m in pkgutil.iter_modules(package.__path__)}


def detect(listing: Listing, options: Options) -> list[Detection]:
    """Layouts that fit, the most confident first."""
    if options.layout is not None:
        if options.layout not in layouts():
            raise DatasetError(f"no layout is called {options.layout!r}; there are: {', '.join(sorted(layouts()))}")
        return [Detection(layout=options.layout, confidence=1.0, why="pinned")]
    found = [module.detect(listing, options) for module in layouts().values()]
    return sorted((d for d in found if d is not None), key=lambda d: (-d.confidence, d.layout))


def open_dataset(target: Path, options: Options) -> Dataset:
    """List, detect, load.

    Raises:
        DatasetError: nothing there, or nothing that can be read as a dataset, or an unknown column.
    """
    listing = list_files(target)
    fits = detect(listing, options)
    if not fits:
        raise DatasetError(
            f"{target}: no images, label table or npz found; name the folder that holds the images, or the label table"
        )
    dataset: Dataset = layouts()[fits[0].layout].load(listing, options)
    return dataset
