"""One image at a time out of an npz of many: a MedMNIST file of 15 GB must not be held in memory.

A member of an npz is one compressed stream; rows are read in order, and asking for an earlier row starts the stream anew.
"""

from __future__ import annotations

import hashlib
import math
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from auditor.containers.guard import decoding
from auditor.containers.hdf5_file import Hdf5Rows
from auditor.containers.npy_header import data_offset, npy_header
from auditor.digests import HEX_DIGITS
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits, check_declared

SKIP_BYTES = 1 << 20
HEADER_BYTES = 1 << 16


def digest_of(path: Path) -> str:
    """Digest of a file's bytes, as of any other file, without holding them.

    Raises:
        UnreadableFile: it cannot be opened.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:HEX_DIGITS]
    except OSError as error:
        raise UnreadableFile("refused", f"the file cannot be opened ({error.strerror})") from None


def rows_of(path: Path, member: str, limits: Limits) -> ArrayRows | Hdf5Rows:
    """The rows of one array of a file, by its suffix; to be opened."""
    kind = Hdf5Rows if path.name.lower().endswith((".h5", ".hdf5")) else ArrayRows
    return kind(path=path, member=member, limits=limits)


@dataclass(kw_only=True)
class ArrayRows:
    """The rows (first axis) of one member of an npz, or of an npy file.

    Args:
        path: the file.
        member: name of the array in the npz, without `.npy`.
        limits: one row must fit into `limits.decoded_bytes`.
    """

    path: Path
    member: str
    limits: Limits
    shape: tuple[int, ...] = ()
    dtype: np.dtype[np.generic] = field(default_factory=lambda: np.dtype(np.uint8))
    _archive: zipfile.ZipFile | None = None
    _stream: IO[bytes] | None = None
    _next: int = 0

    def open(self) -> None:
        """Read the header; shape (rows, height, width[, channels]) and dtype are known afterwards.

        Raises:
            UnreadableFile: no such member, damaged, pickled objects, stored in Fortran order, or a row over the limits.
        """
        with decoding("npz file"):
            self._archive = zipfile.ZipFile(self.path)
            if f"{self.member}.npy" not in self._archive.namelist():
                raise UnreadableFile("malformed", "the npz holds no array of that name")
            with self._archive.open(f"{self.member}.npy") as stream:
                self.shape, self.dtype, fortran = npy_header(stream.read(HEADER_BYTES))
        if len(self.shape) not in (3, 4):
            raise UnreadableFile("unsupported", f"an array of {len(self.shape)} dimensions holds no images")
        if fortran:
            raise UnreadableFile("unsupported", "an array in Fortran order cannot be read image by image: save it in C order")
        check_declared(self.shape[1:], 1, self.dtype.itemsize, self.limits)

    def row(self, index: int) -> npt.NDArray[np.generic]:
        """One image, in native byte order.

        Raises:
            UnreadableFile: the array is shorter than it declares, or damaged there.
        """
        if not 0 <= index < self.shape[0]:
            raise UnreadableFile("malformed", f"the array has {self.shape[0]:,} images, the label table wants another one")
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        with decoding("npz file"):
            if self._stream is None or index < self._next:
                self._restart()
            assert self._stream is not None
            self._skip((index - self._next) * size)
            content = self._stream.read(size)
            self._next = index + 1
        if len(content) < size:
            raise UnreadableFile("truncated", f"the array ends before image {index + 1:,} of {self.shape[0]:,}")
        return np.frombuffer(content, self.dtype).reshape(self.shape[1:]).astype(self.dtype.newbyteorder("="), copy=False)

    def close(self) -> None:
        """Close the file."""
        for opened in (self._stream, self._archive):
            if opened is not None:
                opened.close()
        self._stream = self._archive = None

    def _restart(self) -> None:
        assert self._archive is not None
        if self._stream is not None:
            self._stream.close()
        with self._archive.open(f"{self.member}.npy") as stream:
            start = data_offset(stream.read(HEADER_BYTES))
        self._stream = self._archive.open(f"{self.member}.npy")
        self._next = 0
        self._skip(start)

    def _skip(self, count: int) -> None:
        assert self._stream is not None
        while count > 0:
            part = self._stream.read(min(count, SKIP_BYTES))
            if not part:
                return
            count -= len(part)
