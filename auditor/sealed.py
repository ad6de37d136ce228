"""What an unfinished run keeps for the one that goes on: a file with a digest made with the user's key before its content.

Such files lie beside a copy, where they may have been through other hands or through a disk that was full. Whoever takes one
up gets it as this user's medaudit wrote it, or an error; nothing in it is parsed or unpickled before that is known.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path

from auditor.files import open_regular
from auditor.private import keyed, user_key

_MARK = b"medaudit work\n"
_HEAD_BYTES = len(_MARK) + 32


def seal(purpose: str, content: bytes) -> bytes:
    """The content behind its digest. Without a key (there is no place for one) it still tells a file that is cut off.

    Args:
        purpose: what reads it; a file of another purpose is none of it.
    """
    return _head(purpose, content) + content


def unsealed(purpose: str, path: Path, *, most_bytes: int) -> bytes:
    """The content of a file that `seal` made.

    Raises:
        OSError: it cannot be read, or is no regular file.
        ValueError: it is larger than that, or not as this user's medaudit wrote it.
    """
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size - _HEAD_BYTES
        if size > most_bytes:
            raise ValueError(f"it is larger than {most_bytes:,} bytes")
        head, content = stream.read(_HEAD_BYTES), stream.read(max(0, size))
    if not hmac.compare_digest(head, _head(purpose, content)):
        raise ValueError("it is not as your medaudit wrote it")
    return content


def _head(purpose: str, content: bytes) -> bytes:
    return _MARK + keyed(user_key() or b"", f"work {purpose}", content)
