"""Which medaudit.toml this user's own `medaudit fix` wrote: remembered outside the dataset, in the private folder.

A copy's file holds the gate of the scan that it was made by. It judges where it lies, for the one who had it written; nobody
can pack that knowledge into a folder that is sent, and a file that was changed or moved since is a stranger's.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from auditor.files import head_of, open_regular

FOLDER = "own"


def remember(file: Path, private: Path) -> None:
    """This file was written for the one whose private folder it is.

    Raises:
        OSError: it cannot be written.
    """
    (private / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    _note(file, private).write_text(_digest(file), "ascii")


def is_own(file: Path, private: Path) -> bool:
    """The file lies where it was written, and as it was written; told by a folder that nobody else can write to."""
    note = _note(file, private)
    try:
        if not _is_private(private) or not _is_private(note.parent):
            return False
        return head_of(note, 64).decode("ascii") == _digest(file)
    except (OSError, UnicodeDecodeError):
        return False


def _is_private(folder: Path) -> bool:
    told = folder.stat()
    mine = not hasattr(os, "getuid") or told.st_uid == os.getuid()
    return mine and not told.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _note(file: Path, private: Path) -> Path:
    place = os.fsencode(str(file.resolve()))
    return private / FOLDER / hashlib.blake2b(place, digest_size=16).hexdigest()


def _digest(file: Path) -> str:
    with open_regular(file) as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
