"""Content of files, read once and bounded: the file itself, and a file beside it that it names."""

from __future__ import annotations

import stat
from pathlib import Path

from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Limits


def read_source(path: Path, limits: Limits, root: Path | None = None) -> FileSource:
    """Read a file whole.

    Args:
        path: the file.
        limits: it may be no larger than `limits.file_bytes`.
        root: the folder that a file beside it must not leave; its own folder when not given.

    Raises:
        UnreadableFile: empty, larger than `limits.file_bytes`, not a regular file, no permission.
    """
    try:
        status = path.stat()
        # asked before opening: a pipe would block
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile("refused", "not a regular file (folder, device, pipe or socket)")
        with path.open("rb") as file:
            # one byte more than it had, so that a file that grew meanwhile is noticed; never the limit itself, because
            # read() reserves what it is asked for
            content = file.read(status.st_size + 1) if status.st_size <= limits.file_bytes else b""
    except OSError as error:
        raise UnreadableFile("refused", f"the file cannot be opened ({error.strerror})") from None
    except MemoryError:
        raise UnreadableFile("memory", f"the file has {status.st_size:,} bytes, more than fit into memory") from None
    size = max(status.st_size, len(content))
    if size > limits.file_bytes:
        raise UnreadableFile("too-large", f"the file has {size:,} bytes, more than the limit of {limits.file_bytes:,}")
    if not content:
        raise UnreadableFile("empty", "the file is empty (0 bytes)")
    return FileSource(path=path, content=content, root=root or path.parent)


def place_beside(source: FileSource, name: str) -> Path:
    """The file that a header names for its pixels: relative to the header, inside `source.root` whatever links lie on the way.

    Raises:
        UnreadableFile: kind `refused`; the name is not shown, it may tell of a person.
    """
    clean = name.strip().replace("\\", "/")
    place = (source.path.parent / clean).resolve()
    if not clean or "\0" in clean or clean.startswith(("/", "~")) or clean[1:2] == ":":
        raise UnreadableFile("refused", "the header names its data file by an absolute path or not at all: it is not opened")
    if not place.is_relative_to((source.root or source.path.parent).resolve()):
        raise UnreadableFile("refused", "the header names a data file outside the dataset: it is not opened")
    if not place.is_file():
        raise UnreadableFile("refused", "the data file that the header names is not there")
    return place


def name_beside(source: FileSource, place: Path) -> str:
    """A place of `place_beside` as `Header.beside` holds it: relative to the root, with forward slashes."""
    return place.relative_to((source.root or source.path.parent).resolve()).as_posix()
