"""Builders of datasets for the tests: in code (`make_dataset`), and as small folders on disk (`write_folder`).

from builders import make_dataset, write_folder
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.degrade.encode import SUFFIX, write_image
from auditor.placement.records import box_frame, empty_annotations, text_column
from auditor.values.dataset import RECORD_COLUMNS, Dataset, Design, Problem
from auditor.values.fields import Field, FieldKind
from auditor.values.labels import Labels, Task
from auditor.values.predictions import Predictions
from auditor.values.results import DatasetSummary, Guess

Text = Sequence[str | None]

LINK_COLUMNS = ("record_a", "record_b", "evidence", "score")


def record_ids(n: int) -> list[str]:
    """`r0000`, `r0001`, ..."""
    width = max(4, len(str(n - 1)))
    return [f"r{i:0{width}d}" for i in range(n)]


def kind_of(name: str) -> FieldKind:
    """The usual kind of a field, by its prefix: container, path, nifti → encoding; dicom → acquisition; table → clinical."""
    by_prefix: dict[str, FieldKind] = {
        "container": "encoding", "path": "encoding", "nifti": "encoding", "dicom": "acquisition", "table": "clinical",
    }  # fmt: skip
    return by_prefix.get(name.partition(".")[0], "encoding")


def make_dataset(
    *,
    n: int | None = None,
    records: Sequence[str] | None = None,
    labels: Sequence[object] | None = None,
    states: Mapping[str, Sequence[int]] | None = None,
    task: Task | None = None,
    classes: Sequence[str] | None = None,
    level: Any = "image",
    origin: str = "label",
    patients: Text | None = None,
    splits: Text | None = None,
    sites: Text | None = None,
    paths: Text | None = None,
    columns: Mapping[str, Sequence[object]] | None = None,
    metadata: Mapping[str, Sequence[object]] | None = None,
    kinds: Mapping[str, FieldKind | Field] | None = None,
    annotations: pd.DataFrame | Iterable[Sequence[object]] | None = None,
    readings: Mapping[str, Text] | None = None,
    boxes: pd.DataFrame | None = None,
    features: npt.NDArray[np.floating[Any]] | Mapping[str, Sequence[float]] | pd.DataFrame | None = None,
    probabilities: npt.NDArray[np.floating[Any]] | None = None,
    prediction_classes: Sequence[str] | None = None,
    same_bytes: Text | None = None,
    same_pixels: Text | None = None,
    constant: Sequence[bool] | None = None,
    links: Iterable[Sequence[object]] | None = None,
    problems: Sequence[Problem] = (),
    guesses: Sequence[Guess] = (),
    design: Design | None = None,
    name: str = "built",
    root: Path = Path("built"),
) -> Dataset:
    """A valid Dataset in code. Everything is optional; the size is `n` or that of the first sequence given.

    Args:
        n: number of records.
        records: record ids; default `r0000`, ...
        labels: one label per record (single, ordinal: text or None; continuous: numbers).
        states: multi-label: class → `State` per record; sets the task to `multi`.
        task: default `single` with labels, `multi` with states, `none` without.
        classes: default the sorted distinct labels; give them in grade order for `ordinal`.
        patients, splits, sites, paths: columns of `records`; `columns` gives any of the others.
        metadata: field → values; numbers stay numbers, all else becomes text.
        kinds: field → kind or a whole Field; default `kind_of`.
        annotations: rows (record, rater, label) or a ready frame.
        readings: the same, wide: rater → label per record, None = not read.
        features: frame, mapping, or array (records × features; columns are called `built.0`, ...).
        probabilities: records × classes; `prediction_classes` default to the classes of the labels.
        same_bytes, same_pixels: content digests; equal text = equal content, None = could not be read. Default: all differ
            when either of them or `constant` is given.
        links: rows (record_a, record_b, evidence, score).
    """
    given = (records, labels, patients, splits, sites, paths, same_bytes, same_pixels, constant, probabilities)
    mappings = (states, columns, metadata, readings)
    if n is None:
        sequences: list[Any] = [g for g in given if g is not None]
        sequences += [v for m in mappings if m is not None for v in m.values()]
        sequences += [features] if isinstance(features, np.ndarray | pd.DataFrame) else []
        sequences += list(features.values()) if isinstance(features, Mapping) else []
        assert sequences, "make_dataset needs n or at least one sequence"
        n = len(sequences[0])
    index = pd.Index(list(records) if records is not None else record_ids(n), name="record", dtype="str")
    assert len(index) == n
    assert index.is_unique

    table = pd.DataFrame(index=index)
    filled: dict[str, Sequence[object] | None] = {
        "path": paths if paths is not None else [f"{i}.png" for i in index],
        "item": [""] * n,
        "split": splits,
        "patient": patients,
        "site": sites,
        **dict(columns or {}),
    }
    unknown = set(filled) - set(RECORD_COLUMNS)
    assert not unknown, f"no column of Dataset.records: {sorted(unknown)}"
    for column in RECORD_COLUMNS:
        values = filled.get(column)
        if column == "line":
            table[column] = np.zeros(n, np.int64) if values is None else np.asarray(values, dtype=np.int64)
        else:
            table[column] = text_column([None] * n if values is None else values, index)

    built = _labels(index, labels=labels, states=states, task=task, classes=classes, level=level, origin=origin)

    frame = pd.DataFrame(index=index)
    for column, values in (metadata or {}).items():
        numeric = all(v is None or (isinstance(v, int | float | np.number) and not isinstance(v, bool)) for v in values)
        plain = [np.nan if v is None else v for v in values]
        frame[column] = pd.Series(plain, index=index) if numeric else text_column(values, index)
    fields: dict[str, Field] = {}
    for column in frame.columns:
        kind = (kinds or {}).get(column, kind_of(column))
        fields[column] = kind if isinstance(kind, Field) else Field(name=column, kind=kind)

    predictions = None
    if probabilities is not None:
        names = tuple(prediction_classes) if prediction_classes is not None else built.classes
        matrix = np.asarray(probabilities, dtype=np.float32)
        assert matrix.shape == (n, len(names))
        predictions = Predictions(probabilities=matrix, classes=names, origin="built", folds=5)

    return Dataset(
        root=root,
        summary=DatasetSummary(
            name=name, layout="built", task=built.task, classes=built.classes, counts={"records": n}, guesses=tuple(guesses)
        ),
        records=table,
        labels=built,
        annotations=_annotations(index, annotations, readings),
        boxes=boxes if boxes is not None else box_frame(),
        metadata=frame,
        fields=fields,
        problems=tuple(problems),
        features=_features(index, features),
        fingerprints=_fingerprints(index, same_bytes, same_pixels, constant),
        links=pd.DataFrame(list(links or ()), columns=list(LINK_COLUMNS)),
        predictions=predictions,
        design=design or Design(),
    )


def _labels(
    index: pd.Index,
    *,
    labels: Sequence[object] | None,
    states: Mapping[str, Sequence[int]] | None,
    task: Task | None,
    classes: Sequence[str] | None,
    level: Any,
    origin: str,
) -> Labels:
    if states is not None:
        frame = pd.DataFrame({c: np.asarray(v, dtype=np.int8) for c, v in states.items()}, index=index)
        names = tuple(classes) if classes is not None else tuple(sorted(states))
        joined = ["|".join(c for c in names if frame.at[i, c] == 1) or None for i in index]
        return Labels(task="multi", values=text_column(joined, index), states=frame[list(names)], classes=names,
                      level=level, origin=origin)  # fmt: skip
    if labels is None:
        return Labels(task="none", values=text_column([None] * len(index), index))
    if task == "continuous":
        numbers = pd.Series([np.nan if v is None else float(str(v)) for v in labels], index=index)
        return Labels(task="continuous", values=numbers, level=level, origin=origin)
    values = text_column(labels, index)
    names = tuple(classes) if classes is not None else tuple(sorted(str(v) for v in values.dropna().unique()))
    return Labels(task=task or "single", values=values, classes=names, level=level, origin=origin)


def _annotations(
    index: pd.Index,
    annotations: pd.DataFrame | Iterable[Sequence[object]] | None,
    readings: Mapping[str, Text] | None,
) -> pd.DataFrame:
    if isinstance(annotations, pd.DataFrame):
        return annotations
    rows = [list(row) for row in annotations or ()]
    for rater, answers in (readings or {}).items():
        rows += [[record, rater, answer] for record, answer in zip(index, answers, strict=True) if answer is not None]
    empty = empty_annotations()
    return pd.DataFrame(rows, columns=empty.columns, dtype=object).astype(empty.dtypes.to_dict()) if rows else empty


def _features(index: pd.Index, features: Any) -> pd.DataFrame:
    if features is None:
        return pd.DataFrame()
    if isinstance(features, np.ndarray):
        columns = [f"built.{i}" for i in range(features.shape[1])]
        return pd.DataFrame(features.astype(np.float32), index=index, columns=columns)
    return pd.DataFrame(features).set_axis(index, axis=0).astype(np.float32)


def _fingerprints(
    index: pd.Index, same_bytes: Text | None, same_pixels: Text | None, constant: Sequence[bool] | None
) -> pd.DataFrame:
    if same_bytes is None and same_pixels is None and constant is None:
        return pd.DataFrame()
    return pd.DataFrame(
        {
            "bytes": text_column(same_bytes if same_bytes is not None else [f"b:{i}" for i in index], index),
            "pixels": text_column(same_pixels if same_pixels is not None else [f"p:{i}" for i in index], index),
            "constant": np.asarray(constant if constant is not None else np.zeros(len(index)), dtype=bool),
        },
        index=index,
    )


def write_folder(
    root: Path,
    images: Mapping[str, Sequence[npt.NDArray[Any]]],
    *,
    formats: str | Mapping[str, str] = "png8",
    splits: Sequence[str] = (),
    seed: int = 0,
) -> list[Path]:
    """Class folders on disk: `root/<class>/000.png`, or `root/<split>/<class>/…` with images dealt out in turn.

    Args:
        images: class → images (height × width [× 3], integers or float 0–1), see `auditor.degrade.encode.write_image`.
        formats: one format for all, or class → format (`png8`, `png16`, `tiff16`, `dicom16`, ...).

    Returns:
        The paths in the order written.
    """
    written: list[Path] = []
    for class_name, arrays in images.items():
        kind = formats if isinstance(formats, str) else formats[class_name]
        for i, array in enumerate(arrays):
            folder = root / splits[i % len(splits)] / class_name if splits else root / class_name
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{i:03d}{SUFFIX[kind]}"
            write_image(path, array, kind, seed=seed + len(written))
            written.append(path)
    return written
