"""What a network learns: the kind of target, its classes, and the geometry of the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError

if TYPE_CHECKING:
    from trainers.data import Pictures

Kind = Literal["single", "multi", "ordinal", "continuous", "segmentation"]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class LearningTask:
    """What is learnt from which pictures.

    Args:
        kind: of the target.
        classes: class names in the order of the dataset's labels; of masks the background first; empty for a number.
        channels: of a picture, 1 or 3.
        shape: of a picture, (height, width) or (depth, height, width).
        target_mean, target_scale: a continuous target is learnt as (value − mean) / scale; a network's output is turned back.
    """

    kind: Kind
    classes: tuple[str, ...]
    channels: int
    shape: tuple[int, ...]
    target_mean: float = 0.0
    target_scale: float = 1.0

    @property
    def dims(self) -> Literal[2, 3]:
        """2 for pictures, 3 for volumes."""
        return 3 if len(self.shape) == 3 else 2

    @property
    def outputs(self) -> int:
        """Outputs of a network (per pixel for masks): one per class; one per threshold of grades; one for a number or a single
        kind of object."""
        if self.kind == "continuous":
            return 1
        if self.kind == "ordinal" or (self.kind == "segmentation" and len(self.classes) == 2):
            return len(self.classes) - 1
        return len(self.classes)


def task_of(dataset: Dataset, pictures: Pictures, rows: npt.NDArray[np.int64] | None = None) -> LearningTask:
    """The task that the dataset's labels set; masks are learnt where they were read along with the pictures.

    Args:
        rows: the mean and the scale of a continuous label are taken over these records (default: all).

    Raises:
        DatasetError: there is nothing to learn: neither labels nor masks, or a single class.
    """
    if pictures.masks is not None:
        # at least background and object, so that a collection of empty masks still has an output
        highest = max(1, pictures.mask_classes - 1)
        names = ("background", "object") if highest == 1 else ("background", *(f"class {i}" for i in range(1, highest + 1)))
        return LearningTask(kind="segmentation", classes=names, channels=pictures.channels, shape=pictures.shape)
    labels = dataset.labels
    if labels.task == "none":
        raise DatasetError("the records have neither labels nor masks: there is nothing to train on")
    if labels.task == "continuous":
        values = pd.to_numeric(labels.values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        values = values if rows is None else values[rows]
        values = values[np.isfinite(values)]
        if len(values) < 2 or float(values.std()) == 0:
            raise DatasetError("the label has one value for all records: there is nothing to train on")
        return LearningTask(
            kind="continuous",
            classes=(),
            channels=pictures.channels,
            shape=pictures.shape,
            target_mean=float(values.mean()),
            target_scale=float(values.std()),
        )
    if labels.task != "multi" and len(labels.classes) < 2:
        raise DatasetError("all labelled records are of one class: there is nothing to train on")
    return LearningTask(kind=labels.task, classes=labels.classes, channels=pictures.channels, shape=pictures.shape)


def targets_from(task: LearningTask, predictions: Floats) -> Floats:
    """Predictions (m, K) as `trainers.engine.loop.predict` gives them → soft targets of the same task; NaN stays NaN.

    Class probabilities of grades become P(grade > k), shape (m, K − 1); a number is standardised; else they stay as they are.
    """
    if task.kind == "ordinal":
        return cumulative(predictions)
    if task.kind == "continuous":
        return ((predictions - task.target_mean) / task.target_scale).astype(np.float32)
    return predictions.astype(np.float32)


def cumulative(probabilities: Floats) -> Floats:
    """Probabilities of K grades (m, K) → P(grade > k) for k = 0 … K − 2, shape (m, K − 1)."""
    above = np.cumsum(probabilities[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return np.asarray(np.clip(above, 0, 1), np.float32)


def grade_probabilities(above: Floats) -> Floats:
    """P(grade > k), shape (m, K − 1) → probabilities of the K grades, shape (m, K); crossing thresholds are made monotone."""
    ordered = np.minimum.accumulate(above.astype(np.float64), axis=1)
    edges = np.concatenate([np.ones((len(above), 1)), ordered, np.zeros((len(above), 1))], axis=1)
    return np.asarray(edges[:, :-1] - edges[:, 1:], np.float32)
