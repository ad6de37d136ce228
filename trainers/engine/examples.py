"""From a dataset and a proposal to examples: which records teach, what, and how much."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from trainers.kin import kin
from trainers.values.pictures import Examples, Rows
from trainers.values.places import places
from trainers.values.task import LearningTask


def examples_of(
    dataset: Dataset,
    rows: Rows | npt.NDArray[np.bool_],
    task: LearningTask,
    proposal: Proposal | None = None,
    *,
    only_safe: bool = False,
    groups: Rows | None = None,
) -> Examples:
    """The labels of these records as they stand, with what the proposal changes: corrections, weights and removals.

    Records that are unlabelled afterwards (for masks: nothing is asked) or removed are left out; the order is that of `rows`.

    Args:
        rows: numbers of records, or boolean per record.
        only_safe: leave out the corrections that a person would have to look at first.
        groups: of all records, where they are known already (`trainers.trust.kin`).

    Raises:
        ValueError: a correction names a record, class or field that is not there.
    """
    chosen = np.asarray(np.flatnonzero(rows) if rows.dtype == np.bool_ else rows, np.int64)
    corrections = [c for c in (proposal.corrections if proposal else ()) if c.safe or not only_safe]
    targets = task.targets(dataset, corrections)
    known = task.known(targets)
    weights = np.ones(dataset.size, np.float32)
    if proposal is not None:
        index = dataset.records.index
        weights[places(index, list(proposal.weights))] = np.fromiter(proposal.weights.values(), np.float32)
        known[places(index, list(proposal.removed))] = False
    chosen = chosen[known[chosen]]
    groups = kin(dataset) if groups is None else groups
    return Examples(rows=chosen, targets=targets[chosen], weights=weights[chosen], groups=groups[chosen])
