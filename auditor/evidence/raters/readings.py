"""The readings of a dataset, as the statistics of agreement want them: codes of unit, rater and label, and counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.raters.agreement import count_readings
from auditor.naming.grades import LEAST, MOST, grade_order
from auditor.naming.lexicon import GRADE_WORDS, words
from auditor.values.dataset import Dataset

MAX_CLASSES = 50
SEPARATOR = "|"


@dataclass(frozen=True, kw_only=True)
class Readings:
    """One reading per rater and record.

    Args:
        records, raters, classes: names behind the codes; classes in grade order when `ordinal`.
        unit, rater, label: codes, one entry per reading.
        counts: (records, classes).
        ordinal: the labels are declared grades.
        several: the labels are sets of findings, joined by `|`.
        cluster: patient of each record, indices from 0; every record its own where there are no usable ids.
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
    several: bool
    cluster: npt.NDArray[np.int64]
    incomplete: int
    repeats: int
    repeat_agreement: float


def collect_readings(dataset: Dataset) -> Readings:
    """The readings in `dataset.annotations`.

    Raises:
        SkipCheck: no readings, one rater, no record read by two raters, or continuous values.
    """
    table = dataset.annotations
    complete = complete_readings(dataset)
    first = complete.drop_duplicates(["record", "rater"])
    unit, records = pd.factorize(first["record"].astype(str))
    rater, raters = pd.factorize(first["rater"].astype(str), sort=True)
    if len(raters) < 2:
        raise SkipCheck("all readings are by one rater: agreement needs two")
    names = first["label"].astype(str)
    classes, ordinal = _classes(dataset, names)
    if are_scores(classes):
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
        rater=rater.astype(np.int64), label=label, counts=counts, ordinal=ordinal,
        several=any(SEPARATOR in name for name in classes), cluster=patients_of(dataset, pd.Index(records)),
        incomplete=len(table) - len(complete), repeats=len(later), repeat_agreement=repeated,
    )  # fmt: skip


def complete_readings(dataset: Dataset) -> pd.DataFrame:
    """Rows of `dataset.annotations` with record, rater and label.

    Raises:
        SkipCheck: there are none.
    """
    table = dataset.annotations
    if table.empty or not {"record", "rater", "label"} <= set(table.columns):
        raise SkipCheck("there are no readings by named raters (a table with record, rater and label)")
    complete = table[table[["record", "rater", "label"]].notna().all(axis=1)]
    complete = complete[(complete["label"].astype(str).str.strip() != "").to_numpy()]
    if complete.empty:
        raise SkipCheck("no reading has a record, a rater and a label")
    return complete


def are_scores(classes: tuple[str, ...]) -> bool:
    """More different numbers than grades have: the readings are measurements."""
    return len(classes) > MAX_CLASSES and _all_numbers(classes)


def patients_of(dataset: Dataset, records: pd.Index) -> npt.NDArray[np.int64]:
    """Patient of each of `records`, indices from 0; every record its own without usable ids. Shape (records,)."""
    alone = np.arange(len(records), dtype=np.int64)
    if not dataset.has("patient"):
        return alone
    column = dataset.records["patient"].reindex(records)
    codes, names = pd.factorize(column)
    return np.where(codes < 0, len(names) + alone, codes).astype(np.int64)


def class_values(classes: tuple[str, ...], *, ordinal: bool) -> npt.NDArray[np.float64] | None:
    """The number behind each class: of declared grades the rank, of numbers the number; else None."""
    if _all_numbers(classes):
        return pd.to_numeric(pd.Series(list(classes), dtype=object)).to_numpy(np.float64)
    return np.arange(len(classes), dtype=np.float64) if ordinal else None


def finding_sets(classes: tuple[str, ...]) -> tuple[tuple[str, ...], npt.NDArray[np.bool_]]:
    """Of joined labels: the single findings, and which label holds which; shape (classes, findings)."""
    sets = [{part.strip() for part in name.split(SEPARATOR) if part.strip()} for name in classes]
    single = tuple(sorted(set().union(*sets)))
    return single, np.array([[name in one for name in single] for one in sets], dtype=bool)


def _classes(dataset: Dataset, names: pd.Series) -> tuple[tuple[str, ...], bool]:
    """Declared grades in their order; else the labels that occur, by number where all are numbers, as grades where their
    words or their columns say so."""
    present = set(names.unique())
    if dataset.labels.task == "ordinal" and present <= set(dataset.labels.classes):
        return dataset.labels.classes, len(dataset.labels.classes) > 2
    called = _called_grades(dataset)
    if _all_numbers(tuple(present)):
        whole = all(float(name).is_integer() for name in present)
        return tuple(sorted(present, key=lambda name: (float(name), name))), called and whole and LEAST <= len(present) <= MOST
    order = grade_order(present, called=called)
    return (tuple(sorted(present)), False) if order is None else (order, True)


def _called_grades(dataset: Dataset) -> bool:
    """The columns of the readings are called like grades (`expert1_grade`, `Score`)."""
    told = [guess for role in ("rater", "label", "answer") if (guess := dataset.guess(role)) is not None]
    return any(set(words(guess.column or guess.value)) & GRADE_WORDS for guess in told)


def _all_numbers(names: tuple[str, ...]) -> bool:
    return bool(pd.to_numeric(pd.Series(list(names), dtype=object), errors="coerce").notna().all())
