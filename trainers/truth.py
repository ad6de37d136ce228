"""What the labels or masks of held-out records say, and the choice between networks by the trusted validation part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from trainers.grading.evaluate import Choice, choose_best
from trainers.kin import kin
from trainers.strategy import Case
from trainers.values.recipe import Trained
from trainers.values.trust import Bools


def truth_of(case: Case, rows: Bools) -> npt.NDArray[np.generic]:
    """What the labels of these records say, as `trainers.grading.grade` wants it."""
    return case.bench.task.truth(case.dataset, case.bench.pictures, case.bench.view.firsts(rows))


def patients_of(case: Case, rows: Bools) -> npt.NDArray[np.int64]:
    """A number per record: the unit that is drawn anew."""
    return kin(case.dataset)[case.bench.view.firsts(rows)]


def chosen_on_validation(case: Case, arms: Mapping[str, Sequence[Trained]], *, baseline: str) -> Choice:
    """The arm of networks that is best on the trusted validation records; the baseline, where none gains a standard error.

    Args:
        arms: name → networks, as many for each.
    """
    rows, task = case.trust.validation, case.bench.task
    said = {name: [case.bench.predict(network, rows) for network in networks] for name, networks in arms.items()}
    return choose_best(
        truth_of(case, rows), said, baseline=baseline, patients=patients_of(case, rows), task=task,
        seed=case.seed,
    )  # fmt: skip
