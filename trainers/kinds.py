"""The kinds of tasks by name, and the one that a dataset sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from auditor.plugins import plugin_classes
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError
from trainers.values.pictures import Pictures, Rows
from trainers.values.task import Bools, LearningTask


@cache
def kinds() -> Mapping[str, type[LearningTask]]:
    """All kinds in the order in which a dataset is asked for them: one module each, plus the entry points `medaudit.tasks`."""
    found = plugin_classes("trainers.tasks", "medaudit.tasks", LearningTask)  # type: ignore[type-abstract]
    return {kind.kind: kind for kind in sorted(found, key=lambda kind: (kind.rank, kind.kind))}


def kind_of(dataset: Dataset) -> type[LearningTask] | None:
    """The kind of task that the dataset sets; None where there is nothing to learn."""
    return next((kind for kind in kinds().values() if kind.claims(dataset)), None)


def task_of(dataset: Dataset, pictures: Pictures, rows: Rows | None = None) -> LearningTask:
    """The task that the dataset sets; masks are learnt where they were read along with the pictures.

    Args:
        rows: what is measured on targets (the mean of a number) is measured on these records (default: all).

    Raises:
        DatasetError: there is nothing to learn: neither labels nor masks, or a single class.
    """
    kind = kind_of(dataset)
    if pictures.masks is not None and not (kind is not None and kind.from_masks):
        kind = next((other for other in kinds().values() if other.from_masks), kind)
    if kind is None or (kind.from_masks and pictures.masks is None):
        raise DatasetError("the records have neither labels nor masks: there is nothing to train on")
    return kind.set_by(dataset, pictures, rows)


def labelled(dataset: Dataset) -> Bools:
    """Records of which the truth is known, whether or not their picture can be read."""
    kind = kind_of(dataset)
    return np.zeros(dataset.size, np.bool_) if kind is None else kind.labelled(dataset)


def task_named(
    kind: str, classes: Sequence[str] = (), *, channels: int = 1, shape: tuple[int, ...] = (), **more: Any
) -> LearningTask:
    """A task of this kind.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in kinds():
        raise ValueError(f"task {kind}: there is no such kind; one of {', '.join(kinds())}")
    return kinds()[kind](classes=tuple(classes), channels=channels, shape=shape, **more)
