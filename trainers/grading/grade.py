"""Truth and predictions of any task in one form: one panel of metrics per arm and seed, over the records that can be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from auditor.statistics.clusters import clusters_of
from trainers.kinds import task_named
from trainers.metrics.panel import Longs, Metric, Panel
from trainers.values.task import Array, LearningTask


@dataclass(frozen=True, kw_only=True)
class Graded:
    """Arms that were graded on the same records.

    Args:
        task: what was learnt.
        metrics: what the panels hold; the first is the main one.
        arms: one panel per seed, for each arm.
        classes: names of the values per class; empty where there are none.
        class_metric: what the value per class is, in words.
        truth: of the records kept; the form of `grade`.
        predictions: per arm, per seed, of the records kept; probabilities (records, classes), a
            number (records,) or class maps (records, *shape).
        index: patient number per record kept.
        patients: how many.
        dropped: records without a known truth or without a prediction.
        absent: classes without a record here (of findings: without both answers).
        unit: what `patients` counts, where no patient is known.
    """

    task: LearningTask
    metrics: tuple[Metric, ...]
    arms: tuple[tuple[Panel, ...], ...]
    classes: tuple[str, ...]
    class_metric: str
    truth: Array
    predictions: tuple[tuple[Array, ...], ...]
    index: Longs
    patients: int
    dropped: int
    absent: tuple[str, ...]
    unit: str = "patient"

    @property
    def one_image_each(self) -> bool:
        """Records are independent: each patient has one."""
        return self.patients == len(self.index)

    def panel(self, prediction: Array) -> Panel:
        """Another prediction on the same records, in the form of `predictions`."""
        panel: Panel = self.task.panel(self.truth, prediction, self.index, self.patients)
        return panel


def grade(
    truth: Array,
    arms: Sequence[Sequence[Array]],
    *,
    patients: Sequence[object] | Array,
    task: str | LearningTask,
    classes: Sequence[str] = (),
    unit: str = "patient",
) -> Graded:
    """Grade arms, each a prediction per seed.

    Args:
        truth: class number (records,), −1 = not known (single, ordinal); 0, 1 or NaN (records, classes) (multi); a number or
            NaN (records,) (continuous); class per pixel (records, *shape) (segmentation).
        arms: per arm and seed: probabilities (records, classes); for ordinal also the probabilities of being above each grade
            (records, classes − 1); the number (records,) or (records, 1); for masks probabilities (records, outputs, *shape) or
            class maps (records, *shape). A record with NaN in any of them is left out of all.
        patients: id per record; None = a patient of its own.
        task: what was learnt, or the name of its kind.
        classes: names, where the task is only named; of masks with or without the background.
        unit: what `patients` are, in one word.

    Raises:
        ValueError: shapes or numbers of seeds that do not fit.
    """
    truth, task = np.asarray(truth), as_task(task, classes)
    if len({len(arm) for arm in arms}) != 1 or len(arms[0]) == 0:
        raise ValueError("each arm needs predictions of the same seeds, of one at least")
    if any(len(p) != len(truth) for arm in arms for p in arm) or len(patients) != len(truth):
        raise ValueError("truth, predictions and patients differ in their number of records")
    made = [[task.prepared(np.asarray(p), truth) for p in arm] for arm in arms]
    kept = task.judged(truth).copy()
    for arm in made:
        for p in arm:
            kept &= np.isfinite(p).all(axis=tuple(range(1, p.ndim)))
    truth = truth[kept].astype(task.truth_type)
    clusters = clusters_of(pd.Series(np.asarray(patients, dtype=object)[kept]), int(kept.sum()))
    predictions = tuple(tuple(p[kept] for p in arm) for arm in made)
    return Graded(
        task=task,
        metrics=task.metrics(truth),
        arms=tuple(tuple(task.panel(truth, p, clusters.index, clusters.count) for p in arm) for arm in predictions),
        classes=task.names,
        class_metric=task.class_metric,
        truth=truth,
        predictions=predictions,
        index=clusters.index,
        patients=clusters.count,
        dropped=int((~kept).sum()),
        unit=unit,
        absent=task.absent(truth),
    )


def as_task(task: str | LearningTask, classes: Sequence[str]) -> LearningTask:
    """The task, also where its kind and its classes are named alone."""
    return task_named(task, classes) if isinstance(task, str) else task
