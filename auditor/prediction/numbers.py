"""Out-of-fold predictions of a continuous label by the built-in probe of numbers.

The probe: ridge regression and the nearest neighbours on the features that the probe of classes reads. Labels far outside the
others teach it nothing: they are drawn in to four robust standard deviations from the median first, so that one typing error
does not bend the model that is to find it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from auditor.prediction.folds import assign_folds
from auditor.prediction.out_of_fold import MAX_TRAINING, MIN_RECORDS
from auditor.prediction.probe import NEIGHBOURS, SHARPNESS, half_whitening, moments, standardise, unit_vectors
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


STRENGTHS = np.geomspace(1e-3, 1e3, 13)
"""Ridge penalties per record that are tried; generalised cross-validation chooses (Golub, Heath & Wahba 1979)."""

WINSOR = 4.0

MOST_REFERENCES = 10_000


Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class NumberProbe:
    """A fitted probe.

    Args:
        mean, scale: per feature; scale 0 = a feature that does not vary.
        rotation: (features, components).
        weights, offset: ridge regression on the components.
        references, values: neighbours: unit vectors (references, components) and their numbers.
    """

    mean: Floats
    scale: Floats
    rotation: Floats
    weights: Doubles
    offset: float
    references: Floats
    values: Doubles

    def numbers(self, features: Floats) -> Doubles:
        """The mean of what both say; shape (rows,)."""
        inside = standardise(features, self.mean, self.scale) @ self.rotation
        count = max(1, min(NEIGHBOURS, len(self.references) // 4))
        similarity = unit_vectors(inside) @ self.references.T
        nearest = np.argpartition(similarity, len(self.references) - count, axis=1)[:, -count:]
        weight = np.exp(SHARPNESS * (np.take_along_axis(similarity, nearest, axis=1) - 1)).astype(np.float64)
        around = (weight * self.values[nearest]).sum(axis=1) / weight.sum(axis=1)
        return np.asarray((inside @ self.weights + self.offset + around) / 2)


def fit_numbers(features: Floats, numbers: Doubles) -> NumberProbe:
    """Fit a probe.

    Args:
        features: (rows, features); NaN counts as the mean.
        numbers: the labels, finite; shape (rows,).
    """
    middle = float(np.median(numbers))
    spread = 1.4826 * float(np.median(np.abs(numbers - middle)))
    if spread > 0:
        numbers = np.clip(numbers, middle - WINSOR * spread, middle + WINSOR * spread)
    mean, scale = moments(features)
    standard = standardise(features, mean, scale)
    rotation = half_whitening(standard)
    inside = standard @ rotation
    step = max(1, -(-len(inside) // MOST_REFERENCES))
    return NumberProbe(
        mean=mean, scale=scale, rotation=rotation, weights=ridge(inside.astype(np.float64), numbers - numbers.mean()),
        offset=float(numbers.mean()), references=unit_vectors(inside[::step]), values=numbers[::step],
    )  # fmt: skip


def ridge(inside: Doubles, numbers: Doubles) -> Doubles:
    """Weights of the ridge regression whose penalty has the least generalised cross-validation error.

    Args:
        inside: (rows, components), each of mean 0.
        numbers: of mean 0.
    """
    left, values, right = np.linalg.svd(inside, full_matrices=False)
    along, rows = left.T @ numbers, len(numbers)
    best, least = np.zeros(inside.shape[1]), np.inf
    for strength in STRENGTHS * rows:
        kept = values**2 / (values**2 + strength)
        rest = float(numbers @ numbers - 2 * (along * kept) @ along + (along * kept) @ (along * kept))
        error = rest / max(1e-12, (1 - float(kept.sum()) / rows)) ** 2
        if error < least:
            best, least = right.T @ (along * values / (values**2 + strength)), error
    return np.asarray(best)
