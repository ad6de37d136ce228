"""Which medaudit.toml this user's own `medaudit fix` wrote: remembered outside the dataset, in the private folder.

A copy's file holds the gate of the scan that it was made by. It judges where it lies, for the one who had it written; nobody
can pack that knowledge into a folder that is sent, and a file that was changed or moved since is a stranger's.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from auditor.files import CONFIG_NAME, head_of, open_regular, write_files
from auditor.private import keyed, others_write, user_key

FOLDER = "own"
NOTE_BYTES = 65
"""One more than a note has."""


def find_config(target: Path) -> Path | None:
    """medaudit.toml of a dataset: in the folder, or beside the file, that the user named."""
    candidate = (target if target.is_dir() else target.parent) / CONFIG_NAME
    return candidate if candidate.is_file() else None


def remember(file: Path, private: Path) -> None:
    """This file was written for the one whose private folder it is; where no key can be kept, that is not remembered.

    Raises:
        OSError: it cannot be written.
    """
    key = user_key()
    if key is None:
        return
    (private / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_files({_note(file, private): _mark(file, key)})


def is_own(file: Path, private: Path) -> bool:
    """The file lies where it was written, and as it was written; told by a note with the user's keyed digest of it."""
    note = _note(file, private)
    try:
        if not note.is_file() or others_write(private) is not None or others_write(note.parent) is not None:
            return False
        key = user_key()
        return key is not None and hmac.compare_digest(head_of(note, NOTE_BYTES), _mark(file, key))
    except OSError:
        return False


def _note(file: Path, private: Path) -> Path:
    return private / FOLDER / hashlib.blake2b(_place(file), digest_size=16).hexdigest()


def _place(file: Path) -> bytes:
    return os.fsencode(str(file.resolve()))


def _mark(file: Path, key: bytes) -> bytes:
    """Keyed digest of where a file lies and of what is in it, in hexadecimal."""
    with open_regular(file) as stream:
        content = hashlib.file_digest(stream, "sha256").digest()
    return keyed(key, "own", _place(file) + b"\0" + content).hex().encode()
