"""A view and a proposal → the view after it, by the rules that a copy is written by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from auditor.layout import CONFIG_NAME
from auditor.naming.labels import states_of
from auditor.values.corrections import Correction, Proposal
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from trainers.copying.decide import MOST_REMOVED, decide_removals
from trainers.values.view import View


def after(view: View, proposal: Proposal, *, force: bool = False, most_removed: float = MOST_REMOVED) -> View:
    """What the proposal leaves.

    Corrections that a person would have to look at first change nothing, nor do those whose old value no longer stands there;
    removals are bounded as in the copy; weights multiply. A proposal that is a whole copy of its own shows the same pictures.

    Args:
        force: apply also corrections that are not safe, as the copy then will.
        most_removed: share of the records of a class that may leave, 0–1.
    """
    proposals = (*view.proposals, proposal)
    corrections = [c for c in proposal.corrections if c.safe or force]
    weights = view.weights.copy()
    index = view.dataset.records.index
    known = [record for record in proposal.weights if record in index]
    weights[index.get_indexer(pd.Index(known, dtype="str"))] *= np.array([proposal.weights[r] for r in known], np.float32)
    whole = CONFIG_NAME in proposal.files
    return replace(
        view,
        dataset=corrected(view.dataset, corrections),
        proposals=proposals,
        weights=weights,
        removed={r.record: r.reason for r in decide_removals(view.original, proposals, most=most_removed) if r.applied},
        files=view.files if whole else {**view.files, **proposal.files},
        names={**view.names, **{c.record: c.new for c in corrections if c.field == "path"}},
    )


def corrected(dataset: Dataset, corrections: Iterable[Correction]) -> Dataset:
    """The dataset with labels and splits as the corrections that fit say; images keep their names, since they lie there."""
    rows = {str(record): i for i, record in enumerate(dataset.records.index)}
    labels, values, records = dataset.labels, dataset.labels.values.astype(object).copy(), dataset.records
    states = None if labels.states is None else labels.states.copy()
    columns = {name: records[name].astype(object).copy() for name in ("split", "patient", "site") if name in records}
    for c in corrections:
        row = rows.get(c.record, -1)
        if row < 0:
            continue
        name = c.field.removeprefix("label.")
        if c.field == "label" and stands(values.iloc[row], c.old):
            values.iloc[row] = worth(c.new, number=labels.task == "continuous")
        elif (
            states is not None
            and c.field.startswith("label.")
            and name in states
            and int(states[name].iloc[row]) == state(c.old)
        ):
            states.loc[states.index[row], name] = state(c.new)
        elif c.field in columns and stands(columns[c.field].iloc[row], c.old):
            columns[c.field].iloc[row] = c.new or None
    changed = records.assign(**{name: pd.Series(v, index=records.index, dtype="string") for name, v in columns.items()})
    kept = values.astype(labels.values.dtype) if labels.task != "none" else labels.values
    return replace(dataset, records=changed, labels=replace(labels, values=kept, states=states))


def stands(value: object, old: str) -> bool:
    """Whether the value is the one that the correction takes it for; numbers are compared as numbers."""
    if value is None or value != value or value is pd.NA:
        return old == ""
    try:
        return str(value) == old or float(str(value)) == float(old)
    except ValueError:
        return False


def worth(new: str, *, number: bool) -> object:
    """A label from the text of a correction; empty = none."""
    if number:
        return float(new) if new else np.nan
    return new or None


def state(text: str) -> int:
    """What a cell of a table of several labels says."""
    return int(states_of(pd.Series([text]).astype("category"), State.NOT_ASSESSED)[0])
