"""Out-of-fold predictions of a continuous label by the built-in probe of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from auditor.prediction.folds import assign_folds
from auditor.prediction.number_probe import fit_numbers
from auditor.prediction.out_of_fold import MAX_TRAINING, MIN_RECORDS
from auditor.values.dataset import Dataset
from auditor.values.predictions import Predictions

CHUNK = 4096
STRATA = 5
NUMBER = "value"
"""The one column of predictions of a continuous label."""

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def numbered(dataset: Dataset, seen: npt.NDArray[np.bool_]) -> Rows:
    """Records that have a number and an image."""
    return np.flatnonzero(seen & np.isfinite(dataset.labels.values.to_numpy(dtype=np.float64)))


def why_no_numbers(dataset: Dataset, seen: npt.NDArray[np.bool_], groups: Rows) -> str | None:
    """Why the probe cannot judge a continuous label, in words, or None when it can."""
    rows = numbered(dataset, seen)
    if len(rows) < MIN_RECORDS:
        return f"{len(rows)} labelled records have pixels; the built-in probe needs at least {MIN_RECORDS}"
    if len(np.unique(groups[rows])) < 2:
        return "all labelled images are the same picture, or of one patient"
    return None


def predict_numbers(
    dataset: Dataset, rows: Rows, take: Callable[[Rows], Floats], *, groups: Rows, origin: str, seed: int, folds: int
) -> Dataset:
    """The dataset with an out-of-fold number for each of `rows` by the probe, in the column `value`.

    Args:
        rows: from `numbered`.
        take: what the probe reads of some records, (records, inputs).
        groups: a number per record, equal for those that are always in one fold.
        origin: what to call it.
    """
    numbers = dataset.labels.values.to_numpy(dtype=np.float64)

    def model(train: Rows, test: Rows) -> Floats:
        probe = fit_numbers(take(train), numbers[train])
        parts = [test[start : start + CHUNK] for start in range(0, len(test), CHUNK)]
        return np.concatenate([probe.numbers(take(part)) for part in parts])

    with threadpool_limits(limits=1, user_api="blas"):
        return answered_numbers(
            dataset, rows, model, groups=groups, origin=origin, seed=seed, folds=folds, most=MAX_TRAINING
        )  # fmt: skip


def answered_numbers(
    dataset: Dataset,
    rows: Rows,
    model: Callable[[Rows, Rows], Floats],
    *,
    groups: Rows,
    origin: str,
    seed: int,
    folds: int,
    most: int | None = None,
) -> Dataset:
    """The same by any model.

    Args:
        model: learns from some records and answers for others, shape (others,).
        most: so many records train a fold at most.
    """
    rng = np.random.default_rng(seed)
    numbers, group = dataset.labels.values.to_numpy(dtype=np.float64)[rows], groups[rows]
    strata = np.argsort(np.argsort(numbers, kind="stable"), kind="stable") * STRATA // len(numbers)
    fold = assign_folds(strata, group, folds=min(folds, len(np.unique(group))), rng=rng)
    predicted = np.full((dataset.size, 1), np.nan, dtype=np.float32)
    count = int(fold.max()) + 1
    for number in range(count):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if most is not None and len(train) > most:
            train = np.sort(rng.choice(train, most, replace=False))
        predicted[rows[test], 0] = model(rows[train], rows[test])
    found = Predictions(probabilities=predicted, classes=(NUMBER,), origin=origin, folds=count)
    return replace(dataset, predictions=found)
