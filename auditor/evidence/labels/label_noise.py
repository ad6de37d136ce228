"""The labels of a dataset, judged by its predictions: what both label-noise checks build on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.labels.estimate import estimate_noise
from auditor.evidence.labels.grades import by_grade
from auditor.prediction.folds import fold_groups
from auditor.prediction.predict import why_not
from auditor.values.dataset import Dataset
from auditor.values.judgements import JudgedTask, NoiseEstimate, both
from auditor.values.labels import State
from auditor.values.predictions import Predictions

MIN_JUDGED = 20
THREADS = 2


def judged_records(tasks: Sequence[JudgedTask], size: int) -> npt.NDArray[np.bool_]:
    """Which records at least one task judges; shape (records,)."""
    judged = np.zeros(size, dtype=np.bool_)
    for task in tasks:
        judged[task.records] = True
    return judged


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
    kept = dataset.judgements
    tasks = kept.at(tolerance) if kept is not None and kept.speak_of(dataset) else _judged(dataset, predictions, tolerance)
    if not tasks:
        raise SkipCheck(f"fewer than {MIN_JUDGED} records have both a label and a prediction")
    return tasks


class JudgedOnce:
    """`auditor.values.judgements.Judgements` of one dataset: several checks ask for the same, and it is worked out once.

    It is made by a scan for its checks and goes with the dataset it speaks of.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._found: dict[float, tuple[JudgedTask, ...]] = {}

    def speak_of(self, dataset: object) -> bool:
        """Whether just these labels, predictions and records were judged."""
        own = self._dataset
        return (
            isinstance(dataset, Dataset)
            and dataset.labels is own.labels
            and dataset.predictions is own.predictions
            and dataset.records is own.records
            and dataset.fingerprints is own.fingerprints
        )

    def at(self, tolerance: float) -> tuple[JudgedTask, ...]:
        """The tasks; empty where fewer than 20 records have a label and a prediction, or nothing was predicted."""
        if tolerance not in self._found:
            predictions = self._dataset.predictions
            self._found[tolerance] = () if predictions is None else _judged(self._dataset, predictions, tolerance)
        return self._found[tolerance]


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
        agreed = predictions.agreed if pooled.ndim == 2 else None
        if agreed is not None:
            agreed = agreed[rows]
            if carrier is not None:
                agreed = np.bincount(label_of, ~agreed, minlength=len(first)) == 0
        estimate = estimate_noise(
            pooled if pooled.ndim == 2 else both(pooled), codes, None if alone else groups, agreed=agreed, tolerance=tolerance
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


MARGIN_SHARE = 0.25
"""Weight of the margin's rank beside that of the score. Chosen on digits and pneumoniamnist: 0.15 to 0.5 are alike."""

Floats = npt.NDArray[np.float32]


def with_margins(
    estimate: NoiseEstimate, margins: Floats, probabilities: Floats, codes: npt.NDArray[np.int64]
) -> NoiseEstimate:
    """The same estimate, its labels in another order: by the weighted mean of their ranks by score and by margin.

    How many are flagged, and which scores and suspicions there are, stays as it is; only which label has which changes. Labels
    without a margin keep the rank of their score.

    Args:
        margins: of the given labels (`Predictions.margins`), shape (labels,); low = learnt late.
        probabilities: (labels, classes).
        codes: given class per label.
    """
    known = np.isfinite(margins)
    if not known.any():
        return estimate
    by_score = ranks(estimate.score)
    mixed = by_score.copy()
    mixed[known] = (1 - MARGIN_SHARE) * by_score[known] + MARGIN_SHARE * ranks(margins[known])
    order = np.argsort(mixed, kind="stable")
    score, suspicion = np.empty_like(estimate.score), np.empty_like(estimate.suspicion)
    score[order], suspicion[order] = np.sort(estimate.score), np.sort(estimate.suspicion)[::-1]
    flagged = np.zeros_like(estimate.flagged)
    flagged[order[: int(estimate.flagged.sum())]] = True
    others = probabilities.copy()
    others[np.arange(len(codes)), codes] = -1
    suggested = np.where(flagged & (estimate.suggested == codes), others.argmax(axis=1), estimate.suggested)
    return replace(estimate, score=score, suspicion=suspicion, flagged=flagged, suggested=suggested)


def ranks(values: Floats) -> npt.NDArray[np.float64]:
    """Place of each value among all, 0–1; equal values have one rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray((middle[inverse.reshape(-1)] + 0.5) / len(values))
