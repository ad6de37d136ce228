"""What belongs to one user alone: a key that nobody else has, and folders that nobody else may write to.

What is kept from one run to the next (measurements, which settings are ours, unfinished work) lies in places that others may
reach: a cache that is restored from a shared store, a folder that was unpacked from an archive. It counts only where it
carries a digest made with the key, which lies elsewhere and is sent nowhere (HMAC-SHA-256, RFC 2104).
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

KEY_BYTES = 32
KEY_NAME = "key"


def state_folder(environment: Mapping[str, str], home: Path) -> Path:
    """The platform's place for what a program remembers of a user."""
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "medaudit"
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA", home / "AppData" / "Local")) / "medaudit"
    return Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state") / "medaudit"


def default_folder(environment: Mapping[str, str], home: Path) -> Path:
    """`MEDAUDIT_CACHE`, else the platform's place for caches."""
    if environment.get("MEDAUDIT_CACHE"):
        return Path(environment["MEDAUDIT_CACHE"])
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "medaudit"
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA", home / "AppData" / "Local")) / "medaudit" / "cache"
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "medaudit"


def private_key(folder: Path) -> bytes | None:
    """The user's key, made when it is first asked for; None where it cannot be kept, or others could have put it there."""
    file = folder / KEY_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if others_write(folder) is not None:
            return None
        return _kept(file) or _made(file)
    except OSError:
        return None


def user_key() -> bytes | None:
    """`private_key` of who runs this process."""
    try:
        home = Path.home()
    except RuntimeError:  # no home at all
        return None
    return private_key(state_folder(os.environ, home))


def keyed(key: bytes, purpose: str, content: bytes) -> bytes:
    """Digest of a content with the key, 32 bytes; those of two purposes are never the same."""
    return hmac.digest(key, purpose.encode() + b"\0" + content, "sha256")


def others_write(folder: Path) -> str | None:
    """Why somebody else may put files into a folder, in words; None where nobody may. Windows keeps rights elsewhere: None."""
    if not hasattr(os, "getuid"):
        return None
    whole = folder.resolve()
    told = whole.stat()
    if told.st_uid != os.getuid():
        return "it belongs to another user"
    if told.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others may write to it"
    for parent in whole.parents:
        mode = parent.stat().st_mode
        # a sticky folder (/tmp) lets nobody rename what is another's
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return f"others may rename it: they may write to {parent}"
    return None


def _kept(file: Path) -> bytes | None:
    """The key that lies there; None where it is none of ours."""
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        told = os.fstat(handle)
        seen = hasattr(os, "getuid") and (told.st_uid != os.getuid() or bool(told.st_mode & 0o077))
        if seen or not stat.S_ISREG(told.st_mode):
            return None
        content = stream.read(KEY_BYTES + 1)
    return content if len(content) == KEY_BYTES else None


def _made(file: Path) -> bytes | None:
    """A new key in the place of whatever lies there; where two processes make one at once, that of the last stays."""
    draft = file.with_name(f".{KEY_NAME}-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return _kept(file)
