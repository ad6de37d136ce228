"""A table's bytes, inflated when gzipped, and never more than a limit."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any, Protocol

from auditor.values.errors import DatasetError

MAX_BYTES = 8 << 30
"""A table may inflate to this much, no more (a gzip bomb ends here)."""


class Readable(Protocol):
    """What can be read and closed."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""

    def close(self) -> None:
        """Close it."""


class _Bounded(io.RawIOBase):
    """A stream that ends with an error after `MAX_BYTES`, and may begin with bytes that were read before."""

    def __init__(self, stream: Readable, name: str) -> None:
        self._stream, self._name, self._seen = stream, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._stream.read(len(buffer))
        self._seen += len(part)
        if self._seen > MAX_BYTES:
            raise DatasetError(f"{self._name}: the table inflates to more than {MAX_BYTES >> 30} GiB; split it")
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._stream.close()
        super().close()


def open_table(path: Path) -> io.BufferedReader:
    """The bytes of a table, to be closed by the caller; a name that ends in `.gz` is inflated."""
    zipped = path.name.lower().endswith(".gz")
    stream: Readable = gzip.GzipFile(path, "rb") if zipped else path.open("rb")
    return io.BufferedReader(_Bounded(stream, str(path)), 1 << 20)
