"""The label table of a dataset, written anew in its own form with other cells, fewer rows or more of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from auditor.layout import Options
from auditor.tables.tables import table_format
from auditor.values.corrections import Correction
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from trainers.copying.cells import Cells, Refused
from trainers.copying.forms.column import CorrectedColumn, Place
from trainers.copying.source import open_source
from trainers.copying.writing import appended, written

BY = "degrade"


class WorseTable:
    """The table, and what is changed of it.

    Args:
        dataset: as opened.
        target: what was named.
        options: as it was opened.

    Raises:
        ConfigError: it has no table that can be written in place.
        DatasetError: the table is not the one that was opened.
    """

    def __init__(self, dataset: Dataset, target: Path, options: Options) -> None:
        self.limits = options.limits
        if dataset.summary.layout != "table":
            raise ConfigError("the dataset has no label table that could be written anew")
        self.source = open_source(dataset, target, options)
        if self.source.form != "table" or any(table_format(part.name) == "sheets" for part in self.source.parts):
            raise ConfigError("workbooks and tables of cases are read and not written: save the table as CSV")
        if self.source.corrected:
            raise ConfigError("a corrected copy is not made worse: name the dataset it was made of")
        self.cells = Cells(self.source, dataset)
        self.gone: set[int] = set()
        self.more: list[tuple[int, Mapping[str, str]]] = []

    def say(self, record: str, field: str, old: str, new: str) -> bool:
        """Put a label or a split into its cells; False where the table cannot say it.

        Raises:
            ConfigError: the column is in no file.
        """
        try:
            edits = self.cells.edits(Correction(record=record, field=field, old=old, new=new, code="", strategy=BY, reason=""))
        except Refused:
            return False
        virtual = {column for _, column, _, _ in edits} & self.cells.virtual
        if virtual:
            raise ConfigError(f"the {field} is in no column of the table, so it cannot be written anew there")
        self.cells.apply(edits, BY)
        return True

    def put(self, column: str, row: int, text: str) -> None:
        """Put a text into one cell."""
        self.cells.changed.setdefault(column, {})[row] = text

    def copy_row(self, record: str, changed: Mapping[str, str]) -> None:
        """Add the row of a record once more, with some other cells; told of the role `path` or `split`."""
        rows = self.source.rows[self.cells.places[record]]
        words = self.cells.vocabulary(self.source.roles["split"]) if "split" in self.source.roles else {}
        columns = {
            self.source.roles[role]: words.get(text, text) if role == "split" else text
            for role, text in changed.items()
            if role in self.source.roles
        }
        self.more.append((int(rows[0]), columns))

    @property
    def one_row_each(self) -> bool:
        """Every record is one row."""
        return all(len(rows) == 1 for rows in self.source.rows)

    def files(self) -> dict[str, bytes]:
        """File → content, of those that change.

        Raises:
            DatasetError: a file cannot hold a new value.
        """
        found: dict[str, bytes] = {}
        start = 0
        for part in self.source.parts:
            size = len(part.lines)
            inside = range(start, start + size)
            columns = [
                CorrectedColumn(name=name, beside=name, exists=True, changed=own, was=self._was(name, own, start))
                for name, rows in self.cells.changed.items()
                if (own := {row - start: text for row, text in rows.items() if row in inside})
            ]
            kept = np.array([row not in self.gone for row in inside], dtype=np.bool_)
            content = part.content
            copies = [(row - start, cells) for row, cells in self.more if row in inside]
            if copies:
                whole = [(row, self._now(row + start, cells)) for row, cells in copies]
                content = appended(part.name, content, whole, self.limits)
                kept = np.concatenate([kept, np.ones(len(copies), np.bool_)])
            if columns or not kept.all():
                extra = np.arange(len(copies), dtype=np.int64) + int(part.lines.max(initial=1)) + 1
                place = Place(lines=np.concatenate([part.lines, extra]), kept=kept)
                content = written(part.name, content, place, columns, self.limits)
            if content != part.content:
                found[part.name] = content
            start += size
        return found

    def _was(self, name: str, rows: Mapping[int, str], start: int) -> dict[int, str]:
        """What stands in cells now, which is looked up before they are changed."""
        return {row: str(self.source.cells[name][row + start]) for row in rows}

    def _now(self, row: int, cells: Mapping[str, str]) -> dict[str, str]:
        """The cells of a copied row: what was changed in the row, and what is told of the copy."""
        return {name: rows[row] for name, rows in self.cells.changed.items() if row in rows} | dict(cells)
