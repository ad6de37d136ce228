"""Somebody's predicted masks, one at a time: a folder of files named after the images, or one array of all records."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import numpy.typing as npt

from auditor.containers.guard import DECODER_ERRORS, decoding
from auditor.evidence.masks.mask_facts import single_channel
from auditor.evidence.masks.mask_names import mask_names
from auditor.format import open_header, open_pixels, read_source
from auditor.prediction.files import ARRAY_NAMES
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits, check_declared

Array = npt.NDArray[Any]
SUFFIXES = (".npy", ".npz", ".png", ".tif", ".tiff", ".nii", ".nii.gz")


class MaskSource(Protocol):
    """Predicted masks by row of the dataset."""

    @property
    def rows(self) -> Sequence[int]:
        """Rows of the dataset that have a prediction, rising."""

    def maps(self, rows: Sequence[int]) -> Iterator[tuple[int, Array | str]]:
        """Row and map as stored, or why it cannot be read; `rows` rise.

        Maps are (height, width), (classes, height, width), or of a volume with its depth before the height.
        """


def open_masks(path: Path, dataset: Dataset, limits: Limits) -> MaskSource:
    """Predicted masks of a folder, npy or npz.

    Raises:
        DatasetError: it is not there, is damaged, or fits no record.
    """
    if not path.is_dir():
        return _array_file(path, dataset.size, limits)
    source = MaskFolder(root=path, files=_files_of(path, dataset), limits=limits)
    if not source.files:
        raise DatasetError(
            f"{path}: no file is named after an image of the dataset ({mask_names(dataset, '.png')[0]} would be the first)"
        )
    return source


def holds_masks(path: Path) -> bool:
    """A folder, or an array of three dimensions or more: predicted masks, and not class probabilities."""
    if path.is_dir():
        return True
    if path.suffix.lower() not in (".npy", ".npz") or not path.is_file():
        return False
    with _readable(path), _npy_stream(path) as stream:
        return len(_header(stream)[0]) > 2


@dataclass(frozen=True, kw_only=True)
class MaskFolder:
    """One file per record; `files`: row → path inside `root`."""

    root: Path
    files: Mapping[int, str]
    limits: Limits

    @property
    def rows(self) -> Sequence[int]:
        """Rows that have a file."""
        return sorted(self.files)

    def maps(self, rows: Sequence[int]) -> Iterator[tuple[int, Array | str]]:
        """Read them one by one."""
        for row in rows:
            try:
                yield row, _read_map(self.root / self.files[row], self.limits)
            except UnreadableFile as error:
                yield row, str(error.kind)


@dataclass(frozen=True, kw_only=True)
class ArrayFile:
    """One array, read record by record. `shape` and `dtype` are those that its header states."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def rows(self) -> Sequence[int]:
        """All."""
        return range(self.shape[0])

    def maps(self, rows: Sequence[int]) -> Iterator[tuple[int, Array | str]]:
        """Read them in one go through the file."""
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        with _readable(self.path), _npy_stream(self.path) as stream:
            _header(stream)
            start = stream.tell()
            for row in rows:
                stream.seek(start + row * size)
                content = stream.read(size)
                if len(content) < size:
                    raise DatasetError(f"{self.path}: the file ends before mask {row + 1:,}; save it again")
                yield row, np.frombuffer(content, self.dtype).reshape(self.shape[1:])


def _array_file(path: Path, records: int, limits: Limits) -> ArrayFile:
    """Checked by its header before a number of it is read."""
    if not path.is_file():
        raise DatasetError(f"{path}: no such file of predictions; check the spelling")
    with _readable(path), _npy_stream(path) as stream:
        shape, fortran, dtype = _header(stream)
    if dtype.kind not in "fiub":
        raise DatasetError(f"{path}: the array holds {dtype}, not numbers")
    if len(shape) not in (3, 4):
        raise DatasetError(
            f"{path}: the array has {len(shape)} dimensions; expected records × height × width, "
            "or records × classes × height × width"
        )
    if shape[0] != records:
        raise DatasetError(
            f"{path}: {shape[0]:,} masks, but the dataset has {records:,} records; give one per record in the same order, "
            "or a folder of files named after the images"
        )
    if fortran:
        raise DatasetError(f"{path}: the array lies column by column; save numpy.ascontiguousarray of it")
    try:
        check_declared(shape[1:], 1, dtype.itemsize, limits)
    except UnreadableFile as error:
        raise DatasetError(f"{path}: {error}") from None
    return ArrayFile(path=path, shape=shape, dtype=dtype)


@contextmanager
def _npy_stream(path: Path) -> Iterator[IO[bytes]]:
    """The file, or the likeliest array inside an npz."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if name.endswith(".npy")]
        if not members:
            raise ValueError("the archive holds no array")
        chosen = next((f"{n}.npy" for n in ARRAY_NAMES if f"{n}.npy" in members), members[0])
        with archive.open(chosen) as member:
            yield member


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except DECODER_ERRORS as error:
        raise DatasetError(
            f"{path}: not a readable NumPy file ({type(error).__name__}); save it again with numpy.save"
        ) from None


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    return tuple(shape), fortran, dtype


def _read_map(path: Path, limits: Limits) -> Array:
    """One file as stored; axes of length 1 and equal channels are dropped."""
    if path.suffix.lower() in (".npy", ".npz"):
        with decoding("NumPy file"), _npy_stream(path) as stream:
            shape, fortran, dtype = _header(stream)
            if dtype.kind not in "fiub":
                raise UnreadableFile("refused", "the array holds no numbers")
            check_declared(shape, 1, dtype.itemsize, limits)
            content = stream.read(math.prod(shape) * dtype.itemsize)
            return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C").squeeze()
    source = read_source(path, limits)
    array = single_channel(open_pixels(source, open_header(source, limits), limits).array)
    return array[0] if len(array) == 1 else array


def _files_of(root: Path, dataset: Dataset) -> dict[int, str]:
    """Row → file, by the name that `medaudit predict` gives, by that of the image or of its mask, in this order."""
    found: dict[str, str] = {}
    for path in sorted(str(p.relative_to(root).as_posix()) for p in root.rglob("*") if p.is_file()):
        stem = _stem(path)
        if stem is not None:
            found.setdefault(stem, path)
    names = [_stem(name) or name for name in mask_names(dataset, ".npy")]
    images = [_stem(str(p), any_suffix=True) for p in dataset.records["path"].fillna("")]
    drawn = [_stem(str(p), any_suffix=True) for p in dataset.records["mask"].fillna("")]
    result: dict[int, str] = {}
    for keys in (names, images, _last(images), drawn, _last(drawn)):
        if len(set(keys)) < len(keys) and keys is not names:
            continue
        for row, key in enumerate(keys):
            if row not in result and key and key in found:
                result[row] = found[key]
    return result


def _last(paths: Sequence[str | None]) -> list[str | None]:
    return [path.rsplit("/", 1)[-1] if path else path for path in paths]


def _stem(path: str, *, any_suffix: bool = False) -> str | None:
    folder, slash, name = path.rpartition("/")
    suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if name.lower().endswith(s)), None)
    if suffix is None and not any_suffix:
        return None
    return folder + slash + (name[: -len(suffix)] if suffix else name.rpartition(".")[0] or name)
