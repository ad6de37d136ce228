"""Archives beside or in the place of images: told by name with what to do, and unpacked by `medaudit unpack` alone."""

from __future__ import annotations

from pathlib import Path

from auditor.containers.archive_names import SUFFIXES, holds_images, holds_tables, names_in
from auditor.files import head_of

HEAD_BYTES = 1 << 18
UNPACK = "an archive with images, which is not looked into: medaudit unpack makes a folder of it to scan"
TABLES_INSIDE = "an archive with tables or annotations, which is not looked into: medaudit unpack makes a folder of it"
CLOSED = "an archive that cannot be looked into: unpack it, or take it out of the folder"


def archive_kind(path: Path) -> str:
    """What is told of a file that is called like an archive and may hold images or labels; empty where it holds neither."""
    name = path.name.lower()
    if not name.endswith(tuple(f".{suffix}" for suffix in SUFFIXES)):
        return ""
    try:
        names = names_in(head_of(path, HEAD_BYTES, end=HEAD_BYTES))
    except OSError:
        return ""
    if holds_images(names):
        return UNPACK
    if holds_tables(names):
        return TABLES_INSIDE
    return "" if names or not path.stat().st_size else CLOSED
