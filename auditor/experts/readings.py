"""The readings of a dataset, as the statistics of agreement want them: codes of unit, rater and label, and counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.experts.agreement import count_readings
from auditor.check import SkipCheck
from auditor.dataset import Dataset

MAX_CLASSES = 50


@dataclass(frozen=True, kw_only=True)
class Readings:
    """One reading per rater and record.

    Args:
        records, raters, classes: names behind the codes; classes in grade order when `ordinal`.
        unit, rater, label: codes, one entry per reading.
        counts: (records, classes).
        ordinal: the labels are declared grades.
        incomplete: rows without record, rater or label, left out.
        repeats: second and later readings of a record by the same rater, left out.
        repeat_agreement: share of those that say what the first said; NaN when there is none.
    """

    records: pd.Index
    raters: pd.Index
    classes: tuple[str, ...]
    unit: npt.NDArray[np.int64]
    rater: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    counts: npt.NDArray[np.float64]
    ordinal: bool
    incomplete: int
    repeats: int
    repeat_agreement: float


def collect_readings(dataset: Dataset) -> Readings:
    """The readings in `dataset.annotations`.

    Raises:
        SkipCheck: no readings, one rater, no record read by two raters, or continuous values.
    """
    table = dataset.annotations
    if table.empty or not {"record", "rater", "label"} <= set(table.columns):
        raise SkipCheck("there are no readings by named raters (a table with record, rater and label)")
    complete = table[["record", "rater", "label"]].dropna()
    complete = complete[(complete["label"].astype(str).str.strip() != "").to_numpy()]
    if complete.empty:
        raise SkipCheck("no reading has a record, a rater and a label")
    first = complete.drop_duplicates(["record", "rater"])
    unit, records = pd.factorize(first["record"].astype(str))
    rater, raters = pd.factorize(first["rater"].astype(str), sort=True)
    if len(raters) < 2:
        raise SkipCheck("all readings are by one rater: agreement needs two")
    names = first["label"].astype(str)
    classes, ordinal = _classes(dataset, names)
    if len(classes) > MAX_CLASSES and _all_numbers(classes):
        raise SkipCheck(
            f"the readings are continuous ({len(classes):,} different numbers): this check judges classes and grades"
        )
    label = pd.Index(classes).get_indexer(pd.Index(names)).astype(np.int64)
    counts = count_readings(unit, label, units=len(records), classes=len(classes))
    if counts.sum(axis=1).max() < 2:
        raise SkipCheck("no record was read by two raters")
    later = complete.drop(first.index)
    same = later.merge(first, on=["record", "rater"], suffixes=("", "_first"))
    repeated = float((same["label"] == same["label_first"]).mean()) if len(same) else float("nan")
    return Readings(
        records=pd.Index(records), raters=pd.Index(raters), classes=classes, unit=unit.astype(np.int64),
        rater=rater.astype(np.int64), label=label, counts=counts, ordinal=ordinal, incomplete=len(table) - len(complete),
        repeats=len(later), repeat_agreement=repeated,
    )  # fmt: skip


def _classes(dataset: Dataset, names: pd.Series) -> tuple[tuple[str, ...], bool]:
    """Declared grades in their order; else the labels that occur, by number where all are numbers."""
    present = set(names.unique())
    if dataset.labels.task == "ordinal" and present <= set(dataset.labels.classes):
        return dataset.labels.classes, len(dataset.labels.classes) > 2
    if _all_numbers(tuple(present)):
        return tuple(sorted(present, key=lambda name: (float(name), name))), False
    return tuple(sorted(present)), False


def _all_numbers(names: tuple[str, ...]) -> bool:
    return bool(pd.to_numeric(pd.Series(list(names), dtype=object), errors="coerce").notna().all())
