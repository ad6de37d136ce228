"""Bytes that wait in memory, or in a file where they are many."""

from __future__ import annotations

import tempfile
import threading
import weakref
from typing import IO


class Spool:
    """Bytes that are appended and read back; beyond so many in a file without a name, which goes when this object goes."""

    def __init__(self, in_memory: int) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 - closed with this object
        self.size = 0
        self._lock = threading.Lock()
        weakref.finalize(self, self._file.close)

    def append(self, content: bytes) -> int:
        """Where it begins."""
        with self._lock:
            start = self.size
            self._file.seek(start)
            self._file.write(content)
            self.size += len(content)
        return start

    def read(self, start: int, size: int) -> bytes:
        """What was appended there."""
        with self._lock:
            self._file.seek(start)
            return self._file.read(size)
