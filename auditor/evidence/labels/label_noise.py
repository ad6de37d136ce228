"""The labels of a dataset, judged by its predictions: what both label-noise checks build on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.labels.dynamics import with_margins
from auditor.evidence.labels.estimate import NoiseEstimate, estimate_noise
from auditor.evidence.labels.grades import by_grade
from auditor.prediction.folds import fold_groups
from auditor.prediction.predict import why_not
from auditor.values.dataset import Dataset, Labels, Predictions, State

MIN_JUDGED = 20
THREADS = 2


@dataclass(frozen=True, kw_only=True)
class JudgedTask:
    """One question that every judged record answers: which class (exclusive classes), or whether one class (multi-label).

    Args:
        name: the class for multi-label, empty otherwise.
        classes: names of the columns of `probabilities`.
        codes: given class of each judged label, in as few bytes as hold it.
        groups: patient of each of them, as a number.
        told: (labels, classes), or of two classes the probability of the second, (labels,): fourteen findings of a million
            images stay a view of the predictions.
        estimate: what follows.
        records: judged records, positions in `Dataset.records`.
        label_of: which judged label each of them carries; the same array as `records` where every record has its own, in order.
            A label of a study is one label, whatever its number of images.
    """

    name: str
    classes: tuple[str, ...]
    codes: npt.NDArray[np.signedinteger]
    groups: npt.NDArray[np.int64]
    told: npt.NDArray[np.float32]
    estimate: NoiseEstimate
    records: npt.NDArray[np.int64]
    label_of: npt.NDArray[np.int64]

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """Shape (labels, classes)."""
        return self.told if self.told.ndim == 2 else both(self.told)

    @property
    def differs(self) -> npt.NDArray[np.bool_]:
        """Whether the model names another class than the given one; shape (labels,)."""
        if self.told.ndim == 2:
            return np.asarray(self.told.argmax(axis=1) != self.codes)
        return np.asarray((self.told > 1 - self.told) != (self.codes == 1))


def judged_records(tasks: Sequence[JudgedTask], size: int) -> npt.NDArray[np.bool_]:
    """Which records at least one task judges; shape (records,)."""
    judged = np.zeros(size, dtype=np.bool_)
    for task in tasks:
        judged[task.records] = True
    return judged


def both(second: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Probabilities of two classes, shape (labels, 2), from that of the second."""
    return np.stack([1 - second, second], axis=1)


def narrow(codes: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.signedinteger]:
    """The same numbers in as few bytes as hold `classes`."""
    return codes.astype(np.min_scalar_type(-max(classes, 1)))


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
    group, carrier = fold_groups(dataset), carriers(dataset)
    alone = len(np.unique(group)) == len(group)
    everyone = np.arange(dataset.size)

    def judged(ask: Callable[[], _Question | None]) -> JudgedTask | None:
        question = ask()
        if question is None:
            return None
        name, classes, rows, codes, told = question
        if carrier is None:
            label_of = first = everyone if rows is everyone else everyone[: len(rows)]
            pooled = told
        else:
            label_of, first, pooled = _pooled(carrier[rows], codes, told)
        if len(first) < MIN_JUDGED:
            return None
        codes = codes if carrier is None else codes[first]
        groups = group if carrier is None and len(rows) == dataset.size else group[rows[first]]
        estimate = estimate_noise(
            pooled if pooled.ndim == 2 else both(pooled), codes, None if alone else groups, tolerance=tolerance
        )
        if predictions.margins is not None and pooled.ndim == 2:
            margins = predictions.margins[rows]
            if carrier is not None:
                margins = (np.bincount(label_of, margins) / np.bincount(label_of)).astype(np.float32)
            estimate = with_margins(estimate, margins, pooled, codes)
        if dataset.labels.task == "ordinal" and len(classes) == len(dataset.labels.classes):
            estimate = by_grade(estimate, pooled, codes)
        return JudgedTask(
            name=name, classes=classes, codes=narrow(codes, len(classes)), groups=groups, told=pooled, records=rows,
            label_of=label_of, estimate=replace(estimate, suggested=narrow(estimate.suggested, len(classes))),
        )  # fmt: skip

    # The classes of a multi-label dataset have nothing to do with each other, and array arithmetic leaves Python's lock.
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return tuple(task for task in pool.map(judged, _questions(dataset, predictions)) if task is not None)


def carriers(dataset: Dataset) -> npt.NDArray[np.int64] | None:
    """What each record's label speaks about, as a number; None where that is the image itself, or is not known."""
    level = dataset.labels.level
    if level == "image" or not dataset.has(level):
        return None
    codes = pd.factorize(dataset.records[level])[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max() + 1 + np.arange(int(alone.sum()))
    return codes


def _pooled(
    carrier: npt.NDArray[np.int64], codes: npt.NDArray[np.int64], told: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Images of one carrier with one given class become one label.

    Its probabilities are the mean of theirs; of a finding (`told` has one dimension) the image that shows it most clearly
    decides.

    Returns:
        Label of each row, first row of each label, pooled `told`.
    """
    _, first, label_of = np.unique(carrier * (codes.max() + 1) + codes, return_index=True, return_inverse=True)
    label_of = label_of.reshape(-1).astype(np.int64)
    if told.ndim == 1:
        present = np.zeros(len(first), dtype=np.float32)
        np.maximum.at(present, label_of, told)
        return label_of, first, present
    total = np.zeros((len(first), told.shape[1]), dtype=np.float32)
    np.add.at(total, label_of, told)
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
    if known.all():
        rows, positive = everyone, state == State.POSITIVE
    else:
        rows = np.flatnonzero(known)
        positive, column = state[rows] == State.POSITIVE, column[rows]
    codes = positive.astype(np.int64)
    return (name, (f"not {name}", name), rows, codes, column) if 0 < codes.sum() < len(codes) else None
