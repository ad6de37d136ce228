"""A Croissant file, and the digests of what it declares. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

import hashlib
import string
from pathlib import Path

from auditor.containers.source import read_json_document
from auditor.files import open_regular
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

_LENGTHS = {"sha256": 64, "md5": 32}


def declared(limits: Limits, path: Path, is_croissant: bool) -> list[tuple[str, str, str]]:
    """(address, algorithm, checksum) of every file object; a checksum that is none is empty.

    Args:
        is_croissant: its name says so; else only where its content says that it conforms.

    Raises:
        UnreadableFile: too large, or no JSON.
    """
    content = read_json_document(path, limits)
    if not isinstance(content, dict) or not (is_croissant or "croissant" in str(content.get("conformsTo", "")).lower()):
        return []
    items = content.get("distribution", [])
    found: list[tuple[str, str, str]] = []
    for item in items if isinstance(items, list) else []:
        address = item.get("contentUrl") if isinstance(item, dict) else None
        if not isinstance(address, str) or not str(item.get("@type", "")).endswith("FileObject"):
            continue
        for algorithm, length in _LENGTHS.items():
            if item.get(algorithm) is not None:
                text = str(item[algorithm]).strip().lower()
                good = len(text) == length and set(text) <= set(string.hexdigits)
                found.append((address, algorithm, text if good else ""))
    return found


def digest(limits: Limits, path: Path, algorithm: str) -> str:  # noqa: ARG001 - read in blocks, bounded by time alone
    """Hexadecimal digest of a file's bytes.

    Raises:
        UnreadableFile: it cannot be opened.
    """
    try:
        with open_regular(path) as stream:
            return hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise UnreadableFile("refused", f"the file cannot be opened ({error.strerror})") from None
