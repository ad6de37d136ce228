"""Read somebody's class probabilities: npy, npz, csv, tsv or parquet, checked before a number of it is believed.

The file itself is read in a bounded worker; what it says is checked here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.prediction.numbers import NUMBER
from auditor.reading.jobs import run_job, told
from auditor.values.cells import as_cell, from_cell
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.predictions import Predictions

ARRAY_NAMES: tuple[str, ...] = ("probabilities", "probs", "pred_probs", "predictions")
TABLE_SUFFIXES: frozenset[str] = frozenset({".csv", ".tsv", ".txt", ".parquet"})
SUM_TOLERANCE = 0.01
"""Rows that sum to 1 ± 0.01 (a softmax in half precision, rounded digits) are rescaled to 1; others are refused."""
RANGE_TOLERANCE = 1e-3


def suffix_of(path: Path) -> str:
    """What the file is called, without the suffix of its compression."""
    return next((s for s in reversed(path.suffixes) if s.lower() not in (".gz", ".bz2", ".xz", ".zst")), "").lower()


def read_predictions(
    path: Path,
    dataset: Dataset,
    *,
    classes: Sequence[str] | None = None,
    in_sample: bool = False,
    limits: Limits | None = None,
    workers: int = 1,
) -> Predictions:
    """Class probabilities of a file, rows aligned with `dataset.records`, columns with `dataset.labels.classes`.

    Arrays have one row per record in the order of the records; their columns are the classes sorted by name (by number
    where all names are numbers), or `classes`. One column for two classes is the probability of the second. Tables have a
    header of class names, and may have a column of record ids or paths that the rows are aligned by; records without a row
    are not predicted. Classes that no record has (only with `classes`) come last. A continuous label has one column, of
    predicted numbers; in a table it is called `value`.

    Raises:
        ConfigError: `classes` do not fit.
        DatasetError: the file cannot be read, or has the wrong shape, or holds no probabilities.
    """
    limits = limits or Limits()
    if dataset.labels.task == "none":
        raise ConfigError(f"{path}: predictions need a label; the dataset has none (see --label)")
    numbers = dataset.labels.task == "continuous"
    if not path.is_file():
        raise DatasetError(f"{path}: no such file of predictions; check the spelling")
    wanted = [NUMBER] if numbers else _wanted_classes(path, dataset, classes)
    suffix = suffix_of(path)
    if suffix in (".npy", ".npz"):
        values = opened(path, "array", dataset.size, limits=limits, workers=workers)
        values = _both_columns(values, wanted)
        if numbers and values.shape[1] != 1:
            raise DatasetError(f"{path}: {values.shape[1]} columns, but the label is a number: give one predicted number each")
        if values.shape[1] != len(wanted):
            raise DatasetError(
                f"{path}: {values.shape[1]} columns, but there are {len(wanted)} classes ({_listed(wanted)}); "
                "name the columns with --classes"
            )
    elif suffix in TABLE_SUFFIXES:
        values = _read_table(path, dataset, opened(path, "table", limits=limits, workers=workers), wanted)
    else:
        raise DatasetError(f"{path}: predictions are read from .npy, .npz, .csv, .tsv and .parquet")
    if numbers:
        if not np.isfinite(values).any() or np.isinf(values).any():
            raise DatasetError(f"{path}: no record has a prediction, or a number is infinite")
        return Predictions(probabilities=values, classes=(NUMBER,), origin=path.name, out_of_fold=not in_sample)
    values = _checked(path, values, exclusive=dataset.labels.task != "multi")
    order = [*dataset.labels.classes, *(name for name in wanted if name not in dataset.labels.classes)]
    values = values[:, [wanted.index(name) for name in order]]
    return Predictions(probabilities=values, classes=tuple(order), origin=path.name, out_of_fold=not in_sample)


def column_order(classes: Sequence[str]) -> list[str]:
    """Classes as an array has them: by number where all are numbers (2 before 10), else by name."""
    try:
        return sorted(classes, key=lambda name: (float(name), name))
    except ValueError:
        return sorted(classes)


def _wanted_classes(path: Path, dataset: Dataset, classes: Sequence[str] | None) -> list[str]:
    if classes is None:
        return column_order(dataset.labels.classes)
    if len(set(classes)) != len(classes):
        raise ConfigError("--classes: a class is named twice")
    missing = [name for name in dataset.labels.classes if name not in classes]
    if missing:
        raise ConfigError(f"--classes: {_listed(missing)} is a class of the dataset but not a column of {path}")
    return list(classes)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _both_columns(values: npt.NDArray[np.float32], wanted: list[str]) -> npt.NDArray[np.float32]:
    if values.shape[1] == 1 and len(wanted) == 2:
        return np.hstack([1 - values, values])
    return values


def opened(path: Path, kind: str, *arguments: object, limits: Limits, workers: int = 1) -> Any:
    """What a worker reads of a file (`auditor.prediction.opening`).

    Raises:
        DatasetError: it cannot be read within the limits.
    """
    try:
        return run_job(f"auditor.prediction.opening:{kind}", path, *arguments, limits=limits, workers=workers)
    except UnreadableFile as error:
        raise DatasetError(f"{path}: {told(error)}") from None


def _read_table(path: Path, dataset: Dataset, table: pd.DataFrame, wanted: list[str]) -> npt.NDArray[np.float32]:
    # what we wrote ourselves keeps a spreadsheet from running a class or an id as a formula
    table = table.rename(columns={as_cell(name, data=True): name for name in wanted if name not in table.columns})
    present = [name for name in wanted if name in table.columns]
    if len(wanted) == 2 and len(present) == 1:
        cells = _numbers(path, table[present])
        pair = np.hstack([1 - cells, cells])
        values = pair if present[0] == wanted[1] else pair[:, ::-1]
    else:
        missing = [name for name in wanted if name not in table.columns]
        if missing:
            raise DatasetError(f"{path}: no column for {_listed(missing)}; the header must hold the class names")
        values = _numbers(path, table[wanted])
    places = _places(path, dataset, table.drop(columns=present))
    if places is None:
        if len(table) != dataset.size:
            raise DatasetError(
                f"{path}: {len(table):,} rows, but the dataset has {dataset.size:,} records, and no column matches their ids"
            )
        return values
    aligned = np.full((dataset.size, len(wanted)), np.nan, dtype=np.float32)
    aligned[places] = values
    return aligned


def _numbers(path: Path, cells: pd.DataFrame) -> npt.NDArray[np.float32]:
    try:
        return cells.to_numpy().astype(np.float32)
    except (ValueError, TypeError):
        raise DatasetError(f"{path}: a cell of a class column is no number; every cell must hold a probability") from None


def _places(path: Path, dataset: Dataset, others: pd.DataFrame) -> npt.NDArray[np.int64] | None:
    """Row of the dataset per row of the table, by the first column that names records; None when no column does."""
    keys = [dataset.records.index.astype(str)]
    paths = dataset.records["path"]
    if paths.notna().any() and paths.is_unique:
        keys.append(pd.Index(paths.fillna("").astype(str)))
        names = keys[-1].str.rsplit("/", n=1).str[-1]
        if names.is_unique:
            keys.extend([names, names.str.rsplit(".", n=1).str[0]])
    for column in others.columns:
        values = pd.Index(others[column].astype(str))
        for key in keys:
            if not key.is_unique:
                continue
            found = key.get_indexer(values)
            if (found < 0).any():
                found = np.where(found < 0, key.get_indexer(values.map(from_cell)), found)
            known = found >= 0
            if not known.any() or known.mean() < 0.5:
                continue
            if not known.all():
                raise DatasetError(
                    f"{path}: {int((~known).sum()):,} rows of column {column!r} name no record of the dataset "
                    f"(first: row {int(np.argmin(known)) + 2}); remove them"
                )
            if len(np.unique(found)) != len(found):
                raise DatasetError(f"{path}: column {column!r} names a record twice; give one row per record")
            return np.asarray(found, dtype=np.int64)
    return None


def _checked(path: Path, values: npt.NDArray[np.float32], *, exclusive: bool) -> npt.NDArray[np.float32]:
    finite = np.isfinite(values)
    absent = ~finite.any(axis=1) & ~np.isinf(values).any(axis=1)
    judged = values[~absent]
    if len(judged) == 0:
        raise DatasetError(f"{path}: no record has a prediction")
    if not np.isfinite(judged).all():
        row = int(np.flatnonzero(~finite.all(axis=1) & ~absent)[0])
        raise DatasetError(
            f"{path}: a number of row {row + 1} is missing or infinite; a record has all its probabilities or none"
        )
    low, high = float(judged.min()), float(judged.max())
    if low < -RANGE_TOLERANCE or high > 1 + RANGE_TOLERANCE:
        raise DatasetError(
            f"{path}: values from {low:.3g} to {high:.3g} are no probabilities; apply softmax (or sigmoid) to logits, "
            "divide percentages by 100"
        )
    values = np.clip(values, 0, 1)
    if exclusive:
        sums = values.sum(axis=1, dtype=np.float64)
        off = np.abs(sums - 1) > SUM_TOLERANCE
        off[absent] = False
        if off.any():
            raise DatasetError(
                f"{path}: {int(off.sum()):,} rows do not sum to 1 (row {int(np.argmax(off)) + 1} sums to "
                f"{sums[np.argmax(off)]:.3f}); each record has one class, so give softmax probabilities"
            )
        values = np.asarray(values / sums[:, None], dtype=np.float32)
    return values
