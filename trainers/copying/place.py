"""Where a corrected copy may lie, and how it gets there: built beside its place and renamed, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditor.abandoned import abandoned, held, prefix_of
from auditor.files import OWN_OUTPUT, check_way
from auditor.values.errors import ConfigError, MedauditError
from trainers.copying.corrected_copy import STATE

_OLD = "copy"
"""How the earlier copy is called in the folder where it waits."""


def check_place(output: Path, sources: tuple[Path, ...]) -> None:
    """Refuse a place that would touch the user's data, or something that is no earlier copy.

    Args:
        output: where the copy shall lie.
        sources: folders and files of the user's dataset.

    Raises:
        ConfigError: the place cannot be used; it says why.
        MedauditError: `medaudit-out` is a link.
    """
    check_way(output)
    goal = output.resolve()
    for source in {path.resolve() for path in sources}:
        if source == goal or source.is_relative_to(goal):
            raise ConfigError(f"--output {output}: the dataset lies there; name a new folder for the copy")
        # Below medaudit-out a copy is no part of the dataset: that folder is never listed.
        if goal.is_relative_to(source) and OWN_OUTPUT not in goal.relative_to(source).parts:
            raise ConfigError(
                f"--output {output}: lies inside the dataset and would become part of it; "
                f"name a folder outside, or one below {OWN_OUTPUT}"
            )
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise ConfigError(f"--output {output}: there is something else of that name; name a new folder for the copy")
    if output.is_dir() and any(output.iterdir()) and not (output / STATE).is_file():
        raise ConfigError(f"--output {output}: holds files that are no corrected copy of medaudit; name a new folder")
    there = next(parent for parent in output.absolute().parents if parent.exists())
    try:  # told before an hour of training, not after; rights alone do not tell it (read-only disks, quotas, root)
        Path(tempfile.mkdtemp(prefix=".medaudit-", dir=there)).rmdir()
    except OSError as error:
        raise ConfigError(f"--output {output}: cannot be written ({error.strerror}); name another place") from None


@contextmanager
def built(output: Path) -> Iterator[Path]:
    """A new private folder beside `output`; it takes its place when the block ends well, and vanishes when it does not.

    What an earlier run that was killed left there for the same `output` is cleared away first; a copy that it had put aside
    comes back.

    Raises:
        MedauditError: the folder cannot be written.
    """
    made = [parent for parent in output.parents if not parent.exists()]
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(output)
        folder = Path(tempfile.mkdtemp(prefix=prefix_of(output), dir=output.parent))
    except OSError as error:
        raise MedauditError(f"{output}: cannot be written ({error.strerror})") from error
    finished = False
    try:
        with held(folder):
            yield folder
            _take_place(folder, output)
        finished = True
    except OSError as error:
        raise MedauditError(f"{output}: cannot be written ({error.strerror}); nothing was changed") from error
    finally:
        if not finished:
            shutil.rmtree(folder, ignore_errors=True)
            for parent in made:
                if parent.is_dir() and not any(parent.iterdir()):
                    parent.rmdir()


def _clear_abandoned(output: Path) -> None:
    """Remove what was built for this output, and is held by no process that lives; an earlier copy comes back."""
    for left in abandoned(output):
        if not left.is_dir():
            continue
        old = left / _OLD
        if old.is_dir() and not old.is_symlink() and not os.path.lexists(output):
            old.rename(output)
        shutil.rmtree(left, ignore_errors=True)


def _take_place(folder: Path, output: Path) -> None:
    """Rename, an earlier copy out of the way first and back again when that fails."""
    if not output.exists():
        folder.rename(output)
        return
    aside = Path(tempfile.mkdtemp(prefix=prefix_of(output), dir=output.parent)) / _OLD
    with held(aside.parent):
        output.rename(aside)
        try:
            folder.rename(output)
        except OSError:
            aside.rename(output)
            raise
        finally:
            shutil.rmtree(aside.parent, ignore_errors=True)


def put(path: Path, content: bytes) -> None:
    """Write one file of a copy that is being built, and have it on the disk before the copy takes its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def bring(path: Path, source: Path) -> None:
    """Copy one file into a copy that is being built. Never a link: what changes the copy must not change the original."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, path)
