"""The files of a dataset, listed once; which names stay inside it; and what the user pinned about it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from auditor.files import OWN_OUTPUT
from auditor.placement.images import Inventory, take_inventory
from auditor.values.dataset import Problem
from auditor.values.errors import DatasetError
from auditor.values.image import Limits
from auditor.values.labels import Level, Task


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user pinned.

    Args:
        roles: a role → the column that holds it; `label` may name several columns, separated by commas.
        root: where the image paths of a table start.
        layout: the layout's name.
        level: what one label speaks about (`Labels.level`).
        task: `Labels.task`.
        separator: what separates the labels of one cell.
        tables: the label tables, relative to the folder; empty = they are found.
        boxes: a table of boxes, relative to the folder; None = it is found, where no label table was named.
        readings: a table of what readers said, relative to the folder; None = as `boxes`.
        corrected: a column → the column beside it that holds its corrected values, which are read in its place.
        left_out: a table whose column `path` names files that are left out on purpose: they do not count as unlisted.
        origin: what the labels were read from before there was a table (`Labels.origin`).
        channels: of records that are several files: channel → the column that names its file, the first that of the images.
        mask_names: value in the masks → what it stands for.
        own_tables: tables of a corrected copy that repeat what its arrays say.
        limits: what one file may cost that must be read before the dataset is known.
        workers: processes that read it; 0 reads in this one, without isolation.
    """

    roles: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None
    layout: str | None = None
    level: Level | None = None
    task: Task | None = None
    separator: str | None = None
    tables: tuple[str, ...] = ()
    boxes: str | None = None
    readings: str | None = None
    corrected: Mapping[str, str] = field(default_factory=dict)
    left_out: Path | None = None
    origin: str | None = None
    channels: Mapping[str, str] = field(default_factory=dict)
    mask_names: Mapping[int, str] = field(default_factory=dict)
    own_tables: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    workers: int = 1


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The files of a dataset, listed once.

    Args:
        target: what the user named: a folder or a file.
        root: the folder that `files` are relative to (the parent when a file was named).
        files: relative path with forward slashes → size in bytes, sorted; no hidden files, no own output,
            no link that leaves the root, no device, no FIFO.
        problems: what was refused, and why.
        limits: what one of its tables may cost.
    """

    target: Path
    root: Path
    files: Mapping[str, int]
    problems: tuple[Problem, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def inventory(self) -> Inventory:
        """The files by use; files of unknown suffix are opened once."""
        return take_inventory(self.root, self.files)

    @property
    def is_file(self) -> bool:
        """The user named one file."""
        return self.target != self.root


def list_files(target: Path, limits: Limits | None = None) -> Listing:
    """List the files of a folder, or the one file that was named; `limits` are for its tables.

    Raises:
        DatasetError: the path does not exist, cannot be opened or is empty.
    """
    limits = limits or Limits()
    if not os.path.exists(target):  # noqa: PTH110 - that of a Path raises where links run in a circle
        raise DatasetError(f"{target}: no such file or folder; check the spelling")
    if target.is_file():
        if not os.access(target, os.R_OK):
            raise DatasetError(f"{target}: the file cannot be opened; check its permissions")
        file = target.parent.resolve() / target.name
        return Listing(target=file, root=file.parent, files={file.name: file.stat().st_size}, limits=limits)
    if not target.is_dir():
        raise DatasetError(f"{target}: neither a file nor a folder")
    if not os.access(target, os.R_OK | os.X_OK):
        raise DatasetError(f"{target}: the folder cannot be opened; check its permissions")
    root = target.resolve()
    files: dict[str, int] = {}
    problems: list[Problem] = []
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    _list_entry(entry, folder, root, files, pending, problems)
        except OSError as error:
            problems.append(_refused(folder.rstrip("/"), f"the folder cannot be opened ({error.strerror})"))
    if not files:
        refused = f" that can be used ({len(problems)} refused)" if problems else ""
        raise DatasetError(
            f"{target}: the folder holds no file{refused}; name the folder that holds the images or the label table"
        )
    problems.sort(key=lambda problem: problem.path)
    return Listing(target=root, root=root, files=dict(sorted(files.items())), problems=tuple(problems), limits=limits)


def settled(path: Path) -> Path:
    """Where a path leads over all links; of those that run in a circle it is one, which is no file: nothing is raised."""
    return Path(os.path.realpath(path))


def _refused(path: str, reason: str) -> Problem:
    return Problem(kind="refused", path=path, reason=reason)


def _list_entry(
    entry: os.DirEntry[str], folder: str, root: Path, files: dict[str, int], pending: list[str], problems: list[Problem]
) -> None:
    """Put one entry of a folder where it belongs: a file, a folder to list, a problem, or nowhere (hidden, own output)."""
    if entry.name.startswith(".") or entry.name == OWN_OUTPUT:
        return
    where = folder + entry.name
    try:
        where.encode("utf-8")
    except UnicodeEncodeError:
        shown = where.encode("utf-8", "backslashreplace").decode("utf-8")
        problems.append(_refused(shown, "the name is not valid UTF-8; rename the file"))
        return
    if entry.is_symlink():
        goal = settled(Path(entry.path))
        if not goal.is_relative_to(root) or not goal.is_file():
            problems.append(_refused(where, "a symbolic link to a folder, to nothing or out of the dataset is not followed"))
            return
    if entry.is_dir(follow_symlinks=False):
        pending.append(where + "/")
        return
    try:
        status = entry.stat()
    except OSError as error:
        problems.append(_refused(where, f"the file cannot be looked at ({error.strerror})"))
        return
    if stat.S_ISREG(status.st_mode):
        files[where] = status.st_size
    else:
        problems.append(_refused(where, "not a regular file (device, pipe or socket)"))


def resolve_inside(root: Path, name: str) -> str | None:
    """`name` (a path from a table, JSON, XML or DICOMDIR) as a relative path inside `root`, or None when it leaves it."""
    clean = os.path.normpath(name.replace("\\", "/"))
    if clean.startswith("/"):
        clean = os.path.relpath(clean, root)
    if "\0" in clean or clean == ".." or clean.startswith("../") or clean[1:2] == ":":
        return None
    return clean


def stays_inside(root: Path, path: str) -> bool:
    """The file is there, called by a clean path, and no link on its way leads out of the dataset."""
    whole = settled(root / path)
    return resolve_inside(root, path) == path and whole.is_file() and whole.is_relative_to(settled(root))
