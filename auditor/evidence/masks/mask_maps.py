"""Predicted masks, read one by one and laid beside the drawn ones. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.containers.guard import DECODER_ERRORS, decoding
from auditor.evidence.masks.mask_facts import single_channel
from auditor.evidence.masks.mask_form import Form, Pair, form_of
from auditor.evidence.masks.mask_sources import ArrayFile, MaskFolder, MaskSource
from auditor.format import open_header, open_pixels, read_source
from auditor.prediction.files import ARRAY_NAMES
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits, check_declared
from auditor.values.mask_scores import Bools, Floats, Ruler

Array = npt.NDArray[Any]


def form(limits: Limits, path: Path, masks: pd.DataFrame, source: MaskSource, rows: Sequence[int]) -> Form:
    """The form of a collection (`auditor.evidence.masks.mask_form.form_of`), from some of its maps."""
    return form_of(masks, [found for _, found in maps(source, rows, limits) if not isinstance(found, str)], path)


def ruler(limits: Limits, root: Path, drawn: Mapping[int, str], source: MaskSource, rows: Sequence[int], form: Form) -> Ruler:
    """What the collection says of its own objects, from some of its pairs."""
    return ruler_of(pair for _, pair in pairs(root, drawn, source, rows, form, limits) if isinstance(pair, Pair))


def fits(
    limits: Limits, root: Path, drawn: Mapping[int, str], source: MaskSource, rows: Sequence[int], form: Form, ruler: Ruler
) -> list[tuple[int, Fit | str]]:
    """How well each drawn mask fits its prediction, or why that cannot be told."""
    return [
        (row, pair if isinstance(pair, str) else fit_of(pair, ruler))
        for row, pair in pairs(root, drawn, source, rows, form, limits)
    ]


def pairs(
    root: Path, drawn: Mapping[int, str], source: MaskSource, rows: Sequence[int], form: Form, limits: Limits
) -> Iterator[tuple[int, Pair | str]]:
    """Row and both masks, or why they cannot be compared; `drawn`: row → path of its mask inside `root`."""
    for row, found in maps(source, rows, limits):
        if isinstance(found, str):
            yield row, f"the prediction cannot be read ({found})"
            continue
        try:
            mask = read_mask(root / drawn[row], limits)
        except UnreadableFile as error:
            yield row, f"the mask cannot be read ({error.kind})"
            continue
        yield row, form.pair(found, mask)


def read_mask(path: Path, limits: Limits) -> Array:
    """A drawn mask as stored."""
    source = read_source(path, limits)
    return single_channel(open_pixels(source, open_header(source, limits), limits).array)


def maps(source: MaskSource, rows: Sequence[int], limits: Limits) -> Iterator[tuple[int, Array | str]]:
    """Row and map as stored, or why it cannot be read; `rows` rise.

    Maps are (height, width), (classes, height, width), or of a volume with its depth before the height.
    """
    return _of_folder(source, rows, limits) if isinstance(source, MaskFolder) else _of_array(source, rows)


def _of_folder(source: MaskFolder, rows: Sequence[int], limits: Limits) -> Iterator[tuple[int, Array | str]]:
    for row in rows:
        try:
            yield row, _read_map(source.root / source.files[row], limits)
        except UnreadableFile as error:
            yield row, str(error.kind)


def _of_array(source: ArrayFile, rows: Sequence[int]) -> Iterator[tuple[int, Array | str]]:
    """In one go through the file."""
    size = math.prod(source.shape[1:]) * source.dtype.itemsize
    with _readable(source.path), _npy_stream(source.path) as stream:
        _header(stream)
        start = stream.tell()
        for row in rows:
            stream.seek(start + row * size)
            content = stream.read(size)
            if len(content) < size:
                raise DatasetError(f"{source.path}: the file ends before mask {row + 1:,}; save it again")
            yield row, np.frombuffer(content, source.dtype).reshape(source.shape[1:])


def holds_masks(path: Path) -> bool:
    """A folder, or an array of three dimensions or more: predicted masks, and not class probabilities."""
    if path.is_dir():
        return True
    if path.suffix.lower() not in (".npy", ".npz") or not path.is_file():
        return False
    with _readable(path), _npy_stream(path) as stream:
        return len(_header(stream)[0]) > 2


def array_file(limits: Limits, path: Path, records: int) -> ArrayFile:
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
    return ArrayFile(path=path, shape=shape, dtype=dtype, packed=zipfile.is_zipfile(path))


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


TEMPERATURE = 0.1

SHARED = 0.1
"""An object of which at most this share lies in the other mask is not in it."""

SURE_QUANTILE = 0.9

SMALL_QUANTILE = 0.1

LEAST_SURE = 0.05


@dataclass(frozen=True, kw_only=True)
class Fit:
    """`score`, `self_confidence` and `dice` are 0-1; `conflicts`: missing, confidence, area, row, column of each object."""

    score: float
    self_confidence: float
    dice: float
    objects: int
    predicted_objects: int
    conflicts: tuple[tuple[bool, float, int, float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Objects:
    """Connected objects: `numbers` per pixel from 1, and per object its `sizes` in pixels."""

    numbers: npt.NDArray[np.int32]
    sizes: npt.NDArray[np.int64]

    def mean(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """Mean of the pixels of each object."""
        sums = np.bincount(self.numbers.ravel(), weights=values.ravel(), minlength=len(self.sizes) + 1)[1:]
        return np.asarray(sums / np.maximum(self.sizes, 1))


def objects_of(mask: Bools) -> Objects:
    """Pixels that share a side (of volumes a face) are one object."""
    from scipy import ndimage  # slow to import, and few scans are given masks of a model

    numbers, count = ndimage.label(mask)
    return Objects(numbers=numbers, sizes=np.bincount(numbers.ravel(), minlength=count + 1)[1:].astype(np.int64))


def ruler_of(pairs: Iterable[Pair]) -> Ruler:
    """Measured on some pairs of the collection."""
    sizes, means = [np.empty(0, np.int64)], [np.empty(0)]
    for pair in pairs:
        drawn = objects_of(pair.drawn)
        sizes.append(drawn.sizes)
        means.append(drawn.mean(pair.predicted))
    if not sum(map(len, sizes)):
        return Ruler()
    return Ruler(
        sure=max(LEAST_SURE, float(np.quantile(np.concatenate(means), SURE_QUANTILE))),
        least_pixels=float(np.quantile(np.concatenate(sizes), SMALL_QUANTILE)),
    )


def softmin(confidence: Floats) -> float:
    """Σ s · softmax((1 − s) / 0.1): near the least of many values, as cleanlab.segmentation scores an image."""
    s = confidence.astype(np.float64)
    weights = np.exp((s.min() - s) / TEMPERATURE)
    return float(np.clip((s @ weights) / weights.sum(), 0, 1))


def fit_of(pair: Pair, ruler: Ruler) -> Fit:
    """Compare; a pixel is predicted as object from half of what the clearest objects reach."""
    said = np.asarray(pair.predicted >= ruler.sure / 2)
    total = int(said.sum()) + int(pair.drawn.sum())
    drawn, predicted = objects_of(pair.drawn), objects_of(said)
    conflicts = [
        *_only_in(predicted, pair.drawn, pair.predicted, ruler, missing=True),
        *_only_in(drawn, said, pair.predicted, ruler, missing=False),
    ]
    return Fit(
        score=softmin(pair.confidence) if pair.confidence.size else 1.0,
        self_confidence=float(pair.confidence.mean(dtype=np.float64)) if pair.confidence.size else 1.0,
        dice=2 * int((said & pair.drawn).sum()) / total if total else 1.0,
        objects=int((drawn.sizes >= ruler.least_pixels).sum()),
        predicted_objects=int((predicted.sizes >= ruler.least_pixels).sum()),
        conflicts=tuple(conflicts),
    )


def _only_in(
    objects: Objects, other: Bools, predicted: Floats, ruler: Ruler, *, missing: bool
) -> list[tuple[bool, float, int, float, float]]:
    """The objects of which nothing, or next to nothing, is in the other mask."""
    alone = np.flatnonzero((objects.sizes >= ruler.least_pixels) & (objects.mean(other) <= SHARED))
    if not len(alone):
        return []
    told = np.minimum(objects.mean(predicted)[alone] / ruler.sure, 1)
    from scipy import ndimage

    middles = ndimage.center_of_mass(objects.numbers > 0, objects.numbers, alone + 1)
    return [
        (missing, float(p if missing else 1 - p), int(objects.sizes[i]), float(middle[-2]), float(middle[-1]))
        for i, p, middle in zip(alone, told, middles, strict=True)
    ]
