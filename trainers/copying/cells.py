"""From a correction to cells of the table: what must stand there now, and what will."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import numpy as np

from auditor.naming.labels import NEGATIVE_CLASSES, are_ticks, split_cell, state_of
from auditor.naming.names import split_name
from auditor.values.corrections import Correction
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from trainers.copying.source import Source, Texts

UNKNOWN = frozenset(("", "-1", "-1.0"))
"""Cells that say that nobody knows the class."""

Edit = tuple[int, str, str, str]
"""Row, column, text that stands there, text that shall."""


class Refused(Exception):
    """A correction that does not fit the table; the reason is written beside it."""


class StaleValue(Refused):
    """The old value no longer stands there."""


class Cells:
    """The cells of a table as the corrections so far leave them.

    Args:
        source: the table.
        dataset: as scanned: values that no column holds.
    """

    def __init__(self, source: Source, dataset: Dataset) -> None:
        self.source, self.dataset = source, dataset
        self.places = {str(record): i for i, record in enumerate(dataset.records.index)}
        self.changed: dict[str, dict[int, str]] = {}
        self.by: dict[tuple[str, int], str] = {}
        self._columns: dict[str, Texts] = dict(source.cells)

    def text(self, column: str, row: int) -> str:
        """What stands in a cell now."""
        return self.changed.get(column, {}).get(row, str(self._columns[column][row]))

    def column(self, name: str) -> Texts:
        """What stood in a column at first."""
        return self._columns[name]

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them, also those that are in no file."""
        return tuple(self._columns)

    @property
    def virtual(self) -> frozenset[str]:
        """Columns that no file has."""
        return self.source.virtual | (set(self._columns) - set(self.source.cells))

    def edits(self, correction: Correction) -> list[Edit]:
        """The cells that a correction changes.

        Raises:
            StaleValue: `old` no longer stands in the table.
            Refused: there is no such record or field, or the table cannot say the new value.
        """
        position = self.places.get(correction.record)
        if position is None:
            raise Refused("no record has this id")
        role, _, class_name = correction.field.partition(".")
        rows = self.source.rows[position]
        if role == "label":
            if self.source.findings:
                raise Refused("the table has one finding per row: change it by hand")
            wanted = self._label(position, int(rows[0]), class_name, correction)
        else:
            wanted = {self._role(role): self._other(role, position, int(rows[0]), correction)}
        edits: list[Edit] = []
        for row in rows.tolist():
            edits += [(row, name, self.text(name, row), new) for name, new in wanted.items() if self.text(name, row) != new]
        return edits

    def apply(self, edits: Iterable[Edit], strategy: str) -> None:
        """Change the cells."""
        for row, column, _, new in edits:
            self.changed.setdefault(column, {})[row] = new
            self.by[column, row] = strategy

    def changed_by(self, correction: Correction) -> str | None:
        """Which strategy changed the value before, or None."""
        position = self.places.get(correction.record)
        if position is None:
            return None
        row = int(self.source.rows[position][0])
        role = correction.field.partition(".")[0]
        columns = self.source.labels if role == "label" else (self._role(role),)
        return next((self.by[name, row] for name in columns if (name, row) in self.by), None)

    def _role(self, role: str) -> str:
        """The column of a role; where there is none, one is made of what the scan knows."""
        name = self.source.roles.get(role)
        if name is not None:
            return name
        if role not in self._columns:
            if role not in self.dataset.records.columns:
                raise Refused(f"the dataset has no field {role!r}")
            values: Texts = self.dataset.records[role].fillna("").astype(object).to_numpy()
            column: Texts = np.full(self.source.size, "", dtype=object)
            for position, rows in enumerate(self.source.rows):
                column[rows] = values[position]
            self._columns[role] = column
        return role

    def _other(self, role: str, position: int, row: int, correction: Correction) -> str:
        """The new text of a cell that holds no label."""
        name = self._role(role)
        now = self.text(name, row)
        if role == "path":
            # A cell may name the file by its last folders; the record holds its path.
            known = self.dataset.records["path"].iloc[position]
            if (name, row) not in self.by and correction.old != known:
                raise StaleValue("the old value no longer stands in the table")
            return correction.new
        if role == "split":
            if correction.old not in (now, split_name(now) or now):
                raise StaleValue("the old value no longer stands in the table")
            words = self.vocabulary(name)
            return words.get(correction.new, correction.new)
        if now != correction.old:
            raise StaleValue("the old value no longer stands in the table")
        return correction.new

    def vocabulary(self, column: str) -> Mapping[str, str]:
        """What the table calls the splits: `train` → `Training`."""
        return {split_name(str(text)) or str(text): str(text) for text in sorted(set(self._columns[column]), reverse=True)}

    def _label(self, position: int, row: int, class_name: str, correction: Correction) -> dict[str, str]:
        """Column → new text, for a label or for one class of several."""
        source = self.source
        old, new = correction.old, correction.new
        if not source.labels:
            raise Refused("the dataset has no label column")
        if class_name:
            return self._state(row, class_name, old, new)
        if source.style == "columns":
            return self._one_hot(row, old, new)
        name = source.labels[0]
        cell = self.text(name, row)
        if not self._holds(position, cell, old):
            raise StaleValue("the old value no longer stands in the table")
        if source.style == "joined":
            return {name: source.separator.join(split_cell(new, "|")) or self._negative(name)}
        return {name: new}

    def _holds(self, position: int, cell: str, old: str) -> bool:
        """The cell says what `old` says."""
        style = self.source.style
        if cell == old:
            return True
        if not old and bool(self.dataset.labels.values.isna().iloc[position]):
            return cell in UNKNOWN or cell in self.dataset.labels.left_out or (style == "continuous" and _number(cell) is None)
        if style == "joined":
            return set(split_cell(cell, self.source.separator)) == set(split_cell(old, "|"))
        return style == "continuous" and _number(cell) is not None and _number(cell) == _number(old)

    def _one_hot(self, row: int, old: str, new: str) -> dict[str, str]:
        """A column per class: the class that goes, and the one that comes."""
        names = self.source.labels
        before, after = ({name for name in text.split("|") if name} for text in (old, new))
        if (before | after) - set(names):
            raise Refused("the table has no column for this class")
        if {name for name in names if self._said(name, row) is State.POSITIVE} != before:
            raise StaleValue("the old value no longer stands in the table")
        gone = {name: self._cell(name, State.NEGATIVE) for name in before - after}
        return gone | {name: self._cell(name, State.POSITIVE) for name in after - before}

    def _state(self, row: int, class_name: str, old: str, new: str) -> dict[str, str]:
        """One class of several."""
        source = self.source
        before, after = state_of(old), state_of(new)
        if source.style == "columns":
            if class_name not in source.labels:
                raise Refused("the table has no column for this class")
            if self._said(class_name, row) is not before:
                raise StaleValue("the old value no longer stands in the table")
            return {class_name: self._cell(class_name, after)}
        if source.style != "joined":
            raise Refused("the table has one class per record")
        name = source.labels[0]
        parts = [p for p in split_cell(self.text(name, row), source.separator) if p.lower() not in NEGATIVE_CLASSES]
        if (class_name in parts) is not (before is State.POSITIVE):
            raise StaleValue("the old value no longer stands in the table")
        if after is State.POSITIVE:
            parts.append(class_name)
        elif after is State.NEGATIVE:
            parts = [part for part in parts if part != class_name]
        else:
            raise Refused("a cell of several labels cannot say that one is uncertain")
        return {name: source.separator.join(parts) or self._negative(name)}

    def _said(self, column: str, row: int) -> State:
        """What a cell of a column of states says; an empty box among ticked ones says no."""
        text = self.text(column, row)
        return State.NEGATIVE if not text and self._ticked else state_of(text)

    @cached_property
    def _ticked(self) -> bool:
        return are_ticks({str(text) for name in self.source.labels for text in self._columns[name]})

    def _cell(self, column: str, state: State) -> str:
        """How the column writes a state: `1.0` where the others are `1.0`, nothing in a box that is not ticked."""
        if state is State.NEGATIVE and self._ticked:
            return ""
        usual = {State.POSITIVE: "1", State.NEGATIVE: "0", State.UNCERTAIN: "-1", State.NOT_MENTIONED: "-2"}
        seen = sorted({str(text) for text in self._columns[column] if text and state_of(str(text)) is state})
        others = {str(text) for text in self._columns[column]}
        guess = f"{usual.get(state, '')}.0" if {"1.0", "0.0"} & others else usual.get(state, "")
        return seen[0] if seen else guess

    def _negative(self, column: str) -> str:
        """What the table writes where no class is there (`No Finding`).

        Raises:
            Refused: it has no word for it; a blank cell would mean that nobody looked.
        """
        words = sorted({str(text) for text in self._columns[column] if str(text).lower() in NEGATIVE_CLASSES})
        if not words:
            raise Refused("the table has no word for a record without any finding")
        return words[0]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
