"""corrections.csv, removed.csv and weights.csv: what was changed, what is only proposed, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auditor.values.cells import csv_bytes
from auditor.values.corrections import Correction
from trainers.copying.additions import Addition
from trainers.copying.cells import Edit

CORRECTIONS, REMOVED, WEIGHTS, ADDITIONS = "corrections.csv", "removed.csv", "weights.csv", "additions.csv"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A correction, the cells that it changes, and whether it was applied; `note` says why not."""

    correction: Correction
    edits: tuple[Edit, ...] = ()
    applied: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Removal:
    """A record that leaves the collection, or was proposed to; `rows` of the table are its own."""

    record: str
    path: str
    reason: str
    strategy: str
    label: str
    split: str
    rows: tuple[int, ...]
    applied: bool = False
    note: str = ""


Key = tuple[str, str, str, str, str]
"""Record, field, old, new, strategy: what tells two corrections apart, however a spreadsheet sorted them."""


def key_of(correction: Correction) -> Key:
    """What tells a correction from every other one of a copy."""
    return (correction.record, correction.field, correction.old, correction.new, correction.strategy)


def corrections_file(entries: Iterable[Entry]) -> bytes:
    """One row per correction; `applied` may be set to `yes` by hand, see `trainers.copying.undo.reapply`."""
    names = ("record", "field", "old", "new", "confidence", "reason", "strategy", "code", "safe", "applied", "note")
    rows = (
        (
            e.correction.record, e.correction.field, e.correction.old, e.correction.new,
            "" if e.correction.confidence is None else f"{e.correction.confidence:.4f}", e.correction.reason,
            e.correction.strategy, e.correction.code, yes(e.correction.safe), yes(e.applied), e.note,
        )
        for e in entries
    )  # fmt: skip
    return csv_bytes(names, rows)


def removed_file(removals: Iterable[Removal]) -> bytes:
    """One row per record that left, or was proposed to leave."""
    names = ("record", "path", "reason", "strategy", "label", "split", "applied", "note")
    return csv_bytes(
        names, ((r.record, r.path, r.reason, r.strategy, r.label, r.split, yes(r.applied), r.note) for r in removals)
    )


def additions_file(additions: Iterable[Addition]) -> bytes:
    """One row per record that a strategy made: the picture it was made from, and its own, or why the copy has it not."""
    names = ("path", "source", "strategy", "note")
    return csv_bytes(names, ((a.path, a.source, a.strategy, a.note) for a in additions))


def weights_file(weights: Mapping[str, float], paths: Mapping[str, str], strategies: Mapping[str, str]) -> bytes:
    """One row per record of the copy."""
    rows = ((record, paths.get(record, ""), f"{weight:.6g}", strategies.get(record, "")) for record, weight in weights.items())
    return csv_bytes(("record", "path", "weight", "strategy"), rows)


def yes(value: bool) -> str:
    """`yes` or `no`."""
    return "yes" if value else "no"
