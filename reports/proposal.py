"""What a proposal holds, as tables: the same ones for comparison.json and for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auditor.values.corrections import Correction
from auditor.values.results import Column, Table

CORRECTION_COLUMNS = ("record", "field", "old", "new", "confidence", "reason", "code", "strategy", "safe")


def corrections_table(corrections: Sequence[Correction]) -> Table:
    """One row per value that would be changed, in the order of the proposal."""
    kinds = {"record": "record", "confidence": "fraction", "safe": "boolean"}
    return Table(
        name="corrections",
        title="Corrections",
        columns=tuple(
            Column(name=name, kind=kinds.get(name, "text"), values=tuple(getattr(c, name) for c in corrections))  # type: ignore[arg-type]
            for name in CORRECTION_COLUMNS
        ),
    )


def weights_table(weights: Mapping[str, float]) -> Table:
    """One row per record whose weight in training is not 1."""
    return Table(
        name="weights",
        title="Weights in training",
        columns=(
            Column(name="record", kind="record", values=tuple(weights)),
            Column(name="weight", kind="number", values=tuple(weights.values())),
        ),
    )


def removed_table(removed: Mapping[str, str]) -> Table:
    """One row per record that should leave the collection, with the reason."""
    return Table(
        name="removed",
        title="Removed records",
        columns=(
            Column(name="record", kind="record", values=tuple(removed)),
            Column(name="reason", kind="text", values=tuple(removed.values())),
        ),
    )


def files_table(files: Mapping[str, str]) -> Table:
    """One row per file that was made anew, by its path in the copy; where it was made is of this machine, and left out."""
    return Table(name="files", title="Files made anew", columns=(Column(name="path", kind="path", values=tuple(files)),))
