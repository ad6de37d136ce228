"""What the labels or masks of held-out records say, and the choice between networks by the trusted validation part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.labels import State
from trainers.grading.evaluate import Choice, choose_best
from trainers.kin import kin
from trainers.strategy import Case
from trainers.values.recipe import Trained
from trainers.values.trust import Bools


def truth_of(case: Case, rows: Bools) -> npt.NDArray[np.generic]:
    """What the labels of these records say, as `trainers.grading.grade` wants it."""
    labels, kind = case.dataset.labels, case.bench.task.kind
    if kind == "segmentation":
        masks = case.bench.pictures.masks
        assert masks is not None
        return np.asarray(masks[np.flatnonzero(rows)])
    if kind == "multi":
        assert labels.states is not None
        states = labels.states.to_numpy()[rows].astype(np.float64)
        return np.where(states >= 0, states == State.POSITIVE, np.nan)
    if kind == "continuous":
        return pd.to_numeric(labels.values, errors="coerce").to_numpy(np.float64, na_value=np.nan)[rows]
    return labels.codes[rows]


def patients_of(case: Case, rows: Bools) -> npt.NDArray[np.int64]:
    """A number per record: the unit that is drawn anew."""
    return kin(case.dataset)[rows]


def chosen_on_validation(case: Case, arms: Mapping[str, Sequence[Trained]], *, baseline: str) -> Choice:
    """The arm of networks that is best on the trusted validation records; the baseline, where none gains a standard error.

    Args:
        arms: name → networks, as many for each.
    """
    rows, task = case.trust.validation, case.bench.task
    said = {name: [case.bench.predict(network, rows) for network in networks] for name, networks in arms.items()}
    return choose_best(
        truth_of(case, rows), said, baseline=baseline, patients=patients_of(case, rows), task=task.kind, classes=task.classes,
        seed=case.seed,
    )  # fmt: skip
