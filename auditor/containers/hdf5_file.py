"""Arrays of an HDF5 file, by name, with bounds: only what lies in the file itself is read, never a link to another one.

Source: The HDF Group, HDF5 file format 3.0. External links, external storage and virtual datasets name other files: refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from auditor.containers.guard import decoding
from auditor.values.errors import MissingExtraError, UnreadableFile
from auditor.values.image import Limits, check_declared

MAGIC = b"\x89HDF\r\n\x1a\n"
_MOST_ARRAYS = 1000
_MOST_DEPTH = 8


def h5py_module() -> Any:
    """The reader of HDF5.

    Raises:
        UnreadableFile: it is not installed; the reason holds the pip command.
    """
    try:
        import h5py
    except ImportError:
        raise UnreadableFile("unsupported", str(MissingExtraError("h5py", extra="hdf5", purpose="HDF5"))) from None
    return h5py


@contextmanager
def _opened(path: Path | BinaryIO) -> Iterator[Any]:
    h5py = h5py_module()
    with decoding("HDF5 file"), h5py.File(path, "r") as file:
        yield file


def arrays(path: Path | BinaryIO) -> dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]]:
    """Name → shape and type of each array of numbers in the file, in the order of their names.

    Raises:
        UnreadableFile: damaged, or h5py is not installed.
    """
    h5py = h5py_module()
    found: dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]] = {}

    def walk(group: Any, prefix: str, depth: int) -> None:
        for name in sorted(group):
            if len(found) >= _MOST_ARRAYS or not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            inside = group[name]
            if isinstance(inside, h5py.Group) and depth < _MOST_DEPTH:
                walk(inside, f"{prefix}{name}/", depth + 1)
            elif isinstance(inside, h5py.Dataset) and inside.dtype.kind in "buif" and _is_own(inside):
                found[prefix + name] = (tuple(map(int, inside.shape or ())), inside.dtype)

    with _opened(path) as file:
        walk(file, "", 0)
    return found


def _is_own(dataset: Any) -> bool:
    """Its values lie in this file."""
    return not dataset.is_virtual and not dataset.external


def _array(file: Any, name: str) -> Any:
    """A dataset by its name, reached by hard links alone.

    Raises:
        UnreadableFile: there is none, or its values lie in another file.
    """
    h5py = h5py_module()
    inside = file
    for part in name.split("/"):
        if not isinstance(inside, h5py.Group) or not isinstance(inside.get(part, getlink=True), h5py.HardLink):
            raise UnreadableFile("malformed", "the HDF5 file holds no array of that name")
        inside = inside[part]
    if not isinstance(inside, h5py.Dataset) or inside.dtype.kind not in "buif" or not _is_own(inside):
        raise UnreadableFile("refused", "the array is none of numbers, or lies in another file")
    return inside


def read_array(path: Path | BinaryIO, name: str, most_bytes: int) -> npt.NDArray[np.generic]:
    """A whole array.

    Raises:
        UnreadableFile: no such array, damaged, or of more than `most_bytes`.
    """
    with _opened(path) as file:
        array = _array(file, name)
        size = math.prod(array.shape) * array.dtype.itemsize
        if size > most_bytes:
            raise UnreadableFile("too-large", f"the array takes {size >> 20:,} MiB, more than {most_bytes >> 20:,} MiB")
        values: npt.NDArray[np.generic] = array[()]
        return np.asarray(values).astype(array.dtype.newbyteorder("="), copy=False)


@dataclass(kw_only=True)
class Hdf5Rows:
    """The rows (first axis) of one array, read one at a time; as `auditor.containers.array_rows.ArrayRows`."""

    path: Path
    member: str
    limits: Limits
    shape: tuple[int, ...] = ()
    dtype: np.dtype[np.generic] = field(default_factory=lambda: np.dtype(np.uint8))
    _file: Any = None
    _array: Any = None

    def open(self) -> None:
        """Read the header; shape (rows, height, width[, channels]) and dtype are known afterwards.

        Raises:
            UnreadableFile: no such array, damaged, no images, or a row or a chunk of it over the limits.
        """
        h5py = h5py_module()
        with decoding("HDF5 file"):
            self._file = h5py.File(self.path, "r")
            self._array = _array(self._file, self.member)
        self.shape, self.dtype = tuple(map(int, self._array.shape)), self._array.dtype
        if len(self.shape) not in (3, 4):
            raise UnreadableFile("unsupported", f"an array of {len(self.shape)} dimensions holds no images")
        check_declared(self.shape[1:], 1, self.dtype.itemsize, self.limits)
        check_declared(self._array.chunks or self.shape[1:], 1, self.dtype.itemsize, self.limits)

    def row(self, index: int) -> npt.NDArray[np.generic]:
        """One image, in native byte order.

        Raises:
            UnreadableFile: the array has no such row, or is damaged there.
        """
        if not 0 <= index < self.shape[0]:
            raise UnreadableFile("malformed", f"the array has {self.shape[0]:,} images, the label table wants another one")
        with decoding("HDF5 file"):
            values = np.asarray(self._array[index])
        return values.astype(self.dtype.newbyteorder("="), copy=False)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = self._array = None
