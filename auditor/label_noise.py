"""The labels of a dataset, judged by its predictions: what both label-noise checks build on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.check import SkipCheck
from auditor.dataset import Dataset, Predictions, State
from auditor.folds import fold_groups
from auditor.noise import NoiseEstimate, estimate_noise
from auditor.predict import why_not

MIN_JUDGED = 20


@dataclass(frozen=True, kw_only=True)
class JudgedTask:
    """One question that every judged record answers: which class (exclusive classes), or whether one class (multi-label).

    Args:
        name: the class for multi-label, empty otherwise.
        classes: names of the columns of `probabilities`.
        rows: judged records, positions in `Dataset.records`.
        codes: given class of each of them.
        probabilities: (rows, classes).
        estimate: what follows.
    """

    name: str
    classes: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]
    estimate: NoiseEstimate


def judge_labels(dataset: Dataset, *, tolerance: float) -> tuple[JudgedTask, ...]:
    """One task for single and ordinal labels, one per class for multi-label.

    Raises:
        SkipCheck: no label, no predictions, or fewer than 20 records that have both.
    """
    if dataset.labels.task in ("none", "continuous"):
        raise SkipCheck(why_not(dataset) or "the dataset has no label with classes")
    predictions = dataset.predictions
    if predictions is None:
        raise SkipCheck(f"no predictions: {why_not(dataset) or 'the predict stage did not run'}")
    group = fold_groups(dataset)
    tasks = []
    for name, classes, rows, codes, probabilities in _questions(dataset, predictions):
        if len(rows) < MIN_JUDGED:
            continue
        estimate = estimate_noise(probabilities, codes, group[rows], tolerance=tolerance)
        tasks.append(
            JudgedTask(name=name, classes=classes, rows=rows, codes=codes, probabilities=probabilities, estimate=estimate)
        )
    if not tasks:
        raise SkipCheck(f"fewer than {MIN_JUDGED} records have both a label and a prediction")
    return tuple(tasks)


_Question = tuple[str, tuple[str, ...], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]


def _questions(dataset: Dataset, predictions: Predictions) -> list[_Question]:
    labels, p = dataset.labels, predictions.probabilities
    if labels.task == "multi":
        assert labels.states is not None
        questions: list[_Question] = []
        for name in labels.classes:
            state = labels.states[name].to_numpy()
            column = p[:, predictions.classes.index(name)]
            rows = np.flatnonzero((state >= 0) & np.isfinite(column))
            codes = (state[rows] == State.POSITIVE).astype(np.int64)
            pair = np.stack([1 - column[rows], column[rows]], axis=1)
            if 0 < codes.sum() < len(codes):
                questions.append((name, (f"not {name}", name), rows, codes, pair))
        return questions
    column_of = np.array([predictions.classes.index(name) for name in labels.classes], dtype=np.int64)
    rows = np.flatnonzero((labels.codes >= 0) & np.isfinite(p).all(axis=1))
    judged = p if len(rows) == len(p) else p[rows]
    return [("", predictions.classes, rows, column_of[labels.codes[rows]], judged)]
