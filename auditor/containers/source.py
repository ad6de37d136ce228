"""Content of files, read once and bounded: the file itself, and a file beside it that it names."""

from __future__ import annotations

import json
import mmap
import os
import re
import stat
from pathlib import Path
from typing import Any, cast

from auditor.files import open_regular
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Limits

_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""One half of a pair of UTF-16, written as JSON writes it."""


class Mapped(mmap.mmap):
    """A file's content of which only what is looked at is read; behaves as `bytes` as far as readers of headers go."""

    def startswith(self, prefix: bytes | tuple[bytes, ...], start: int = 0) -> bool:
        """As that of `bytes`."""
        longest = max(map(len, prefix)) if isinstance(prefix, tuple) else len(prefix)
        return self[start : start + longest].startswith(prefix)


def read_source(path: Path, limits: Limits, root: Path | None = None, *, mapped: object = False) -> FileSource:
    """Read a file whole.

    Args:
        path: the file.
        limits: it may be no larger than `limits.file_bytes`.
        root: the folder that a file beside it must not leave; its own folder when not given.
        mapped: map it: where only the header is wanted, little of a large file is read. A process that looks at a mapped
            file while somebody cuts it short is ended by the kernel, so this is for workers.

    Raises:
        UnreadableFile: empty, larger than `limits.file_bytes`, not a regular file, no permission.
    """
    try:
        # asked before opening: to open a device may do something
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableFile("refused", "not a regular file (folder, device, pipe or socket)")
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            # one byte more than it had, so that a file that grew meanwhile is noticed; never the limit itself, because
            # read() reserves what it is asked for
            content: bytes | Mapped = b""
            if mapped and 0 < status.st_size <= limits.file_bytes:
                content = Mapped(file.fileno(), 0, access=mmap.ACCESS_READ)
            elif status.st_size <= limits.file_bytes:
                content = file.read(status.st_size + 1)
    except OSError as error:
        raise UnreadableFile("refused", f"the file cannot be opened ({error.strerror})") from None
    except MemoryError:
        reason = f"the file has {status.st_size:,} bytes, more than fit into the memory of its reader ([limits] memory-bytes)"
        raise UnreadableFile("memory", reason) from None
    size = max(status.st_size, len(content))
    if size > limits.file_bytes:
        reason = f"the file has {size:,} bytes, more than the limit of {limits.file_bytes:,} ([limits] file-bytes)"
        raise UnreadableFile("over-limit", reason)
    if not content:
        raise UnreadableFile("empty", "the file is empty (0 bytes)")
    return FileSource(path=path, content=cast(bytes, content), root=root or path.parent)


def read_document(path: Path, limits: Limits) -> bytes:
    """A small document (XML, JSON, a list) whole; it may be empty.

    Raises:
        UnreadableFile: larger than `limits.document_bytes`, not a regular file, no permission.
    """
    try:
        with open_regular(path) as file:
            content = file.read(limits.document_bytes + 1)
    except OSError as error:
        raise UnreadableFile("refused", f"the file cannot be opened ({error.strerror})") from None
    if len(content) > limits.document_bytes:
        reason = f"it is larger than {limits.document_bytes:,} bytes; raise [limits] document-bytes"
        raise UnreadableFile("too-large", reason)
    return content


def read_json_document(path: Path, limits: Limits) -> Any:
    """The values of a JSON document in UTF-8; halves of characters (`\\udcff`), which no text can hold, are replaced.

    Raises:
        UnreadableFile: as `read_document`, or no JSON (kind `malformed`).
    """
    try:
        text = read_document(path, limits).decode("utf-8-sig")
        found = json.loads(text)
        return _whole(found) if _HALF.search(text) else found
    except (ValueError, RecursionError):
        raise UnreadableFile("malformed", "no JSON in UTF-8") from None


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return {_whole(key): _whole(one) for key, one in value.items()} if isinstance(value, dict) else value


def place_beside(source: FileSource, name: str) -> Path:
    """The file that a header names for its pixels: relative to the header, inside `source.root` whatever links lie on the way.

    Raises:
        UnreadableFile: kind `refused`; the name is not shown, it may tell of a person.
    """
    clean = name.strip().replace("\\", "/")
    if not clean or "\0" in clean or clean.startswith(("/", "~")) or clean[1:2] == ":":
        raise UnreadableFile("refused", "the header names its data file by an absolute path or not at all: it is not opened")
    try:
        place = (source.path.parent / clean).resolve()
        inside, there = place.is_relative_to((source.root or source.path.parent).resolve()), place.is_file()
    except (OSError, ValueError, RuntimeError):
        # too long a name, no name of a file, links that run in a circle
        raise UnreadableFile("refused", "the header names a data file that cannot be there: it is not opened") from None
    if not inside:
        raise UnreadableFile("refused", "the header names a data file outside the dataset: it is not opened")
    if not there:
        raise UnreadableFile("refused", "the data file that the header names is not there")
    return place


def name_beside(source: FileSource, place: Path) -> str:
    """A place of `place_beside` as `Header.beside` holds it: relative to the root, with forward slashes."""
    return place.relative_to((source.root or source.path.parent).resolve()).as_posix()
