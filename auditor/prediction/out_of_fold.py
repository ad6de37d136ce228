"""Predictions of each record by a model that did not learn from it: which records, which folds, and their calibration.

One frame for every model: the built-in probe on the scan's features (`auditor.prediction.predict`), the same probe on an
encoder's features, and networks (`trainers.predicting.predictor`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from auditor.prediction.folds import assign_folds
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from auditor.values.predictions import Predictions

MIN_RECORDS = 20
MIN_PER_CLASS = 5
MAX_TRAINING = 30_000
FLOOR = 1e-6

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

Model = Callable[[Rows, Rows, np.random.Generator], Floats]
"""Learns from some positions of `Question.rows` and answers for others: probabilities, shape (others, columns)."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is to be learnt.

    `rows` indexes the judged records, `columns` the judged classes; `targets` is 0/1 (rows, columns), `known` says which
    cells are labels.
    """

    rows: Rows
    columns: Rows
    targets: Floats
    known: Bools
    exclusive: bool


def question_of(dataset: Dataset, seen: Bools) -> Question:
    """The labels of the records that a model can see, without classes that have fewer than 5 of them."""
    labels = dataset.labels
    rows = np.flatnonzero(seen & labelled(dataset))
    if labels.task == "multi":
        assert labels.states is not None
        states = labels.states.to_numpy()[rows]
        known, positive = states >= 0, states == State.POSITIVE
        enough = np.minimum(positive.sum(axis=0), (known & ~positive).sum(axis=0)) >= MIN_PER_CLASS
        columns = np.flatnonzero(enough)
        targets = positive[:, columns].astype(np.float32)
        return Question(rows=rows, columns=columns, targets=targets, known=known[:, columns], exclusive=False)
    codes = labels.codes[rows]
    columns = np.flatnonzero(np.bincount(codes, minlength=len(labels.classes)) >= MIN_PER_CLASS)
    kept = np.isin(codes, columns)
    rows, codes = rows[kept], codes[kept]
    targets = (codes[:, None] == columns[None, :]).astype(np.float32)
    return Question(rows=rows, columns=columns, targets=targets, known=np.ones(targets.shape, dtype=np.bool_), exclusive=True)


def labelled(dataset: Dataset) -> Bools:
    """Records with a label, shape (records,)."""
    if dataset.labels.states is not None and dataset.labels.task == "multi":
        return np.asarray((dataset.labels.states.to_numpy() >= 0).any(axis=1))
    return np.asarray(dataset.labels.codes >= 0)


def why_no_answer(dataset: Dataset, seen: Bools, groups: Rows, *, model: str) -> str | None:
    """Why no model can answer out of fold, in words, or None when one can.

    Args:
        seen: records whose picture the model can read, shape (records,).
        groups: a number per record, equal for those that are never parted.
        model: what to call it.
    """
    labels = dataset.labels
    if labels.task == "none":
        return "the dataset has no label"
    if labels.task == "continuous":
        return f"the label is continuous: {model} predicts classes"
    count = int((seen & labelled(dataset)).sum())
    if count < MIN_RECORDS:
        return f"{count} labelled records have pixels; {model} needs at least {MIN_RECORDS}"
    question = question_of(dataset, seen)
    if (len(question.columns) < 2 and question.exclusive) or not len(question.columns):
        what = "positive and negative" if labels.task == "multi" else "labelled"
        return f"fewer than two classes have at least {MIN_PER_CLASS} {what} records with pixels"
    group = groups[question.rows]
    if len(np.unique(group)) < 2:
        return "all labelled images are the same picture, or of one patient"
    if _classes_in_two_groups(question, group) < (2 if question.exclusive else 1):
        least = "two classes have" if question.exclusive else "one class has"
        return f"fewer than {least} records of two patients or pictures: no model can learn a class without those it judges"
    return None


def _classes_in_two_groups(question: Question, group: Rows) -> int:
    """How many classes a model can still learn when any one group of records is left out."""

    def spread(cells: Bools) -> Bools:
        return np.array([len(np.unique(group[cells[:, c]])) >= 2 for c in range(cells.shape[1])], dtype=np.bool_)

    positive = question.targets > 0
    enough = spread(positive) if question.exclusive else spread(positive) & spread(question.known & ~positive)
    return int(enough.sum())


def answered(
    dataset: Dataset,
    question: Question,
    model: Model,
    *,
    groups: Rows,
    origin: str,
    seed: int = 0,
    folds: int = 5,
    most: int | None = None,
) -> Dataset:
    """The dataset with out-of-fold class probabilities.

    Probabilities are temperature-calibrated: the temperature of a fold comes from the predictions of the other folds. Rows
    are NaN where a record is not part of the question, or where no training part held its class.

    Args:
        groups: a number per record, equal for those that are always in one fold.
        origin: what to call the model.
        most: so many records train a fold at most.

    Raises:
        ValueError: fewer than two folds.
    """
    if folds < 2:
        raise ValueError("cross-validation needs at least two folds")
    rng = np.random.default_rng(seed)
    group = groups[question.rows]
    fold = assign_folds(_strata(question), group, folds=min(folds, len(np.unique(group))), rng=rng)
    raw = np.full(question.targets.shape, np.nan, dtype=np.float32)
    for number in range(int(fold.max()) + 1):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if most is not None and len(train) > most:
            train = np.sort(rng.choice(train, most, replace=False))
        raw[test] = _learnt_alone(question, train, test, model(train, test, rng))
    calibrated = _calibrated(raw, fold, question)
    probabilities = np.full((dataset.size, len(dataset.labels.classes)), np.nan, dtype=np.float32)
    judged = np.isfinite(calibrated).any(axis=1)
    block = np.zeros((int(judged.sum()), probabilities.shape[1]), dtype=np.float32)
    if not question.exclusive:
        block[:] = np.nan
    block[:, question.columns] = calibrated[judged]
    probabilities[question.rows[judged]] = block
    found = Predictions(
        probabilities=probabilities, classes=dataset.labels.classes, origin=origin, folds=int(fold.max()) + 1
    )  # fmt: skip
    return replace(dataset, predictions=found)


def _strata(question: Question) -> Rows:
    """The rarest positive class of each record; higher = rarer, so that a group goes with its rarest class."""
    rarity = np.argsort(np.argsort(-question.targets.sum(axis=0), kind="stable"), kind="stable") + 1
    return np.asarray((question.targets * rarity).max(axis=1, initial=0), dtype=np.int64)


def _learnt_alone(question: Question, train: Rows, test: Rows, probabilities: Floats) -> Floats:
    """NaN where the class of a record was not in the training part: the model cannot know it."""
    known = question.known[train]
    positive = (question.targets[train] * known).sum(axis=0)
    learnt = (positive > 0) & (positive < known.sum(axis=0))
    if question.exclusive:
        probabilities[~(question.targets[test] @ learnt > 0)] = np.nan
    else:
        probabilities[:, ~learnt] = np.nan
    return probabilities


def _calibrated(raw: Floats, fold: Rows, question: Question) -> Floats:
    """Divide the log-odds of each fold by the temperature that suits the other folds."""
    result = raw.copy()
    for number in range(int(fold.max()) + 1):
        others, own = np.flatnonzero(fold != number), fold == number
        others = others[:: max(1, len(others) // MAX_TRAINING)]
        targets, known = question.targets[others], question.known[others]
        temperature = fit_temperature(raw[others], targets, known, exclusive=question.exclusive)
        result[own] = soften(raw[own], temperature, exclusive=question.exclusive)
    return result


def soften(probabilities: Floats, temperature: float, *, exclusive: bool) -> Floats:
    """Probabilities at a temperature: softmax(log p / T) for exclusive classes, else sigmoid(logit p / T) per class."""
    p = np.clip(probabilities, FLOOR, 1 - FLOOR)
    if exclusive:
        power = np.exp(np.log(p) / temperature)
        return np.asarray(power / power.sum(axis=1, keepdims=True), dtype=np.float32)
    return np.asarray(1 / (1 + np.exp(-np.log(p / (1 - p)) / temperature)), dtype=np.float32)


def fit_temperature(raw: Floats, targets: Floats, known: Bools, *, exclusive: bool) -> float:
    """The temperature of least log-loss against 0/1 `targets` (Guo et al., ICML 2017), between 1/4 and 4.

    All arrays are (rows, classes); cells that are not `known`, or not finite, do not count.
    """
    usable = np.isfinite(raw) & known

    def loss(log_temperature: float) -> float:
        p = np.clip(soften(raw, float(np.exp(log_temperature)), exclusive=exclusive), FLOOR, 1 - FLOOR)
        chosen = np.where(targets > 0, np.log(p), 0 if exclusive else np.log(1 - p))
        return -float(chosen[usable].sum())

    if not usable.any():
        return 1.0
    return float(np.exp(_lowest(loss, -np.log(4), np.log(4), within=1e-3)))


def _lowest(loss: Callable[[float], float], low: float, high: float, *, within: float) -> float:
    """Where a function with one valley is least, by golden section."""
    golden = (5**0.5 - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    of_left, of_right = loss(left), loss(right)
    while high - low > within:
        if of_left <= of_right:
            high, right, of_right = right, left, of_left
            left = high - golden * (high - low)
            of_left = loss(left)
        else:
            low, left, of_left = left, right, of_right
            right = low + golden * (high - low)
            of_right = loss(right)
    return (low + high) / 2
