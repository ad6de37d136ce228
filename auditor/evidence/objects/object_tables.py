"""Read predicted boxes or points: csv, tsv or parquet, one row per object, told from class probabilities by its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.prediction.files import opened
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError
from auditor.values.image import Limits
from auditor.values.predicted_objects import COLUMNS, PredictedObjects, Shape

NAMES: dict[Shape, tuple[tuple[str, ...], ...]] = {
    "boxes": (("x0", "y0", "x1", "y1"), ("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2")),
    "points": (("x", "y"),),
}
RECORD = ("record", "path", "image", "filename", "file", "image_id")
LABEL = ("label", "class", "category")
SCORE = ("score", "confidence", "probability")
TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class _Header:
    """Names of the columns as the file spells them."""

    shape: Shape
    record: str
    label: str | None
    score: str
    places: tuple[str, ...]


def names_objects(names: Sequence[str]) -> bool:
    """Whether the header of a table names an image, coordinates and a score: predicted boxes or points."""
    return _header(names) is not None


def read_objects(
    dataset: Dataset, paths: Sequence[Path], *, in_sample: bool, limits: Limits | None = None, workers: int = 1
) -> Dataset:
    """Fill `Dataset.predicted_objects`.

    Rows name their image by record id, path, file name, or file name without its ending. Images without a row are taken for
    images in which the model saw nothing.

    Raises:
        ConfigError: several files, or the dataset has nothing of that shape to compare them with.
        DatasetError: the file cannot be read, names unknown images, or holds no coordinates in pixels and scores of 0-1.
    """
    if len(paths) > 1:
        raise ConfigError("--predictions: name one table of predicted boxes or points")
    path = paths[0]
    table = opened(path, "table", limits=limits or Limits(), workers=workers)
    names = _header([str(name) for name in table.columns])
    if names is None:
        raise DatasetError(f"{path}: no columns of an image, of coordinates and of a score")
    if (dataset.boxes if names.shape == "boxes" else dataset.points).empty:
        raise ConfigError(f"{path}: predicted {names.shape}, but the dataset has no {names.shape} to compare them with")
    if table.empty:
        raise DatasetError(f"{path}: no row; a model that sees nothing tells nothing")
    numbers = {name: _numbers(path, table[name]) for name in (*names.places, names.score)}
    score = numbers[names.score]
    if score.min() < -TOLERANCE or score.max() > 1 + TOLERANCE:
        raise DatasetError(
            f"{path}: scores from {score.min():.3g} to {score.max():.3g}; give numbers of 0 to 1 (divide percentages by 100)"
        )
    labels = table[names.label].astype(str) if names.label is not None else pd.Series("", index=table.index)
    frame = pd.DataFrame(
        {
            "record": _records(path, dataset, table[names.record].astype(str)),
            "label": labels.to_numpy(dtype=object),
            **dict(zip(COLUMNS[names.shape], (numbers[name] for name in names.places), strict=True)),
            "score": np.clip(score, 0, 1),
        }
    )
    _check(path, dataset, frame, names.shape)
    found = PredictedObjects(shape=names.shape, objects=frame, origin=path.name, out_of_fold=not in_sample)
    return replace(dataset, predicted_objects=found)


def _check(path: Path, dataset: Dataset, frame: pd.DataFrame, shape: Shape) -> None:
    if shape == "boxes":
        empty = (frame["x1"] <= frame["x0"]) | (frame["y1"] <= frame["y0"])
        if empty.any():
            raise DatasetError(
                f"{path}: {int(empty.sum()):,} boxes have no area (first: row {int(np.argmax(empty)) + 2}); the columns are "
                "the near and the far corner, in pixels"
            )
    if float(frame[list(COLUMNS[shape])].to_numpy().max()) <= 1:
        raise DatasetError(f"{path}: no coordinate is above 1; give pixels, not fractions of the image")
    given = set((dataset.boxes if shape == "boxes" else dataset.points)["label"])
    told = set(frame["label"])
    if told != {""} and given != {""} and not told & given:
        raise DatasetError(f"{path}: none of its labels is a label of the dataset; name classes as the annotations do")


def _header(names: Sequence[str]) -> _Header | None:
    spelt = {name.strip().lower(): name for name in reversed(names)}
    record, label, score = (next((spelt[n] for n in known if n in spelt), None) for known in (RECORD, LABEL, SCORE))
    if record is None or score is None:
        return None
    for shape, styles in NAMES.items():
        for style in styles:
            if all(name in spelt for name in style):
                places = tuple(spelt[name] for name in style)
                return _Header(shape=shape, record=record, label=label, score=score, places=places)
    return None


def _numbers(path: Path, cells: pd.Series) -> npt.NDArray[np.float64]:
    values = np.asarray(pd.to_numeric(cells, errors="coerce"), dtype=np.float64)
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values))) + 2
        raise DatasetError(f"{path}: a cell of column {cells.name!r} is no number (first: row {row})")
    return values


def _records(path: Path, dataset: Dataset, cells: pd.Series) -> npt.NDArray[np.object_]:
    """Record id per row, by the key that knows all of them."""
    ids = pd.Index(dataset.records.index.astype(str))
    paths = pd.Index(dataset.records["path"].fillna("").astype(str))
    names = paths.str.rsplit("/", n=1).str[-1]
    most, first = -1, 0
    for key in (ids, paths, names, names.str.rsplit(".", n=1).str[0]):
        if not key.is_unique:
            continue
        places = key.get_indexer(pd.Index(cells))
        if (places >= 0).all():
            return np.asarray(ids.to_numpy(dtype=object)[places])
        if int((places >= 0).sum()) > most:
            most, first = int((places >= 0).sum()), int(np.argmin(places >= 0))
    raise DatasetError(
        f"{path}: {len(cells) - max(most, 0):,} rows of column {cells.name!r} name no image of the dataset "
        f"(first: row {first + 2}); name them by path or file name, and remove the others"
    )
