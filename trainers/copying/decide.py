"""Which corrections and removals of a chain of proposals are applied, and why the others are not.

Proposals follow each other: a later one sees what the earlier ones left. Where two of them want another value in one
place, the first stands and the other is written down beside it; nothing is decided in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from auditor.evidence.kin.components import components
from auditor.evidence.kin.groups import is_test
from auditor.values.corrections import Correction, Proposal
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from auditor.values.links import IDENTICAL, Evidence
from trainers.copying.cells import Cells, Refused
from trainers.copying.ledger import Entry, Removal

NO_LABEL = ""
MOST_REMOVED = 0.10
"""Share of the records of a class that may leave."""


def decide_removals(
    dataset: Dataset, proposals: Sequence[Proposal], cells: Cells | None = None, *, most: float
) -> tuple[Removal, ...]:
    """Test records stay, and of no class more than `most` leaves; what is over it stays a proposal.

    Copies of one picture leave together or not at all: of a pair that contradicts itself, one side alone would be a decision.

    Args:
        cells: of the table that loses their rows; None where it is not asked which.
        most: share of the records of a class, 0–1.
    """
    places = {str(record): place for place, record in enumerate(dataset.records.index)}
    wanted = [(p.strategy, record, reason) for p in proposals for record, reason in p.removed.items()]
    notes = removal_notes(dataset, [(strategy, places.get(record, -1)) for strategy, record, _ in wanted], most)
    return tuple(
        Removal(
            record=record, path=_text(dataset, "path", place), reason=reason, strategy=strategy,
            label=_label(dataset, place), split=_text(dataset, "split", place),
            rows=tuple(cells.source.rows[place].tolist()) if cells is not None and place >= 0 else (),
            applied=not note, note=note,
        )
        for (strategy, record, reason), note in zip(wanted, notes, strict=True)
        for place in [places.get(record, -1)]
    )  # fmt: skip


def removal_notes(dataset: Dataset, wanted: Sequence[tuple[str, int]], most: float) -> list[str]:
    """Why each of these removals (strategy, row or −1) is not made; empty where it is."""
    classes = classes_of(dataset)
    held: Counter[str] = Counter(name for names in classes for name in names)
    gone: Counter[str] = Counter()
    notes, taken = [""] * len(wanted), set[int]()
    units: dict[tuple[str, int], list[int]] = {}
    copies = (
        components(dataset, grades=IDENTICAL | {Evidence.NEAR}).to_numpy() if len(dataset.links) else np.arange(dataset.size)
    )
    for k, (strategy, place) in enumerate(wanted):
        if place < 0:
            notes[k] = "no record has this id"
        elif is_test(_text(dataset, "split", place)):
            notes[k] = "a test record: nothing is taken out of the test set"
        else:
            units.setdefault((strategy, int(copies[place])), []).append(k)
    for members in units.values():
        for k in members:
            if wanted[k][1] in taken:
                notes[k] = "removed already"
        fresh = [k for k in members if not notes[k]]
        leaving = Counter(name for k in fresh for name in classes[wanted[k][1]])
        if any(gone[name] + count > most * held[name] for name, count in leaving.items()):
            together = "; copies of one picture leave together or not at all" if len(fresh) > 1 else ""
            for k in fresh:
                notes[k] = f"over the limit of {most:.0%} of a class{together}"
        else:
            taken.update(wanted[k][1] for k in fresh)
            gone.update(leaving)
    return notes


def classes_of(dataset: Dataset) -> list[tuple[str, ...]]:
    """The classes of each record: one, several, or all of them together where there is none."""
    labels = dataset.labels
    if labels.task == "multi" and labels.states is not None:
        positive: npt.NDArray[np.bool_] = labels.states.to_numpy() == State.POSITIVE
        return [
            tuple(name for name, there in zip(labels.classes, row, strict=True) if there) or (NO_LABEL,) for row in positive
        ]
    if labels.task in ("single", "ordinal"):
        return [(NO_LABEL if missing else str(v),) for v, missing in zip(labels.values, labels.values.isna(), strict=True)]
    return [(NO_LABEL,)] * dataset.size


def decide_corrections(
    proposals: Sequence[Proposal], cells: Cells, removed: Mapping[str, Removal], *, force: bool
) -> list[Entry]:
    """Apply what may be applied to `cells`, in order.

    Args:
        removed: record → its removal, of those that are applied.
        force: apply also what a person should look at first.
    """
    entries: list[Entry] = []
    for proposal in proposals:
        for correction in proposal.corrections:
            entries.append(_decide(correction, cells, removed, force=force))
    return entries


def _decide(correction: Correction, cells: Cells, removed: Mapping[str, Removal], *, force: bool) -> Entry:
    try:
        edits = tuple(cells.edits(correction))
    except Refused as reason:
        earlier = cells.changed_by(correction)
        return Entry(correction=correction, note=str(reason) if earlier is None else f"{earlier} changed the value before")
    if correction.record in removed:
        return Entry(correction=correction, edits=edits, note=f"the record leaves ({removed[correction.record].strategy})")
    if not edits:
        return Entry(correction=correction, applied=True, note="the new value stands there already")
    if not (correction.safe or force):
        return Entry(correction=correction, edits=edits, note="to be looked at first: set `applied` to yes to accept it")
    cells.apply(edits, correction.strategy)
    return Entry(correction=correction, edits=edits, applied=True)


def _text(dataset: Dataset, column: str, place: int) -> str:
    if place < 0 or column not in dataset.records.columns:
        return ""
    value = dataset.records[column].iloc[place]
    return "" if value is None or value != value else str(value)


def _label(dataset: Dataset, place: int) -> str:
    if place < 0 or dataset.labels.task == "none":
        return ""
    value = dataset.labels.values.iloc[place]
    return "" if value is None or value != value else str(value)
