"""Somebody's predicted masks, not read: a folder of files named after the images, or one array of all records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from auditor.evidence.masks.mask_names import mask_names
from auditor.reading.jobs import run_job, told
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits

SUFFIXES = (".npy", ".npz", ".png", ".tif", ".tiff", ".nii", ".nii.gz")
ROWS_PER_JOB = 16


@dataclass(frozen=True, kw_only=True)
class MaskFolder:
    """One file per record; `files`: row of the dataset → path inside `root`."""

    root: Path
    files: Mapping[int, str]

    @property
    def rows(self) -> Sequence[int]:
        """Rows that have a file, rising."""
        return sorted(self.files)

    def parts(self, rows: Sequence[int]) -> Iterator[tuple[MaskFolder, Sequence[int]]]:
        """What is read at once: some rows, and the source with nothing but them."""
        for start in range(0, len(rows), ROWS_PER_JOB):
            part = rows[start : start + ROWS_PER_JOB]
            yield MaskFolder(root=self.root, files={row: self.files[row] for row in part}), part


@dataclass(frozen=True, kw_only=True)
class ArrayFile:
    """One array of all records. `shape` and `dtype` are those that its header states."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    packed: bool

    @property
    def rows(self) -> Sequence[int]:
        """All."""
        return range(self.shape[0])

    def parts(self, rows: Sequence[int]) -> Iterator[tuple[ArrayFile, Sequence[int]]]:
        """What is read at once: some rows; all of them where the file can only be read from its start (npz)."""
        step = max(1, len(rows)) if self.packed else ROWS_PER_JOB
        for start in range(0, len(rows), step):
            yield self, rows[start : start + step]


MaskSource = MaskFolder | ArrayFile


def open_masks(path: Path, dataset: Dataset, limits: Limits, *, workers: int = 1) -> MaskSource:
    """Predicted masks of a folder, npy or npz; its header is read in a worker.

    Raises:
        DatasetError: it is not there, is damaged, or fits no record.
    """
    if not path.is_dir():
        try:
            found: ArrayFile = run_job(
                "auditor.evidence.masks.mask_maps:array_file", path, dataset.size, limits=limits, workers=workers
            )
        except UnreadableFile as error:
            raise DatasetError(f"{path}: {told(error)}") from None
        return found
    source = MaskFolder(root=path, files=_files_of(path, dataset))
    if not source.files:
        raise DatasetError(
            f"{path}: no file is named after an image of the dataset ({mask_names(dataset, '.png')[0]} would be the first)"
        )
    return source


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
