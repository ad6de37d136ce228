"""Which files this user's medaudit wrote, so that it takes the place of those and of no others.

A table, a list of hashes or an array says nothing of who made it: kept is a digest with the user's key of its place, size and
time, in the private folder. A file that was changed since is the user's own again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from auditor.files import head_of, is_of_ours, write_files
from auditor.private import keyed, state_folder, user_key
from auditor.values.errors import ConfigError, MedauditError

MOST = 1000
"""So many are remembered, the last ones."""
_NAME = "written"


def keep_foreign(outputs: Iterable[Path], *, usual: str = "") -> None:
    """Refuse an output that would take the place of a file, or a link, that medaudit did not write; an empty one is no loss.

    Args:
        usual: the name that an output has where none is given: it lies there from last time.

    Raises:
        ConfigError: it would.
    """
    for path in outputs:
        if path == Path(usual) or not os.path.lexists(path) or (path.is_dir() and not path.is_symlink()):
            continue
        own = not path.is_symlink() and (path.stat().st_size == 0 or is_of_ours(path) or _mark(path) in _remembered())
        if not own:
            raise ConfigError(f"{path}: is there already and is no output of medaudit; it is not written over, name another")


def remember(outputs: Iterable[Path]) -> None:
    """Keep in mind that these were written just now; where nothing can be kept, they are told as foreign the next time."""
    marks = [mark for path in outputs if path.is_file() and (mark := _mark(path)) is not None]
    with suppress(OSError, MedauditError, RuntimeError):
        if marks:
            kept = list(dict.fromkeys([*_remembered(), *marks]))[-MOST:]
            write_files({_place(): "".join(f"{mark}\n" for mark in kept).encode()}, mode=0o600)


def _place() -> Path:
    return state_folder(os.environ, Path.home()) / _NAME


def _remembered() -> list[str]:
    """The marks; what somebody else wrote there fits no file, for want of the key."""
    try:
        return head_of(_place(), MOST * 65).decode("ascii").split()
    except (OSError, ValueError, RuntimeError):
        return []


def _mark(path: Path) -> str | None:
    """Place, size and time of a file, with the key; None where there is no key."""
    key = user_key()
    if key is None:
        return None
    told = path.stat()
    what = f"{os.path.realpath(path)}\0{told.st_size}\0{told.st_mtime_ns}"
    return keyed(key, "written", what.encode("utf-8", "surrogateescape")).hex()
