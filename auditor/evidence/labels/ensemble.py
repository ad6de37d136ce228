"""Several models' predictions joined into one: the mean of their probabilities after each is calibrated.

The mean of models is better than the best of them; without calibration the most boastful one would decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from auditor.prediction.out_of_fold import MAX_TRAINING, fit_temperature, soften
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from auditor.values.predictions import Predictions

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


def join_predictions(models: Sequence[Predictions], dataset: Dataset) -> Predictions:
    """The mean of the calibrated probabilities, rows aligned with `dataset.records`.

    Each model is calibrated by one temperature (least log-loss against the given labels: one number, which cannot learn
    single labels by heart). A record is judged by the models that predicted it. One model is returned as it is.

    Raises:
        ValueError: no model.
    """
    if not models:
        raise ValueError("no predictions to join")
    if len(models) == 1:
        return models[0]
    if dataset.labels.task == "continuous":
        return _mean_number(models)
    classes = dataset.labels.classes
    columns = (*classes, *sorted({name for m in models for name in m.classes} - set(classes)))
    exclusive = dataset.labels.task != "multi"
    total = np.zeros((dataset.size, len(columns)), dtype=np.float32)
    count = np.zeros_like(total)
    first = np.full(dataset.size, -1, dtype=np.int64)
    agreed = np.ones(dataset.size, dtype=np.bool_)
    for model in models:
        calibrated = _calibrated(model, dataset, exclusive=exclusive)
        place = [columns.index(name) for name in model.classes]
        known: Bools = ~np.isnan(calibrated)
        total[:, place] += np.where(known, calibrated, 0)
        if exclusive:
            # A class that a model does not know has the probability 0 there, so the rows still sum to 1.
            count += np.any(known, axis=1, keepdims=True)
            told = known.any(axis=1)
            named = np.array(place)[np.where(known, calibrated, -1).argmax(axis=1)]
            agreed &= ~told | (first < 0) | (named == first)
            first = np.where((first < 0) & told, named, first)
        else:
            count[:, place] += known
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return replace(
        models[0],
        probabilities=mean,
        classes=columns,
        origin=" + ".join(m.origin for m in models),
        out_of_fold=all(m.out_of_fold for m in models),
        agreed=agreed if exclusive else None,
    )


def _mean_number(models: Sequence[Predictions]) -> Predictions:
    """The mean of the models that predicted a record."""
    told = np.stack([model.probabilities for model in models])
    known = np.isfinite(told)
    mean = np.where(known, told, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return replace(
        models[0],
        probabilities=np.where(known.any(axis=0), mean, np.nan).astype(np.float32),
        origin=" + ".join(m.origin for m in models),
        out_of_fold=all(m.out_of_fold for m in models),
    )


def _calibrated(model: Predictions, dataset: Dataset, *, exclusive: bool) -> Floats:
    labels, p = dataset.labels, model.probabilities
    if exclusive:
        column_of = np.array([model.classes.index(name) for name in labels.classes], dtype=np.int64)
        rows = np.flatnonzero((labels.codes >= 0) & np.isfinite(p).all(axis=1))
        rows = rows[:: max(1, len(rows) // MAX_TRAINING)]
        targets = np.zeros((len(rows), len(model.classes)), dtype=np.float32)
        targets[np.arange(len(rows)), column_of[labels.codes[rows]]] = 1
        known = np.ones(targets.shape, dtype=np.bool_)
    else:
        assert labels.states is not None
        states = labels.states.reindex(columns=list(model.classes), fill_value=State.NOT_ASSESSED).to_numpy()
        rows = np.arange(0, len(states), max(1, len(states) // MAX_TRAINING))
        targets, known = (states[rows] == State.POSITIVE).astype(np.float32), states[rows] >= 0
    temperature = fit_temperature(p[rows], targets, known, exclusive=exclusive)
    return soften(p, temperature, exclusive=exclusive)
