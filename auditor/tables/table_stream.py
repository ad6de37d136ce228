"""A table's bytes, inflated when gzipped, and never more than a limit."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any, Protocol

from auditor.tables.extent import check_size
from auditor.values.image import Limits


class Readable(Protocol):
    """What can be read and closed."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""

    def close(self) -> None:
        """Close it."""


class _Bounded(io.RawIOBase):
    """A stream that ends with an error after `Limits.table_bytes`."""

    def __init__(self, stream: Readable, path: Path, limits: Limits) -> None:
        self._stream, self._path, self._limits, self._seen = stream, path, limits, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._stream.read(len(buffer))
        self._seen += len(part)
        check_size(self._path, self._seen, self._limits)
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._stream.close()
        super().close()


def open_table(path: Path, limits: Limits) -> io.BufferedReader:
    """The bytes of a table, to be closed by the caller; a name that ends in `.gz` is inflated."""
    zipped = path.name.lower().endswith(".gz")
    stream: Readable = gzip.GzipFile(path, "rb") if zipped else path.open("rb")
    return io.BufferedReader(_Bounded(stream, path, limits), 1 << 20)
