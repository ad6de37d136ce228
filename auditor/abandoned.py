"""What a run that was killed left beside its output: told by a name that nobody else gives, held by no process that lives."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditor.private import keyed, user_key

BEFORE = ".medaudit-"
HOLDS = importlib.util.find_spec("fcntl") is not None
"""Files and folders can be held here; Windows has no such call, and renames no file that is open."""


def prefix_of(output: Path) -> str:
    """How that which is built for an output is called: with a key, a name that only this user's medaudit gives."""
    key = user_key()
    return BEFORE if key is None else f"{BEFORE}{keyed(key, 'place', os.fsencode(output.resolve()))[:6].hex()}-"


def abandoned(output: Path, ending: str = "") -> Iterator[Path]:
    """What lies beside an output, was begun for it by this user's medaudit, and is not held; held while the caller looks at it.

    Without a key nobody can tell ours from what is called so in a data set that was sent: there is none.
    """
    prefix = prefix_of(output)
    if prefix == BEFORE:
        return
    with os.scandir(output.parent) as listed:
        found = sorted(one.name for one in listed if one.name.startswith(prefix) and one.name.endswith(ending))
    for name in found:
        left = output.parent / name
        if left.is_symlink():
            continue
        with held(left) as ours:
            if ours:
                yield left


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold a file or folder for as long as this process lives; False where another does, or where they cannot be held."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:  # it has gone meanwhile; Windows opens no folder
        yield False
        return
    try:
        yield hold(handle)
    finally:
        os.close(handle)


def hold(handle: int) -> bool:
    """Hold what is open until it is closed; False where another process holds it, or where that cannot be."""
    if not HOLDS:
        return False
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
