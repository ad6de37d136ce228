"""Out-of-fold predictions by the built-in probe: half-whitened principal components, logistic regression and neighbours.

The probe reads the pixel features of the one pass, never how a file was written (depth, distinct levels, container fields):
a model that can read the encoding would agree with any label that follows it. Nothing here trains a network, and nothing
depends on the machine.

Chosen on pneumoniamnist and scikit-learn's digits with 5 and 20 % planted flips (mean average precision of finding them):
the mean of both models .957, logistic regression alone .950, neighbours alone .937, random Fourier features .81.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from auditor.prediction.folds import fold_groups
from auditor.prediction.numbers import numbered, predict_numbers, why_no_numbers
from auditor.prediction.out_of_fold import MAX_TRAINING, answered, question_of, why_no_answer
from auditor.prediction.probe import fit_probe
from auditor.values.dataset import Dataset

MODULES: tuple[str, ...] = ("gradients", "intensity", "patches", "texture")
ENCODING: frozenset[str] = frozenset(
    f"intensity.{name}" for name in ("at_min_fraction", "at_max_fraction", "stored_levels", "range_used_fraction")
)
COLOURS: tuple[str, ...] = ("intensity.red_mean", "intensity.green_mean", "intensity.blue_mean")
"""Read as their distance from their mean: 0 for a grey image, whether it was stored with one channel or with three."""

ORIGIN = "built-in probe"
CHUNK = 4096

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


class Inputs:
    """The numbers that the probe reads, of records, taken a part of them at a time.

    Args:
        table: (records, numbers); NaN counts as the mean.
        plain, colours: which columns are read as they are, and which as their distance from their mean.
    """

    def __init__(self, table: Floats, plain: Rows, colours: Rows) -> None:
        self._table, self._plain, self._colours = table, plain, colours

    @staticmethod
    def of(dataset: Dataset) -> Inputs:
        """The pixel features of the one pass."""
        names = dataset.features.columns
        plain = names.get_indexer(pd.Index([c for c in _feature_columns(dataset) if c not in COLOURS]))
        colours = names.get_indexer(pd.Index(COLOURS))
        return Inputs(dataset.features.to_numpy(dtype=np.float32, copy=False), plain, colours[colours >= 0])

    def take(self, rows: Rows) -> Floats:
        """Shape (rows, inputs)."""
        found = np.empty((len(rows), len(self._plain) + len(self._colours)), dtype=np.float32)
        for start in range(0, len(rows), CHUNK):  # in parts: each step would hold all of it once more
            part = self._table[rows[start : start + CHUNK]]
            colours = part[:, self._colours]
            chroma = np.nan_to_num(colours - colours.mean(axis=1, keepdims=True)) if colours.shape[1] else colours
            found[start : start + CHUNK] = np.hstack([part[:, self._plain], chroma])
        return found


def why_not(dataset: Dataset) -> str | None:
    """Why the built-in probe cannot judge this dataset, in words, or None when it can."""
    has_features = bool(set(_feature_columns(dataset)) - set(COLOURS))
    if dataset.labels.task != "none" and not has_features:
        return "there are no pixel features: no image was read"
    seen = _has_pixels(dataset) if has_features else np.zeros(dataset.size, dtype=np.bool_)
    return why_unanswerable(dataset, seen, fold_groups(dataset))


def why_unanswerable(dataset: Dataset, seen: Bools, groups: Rows, *, model: str = "the built-in probe") -> str | None:
    """Why no model can answer for these labels out of fold, in words, or None when one can.

    Args:
        seen: records whose picture the model can read, shape (records,).
        groups: a number per record, equal for those that are never parted.
        model: what to call it.
    """
    if dataset.labels.task == "continuous":
        return why_no_numbers(dataset, seen, groups)
    return why_no_answer(dataset, seen, groups, model=model)


def predict(dataset: Dataset, *, seed: int = 0, folds: int = 5, groups: Rows | None = None) -> Dataset:
    """The dataset with out-of-fold class probabilities by the built-in probe; of a continuous label, with predicted numbers.

    Records of one patient, and identical pictures, are always in one fold. See `auditor.prediction.out_of_fold.answered` for
    calibration and for what stays NaN; a record without pixels does too. At most 30,000 records train a fold.

    Args:
        groups: a number per record, equal for those that are always in one fold; default as above.

    Returned unchanged when it already has predictions, or when `why_not` gives a reason.

    Raises:
        ValueError: fewer than two folds.
    """
    if folds < 2:
        raise ValueError("cross-validation needs at least two folds")
    if dataset.predictions is not None or why_not(dataset) is not None:
        return dataset
    groups = fold_groups(dataset) if groups is None else groups
    seen = _has_pixels(dataset)
    return probed(dataset, seen, Inputs.of(dataset), groups=groups, origin=ORIGIN, seed=seed, folds=folds)


def probed(
    dataset: Dataset, seen: Bools, inputs: Inputs, *, groups: Rows, origin: str, seed: int = 0, folds: int = 5
) -> Dataset:
    """The dataset with the out-of-fold answers of the probe on these inputs: probabilities, or numbers of a continuous label.

    Args:
        seen: records whose inputs are there, shape (records,).
        groups: a number per record, equal for those that are always in one fold.
        origin: what to call it.
    """
    if dataset.labels.task == "continuous":
        rows = numbered(dataset, seen)
        return predict_numbers(dataset, rows, inputs.take, groups=groups, origin=origin, seed=seed, folds=folds)
    question = question_of(dataset, seen)
    references = max(1_000, min(10_000, 1_000_000_000 // len(question.rows)))
    agreed = np.zeros(len(question.rows), dtype=np.bool_)

    def model(train: Rows, test: Rows, rng: np.random.Generator) -> Floats:
        probe = fit_probe(
            inputs.take(question.rows[train]), question.targets[train], question.known[train],
            exclusive=question.exclusive, references=references, rng=rng,
        )  # fmt: skip
        told = np.empty((len(test), question.targets.shape[1]), dtype=np.float32)
        for start in range(0, len(test), CHUNK):
            part = test[start : start + CHUNK]
            linear, near = probe.halves(inputs.take(question.rows[part]))
            told[start : start + CHUNK] = (linear + near) / 2
            agreed[part] = linear.argmax(axis=1) == near.argmax(axis=1)
        return told

    with threadpool_limits(limits=1, user_api="blas"):
        found = answered(
            dataset, question, model, groups=groups, origin=origin, seed=seed, folds=folds, most=MAX_TRAINING
        )  # fmt: skip
    if not question.exclusive:
        return found
    assert found.predictions is not None
    everyone = np.zeros(dataset.size, dtype=np.bool_)
    everyone[question.rows] = agreed
    return replace(found, predictions=replace(found.predictions, agreed=everyone))


def _feature_columns(dataset: Dataset) -> list[str]:
    return [c for c in dataset.features.columns if str(c).split(".")[0] in MODULES and c not in ENCODING]


def _has_pixels(dataset: Dataset) -> Bools:
    column = next(c for c in _feature_columns(dataset) if c not in COLOURS)
    return np.asarray(np.isfinite(dataset.features[column].to_numpy(dtype=np.float32)))
