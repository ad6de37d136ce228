"""The task that a dataset sets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError
from trainers.tasks.ordinal import cumulative
from trainers.values.pictures import Pictures
from trainers.values.task import Floats, LearningTask


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
