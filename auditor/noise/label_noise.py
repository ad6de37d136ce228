"""The labels of a dataset, judged by its predictions: what both label-noise checks build on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.dataset import Dataset, Labels, Predictions, State
from auditor.folds import fold_groups
from auditor.noise.estimate import NoiseEstimate, estimate_noise
from auditor.predict import why_not

MIN_JUDGED = 20
THREADS = 2


@dataclass(frozen=True, kw_only=True)
class JudgedTask:
    """One question that every judged record answers: which class (exclusive classes), or whether one class (multi-label).

    Args:
        name: the class for multi-label, empty otherwise.
        classes: names of the columns of `probabilities`.
        codes: given class of each judged label.
        groups: patient of each of them, as a number.
        probabilities: (labels, classes).
        estimate: what follows.
        records: judged records, positions in `Dataset.records`.
        label_of: which judged label each of them carries. A label of a study is one label, whatever its number of images.
    """

    name: str
    classes: tuple[str, ...]
    codes: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]
    estimate: NoiseEstimate
    records: npt.NDArray[np.int64]
    label_of: npt.NDArray[np.int64]


def judge_labels(dataset: Dataset, *, tolerance: float) -> tuple[JudgedTask, ...]:
    """One task for single and ordinal labels, one per class for multi-label.

    Where a label speaks about a study, a lesion or a patient, the predictions of its images are pooled first: a finding that
    one view does not show is no wrong label of that view.

    Raises:
        SkipCheck: no label, no predictions, or fewer than 20 records that have both.
    """
    if dataset.labels.task in ("none", "continuous"):
        raise SkipCheck(why_not(dataset) or "the dataset has no label with classes")
    predictions = dataset.predictions
    if predictions is None:
        raise SkipCheck(f"no predictions: {why_not(dataset) or 'the predict stage did not run'}")
    # Five checks ask for the same: the answer is kept beside the predictions, for just these labels and records.
    key = f"judged at {tolerance}"
    kept = predictions.remembered.get(key)
    if isinstance(kept, _Kept) and kept.labels is dataset.labels and kept.records is dataset.records:
        return kept.tasks
    tasks = _judged(dataset, predictions, tolerance)
    if not tasks:
        raise SkipCheck(f"fewer than {MIN_JUDGED} records have both a label and a prediction")
    predictions.remembered[key] = _Kept(labels=dataset.labels, records=dataset.records, tasks=tasks)
    return tasks


@dataclass(frozen=True, kw_only=True, eq=False)
class _Kept:
    labels: Labels
    records: pd.DataFrame
    tasks: tuple[JudgedTask, ...]


def _judged(dataset: Dataset, predictions: Predictions, tolerance: float) -> tuple[JudgedTask, ...]:
    group, carrier = fold_groups(dataset), _carriers(dataset)

    everyone = np.arange(dataset.size)

    def judged(ask: Callable[[], _Question | None]) -> JudgedTask | None:
        question = ask()
        if question is None:
            return None
        name, classes, rows, codes, probabilities = question
        if carrier is None:
            label_of = first = everyone[: len(rows)]
            pooled = probabilities
        else:
            label_of, first, pooled = _pooled(carrier[rows], codes, probabilities, shown_once=bool(name))
        if len(first) < MIN_JUDGED:
            return None
        codes = codes[first]
        groups = group if carrier is None and len(rows) == dataset.size else group[rows[first]]
        return JudgedTask(
            name=name, classes=classes, codes=codes, groups=groups, probabilities=pooled, records=rows, label_of=label_of,
            estimate=estimate_noise(pooled, codes, groups, tolerance=tolerance),
        )  # fmt: skip

    # The classes of a multi-label dataset have nothing to do with each other, and array arithmetic leaves Python's lock.
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return tuple(task for task in pool.map(judged, _questions(dataset, predictions)) if task is not None)


def _carriers(dataset: Dataset) -> npt.NDArray[np.int64] | None:
    """What each record's label speaks about, as a number; None where that is the image itself, or is not known."""
    level = dataset.labels.level
    if level == "image" or not dataset.has(level):
        return None
    codes = pd.factorize(dataset.records[level])[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max() + 1 + np.arange(int(alone.sum()))
    return codes


def _pooled(
    carrier: npt.NDArray[np.int64],
    codes: npt.NDArray[np.int64],
    probabilities: npt.NDArray[np.float32],
    *,
    shown_once: bool,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Images of one carrier with one given class become one label.

    Its probabilities are the mean of theirs; of a finding (`shown_once`: two columns, absent and present) the image that shows
    it most clearly decides.

    Returns:
        Label of each row, first row of each label, pooled probabilities (labels, classes).
    """
    classes = probabilities.shape[1]
    _, first, label_of = np.unique(carrier * classes + codes, return_index=True, return_inverse=True)
    label_of = label_of.reshape(-1).astype(np.int64)
    if shown_once:
        present = np.zeros(len(first), dtype=np.float32)
        np.maximum.at(present, label_of, probabilities[:, 1])
        return label_of, first, np.stack([1 - present, present], axis=1)
    total = np.zeros((len(first), classes), dtype=np.float32)
    np.add.at(total, label_of, probabilities)
    return label_of, first, np.asarray(total / total.sum(axis=1, keepdims=True), dtype=np.float32)


_Question = tuple[str, tuple[str, ...], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]


def _questions(dataset: Dataset, predictions: Predictions) -> list[Callable[[], _Question | None]]:
    """One per task, asked only when it is its turn: a million records × fourteen classes are not in memory at once."""
    labels, p = dataset.labels, predictions.probabilities
    everyone = np.arange(dataset.size)
    if labels.task == "multi":
        return [partial(_one_class, dataset, predictions, name, everyone) for name in labels.classes]
    column_of = np.array([predictions.classes.index(name) for name in labels.classes], dtype=np.int64)
    rows = np.flatnonzero((labels.codes >= 0) & np.isfinite(p).all(axis=1))
    judged = p if len(rows) == len(p) else p[rows]
    return [lambda: ("", predictions.classes, rows, column_of[labels.codes[rows]], judged)]


def _one_class(dataset: Dataset, predictions: Predictions, name: str, everyone: npt.NDArray[np.int64]) -> _Question | None:
    """Absent or present; None where the labels know one answer only."""
    assert dataset.labels.states is not None
    state = dataset.labels.states[name].to_numpy()
    column = predictions.probabilities[:, predictions.classes.index(name)]
    known = (state >= 0) & np.isfinite(column)
    rows = everyone if known.all() else np.flatnonzero(known)
    codes = (state[rows] == State.POSITIVE).astype(np.int64)
    pair = np.stack([1 - column[rows], column[rows]], axis=1)
    return (name, (f"not {name}", name), rows, codes, pair) if 0 < codes.sum() < len(codes) else None
