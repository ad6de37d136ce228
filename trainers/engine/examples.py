"""From a dataset and a proposal to examples: which records teach, what, and how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.labels import states_of
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from auditor.values.results import Correction, Proposal
from trainers.kin import kin
from trainers.tasks.ordinal import cumulative
from trainers.values.pictures import Examples, Rows
from trainers.values.task import Floats, LearningTask


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
    targets = corrected_targets(dataset, task, corrections)
    known = np.ones(dataset.size, np.bool_)
    if task.kind != "segmentation":
        known = np.asarray(np.isfinite(targets).any(axis=1))
    weights = np.ones(dataset.size, np.float32)
    if proposal is not None:
        index = dataset.records.index
        weights[places(index, list(proposal.weights))] = np.fromiter(proposal.weights.values(), np.float32)
        known[places(index, list(proposal.removed))] = False
    chosen = chosen[known[chosen]]
    groups = kin(dataset) if groups is None else groups
    return Examples(rows=chosen, targets=targets[chosen], weights=weights[chosen], groups=groups[chosen])


def corrected_targets(dataset: Dataset, task: LearningTask, corrections: Sequence[Correction]) -> Floats:
    """Targets of all records in the form of `Examples.targets`; a row of NaN where there is no label."""
    labels = dataset.labels
    if task.kind == "segmentation":
        return np.zeros((dataset.size, 0), np.float32)
    index = dataset.records.index
    if task.kind == "multi":
        assert labels.states is not None
        states = labels.states[list(task.classes)].to_numpy().copy()
        column = {f"label.{name}": i for i, name in enumerate(task.classes)}
        ours = [c for c in corrections if c.field in column]
        if ours:
            new = states_of(pd.Series([c.new for c in ours]).astype("category"), State.NOT_ASSESSED)
            states[places(index, [c.record for c in ours]), [column[c.field] for c in ours]] = new
        return np.where(states >= 0, states, np.nan).astype(np.float32)
    ours = [c for c in corrections if c.field == "label"]
    where = places(index, [c.record for c in ours])
    if task.kind == "continuous":
        numbers = pd.to_numeric(labels.values, errors="coerce").to_numpy(np.float64, na_value=np.nan).copy()
        numbers[where] = [float(c.new) if c.new else np.nan for c in ours]
        return ((numbers - task.target_mean) / task.target_scale).astype(np.float32)[:, None]
    codes = labels.codes
    number: Mapping[str, int] = {name: i for i, name in enumerate(task.classes)} | {"": -1}
    unknown = sum(c.new not in number for c in ours)
    if unknown:
        raise ValueError(f"{unknown} corrections name a class that the task does not have")
    codes[where] = [number[c.new] for c in ours]
    whole = np.eye(len(task.classes), dtype=np.float32)
    whole = cumulative(whole) if task.kind == "ordinal" else whole
    return np.where(codes[:, None] >= 0, whole[codes], np.float32(np.nan))


def places(index: pd.Index, records: Sequence[str]) -> Rows:
    """Row numbers of records.

    Raises:
        ValueError: one is not there.
    """
    found = index.get_indexer(pd.Index(list(records), dtype="str")) if records else np.empty(0, np.int64)
    if (found < 0).any():
        raise ValueError(f"{int((found < 0).sum())} records of the proposal are not in the dataset")
    return np.asarray(found, np.int64)
