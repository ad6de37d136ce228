"""Rows of a label table → records: what each row names, whether several rows are one record, and what the record is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.labels import text_of
from auditor.naming.lexicon import words
from auditor.placement.listing import Listing
from auditor.placement.records import unique_ids
from auditor.placement.resolve import Resolved, resolve_names
from auditor.tables.label_table import LabelTable
from auditor.tables.roles import Roles
from auditor.values.dataset import Problem
from auditor.values.label_rows import LabelRows, TableFile, stamp_of

Texts = npt.NDArray[np.object_]
Rows = npt.NDArray[np.int64]
FINDING_WORDS = frozenset(
    ("abnormality", "finding", "lesion", "nodule", "roi", "object", "annotation", "mass", "box", "region")
)
"""A column called so may count what is seen in one image."""


@dataclass(frozen=True, kw_only=True)
class TableRecords:
    """The records of a table.

    Args:
        names: what each row calls its record, as a path where it is one; empty: nothing.
        resolved: which files the names mean; None where no column names files.
        grouped: several rows are one record.
        rows: the first row of each record.
        ids: of the records.
        row_record: id of the record of every row.
    """

    names: Texts
    resolved: Resolved | None
    grouped: bool
    rows: Rows
    ids: list[str]
    row_record: Texts
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def records_of_rows(table: LabelTable, roles: Roles, root: Path, images: Sequence[str]) -> TableRecords:
    """The records of a table whose roles are known; `images` are the files below `root` that its names may mean."""
    reading = _Reading(table, roles)
    names, resolved = reading.names(root, images)
    grouped = reading.is_grouped(names)
    rows, ids, row_record = reading.records(names, grouped=grouped)
    return TableRecords(
        names=names, resolved=resolved, grouped=grouped, rows=rows, ids=ids, row_record=row_record,
        notes=tuple(reading.notes), problems=tuple(reading.problems),
    )  # fmt: skip


class _Reading:
    """A table with its roles, and what is told of it on the way."""

    def __init__(self, table: LabelTable, roles: Roles) -> None:
        self.table, self.frame, self.roles = table, table.frame, roles
        self.notes: list[str] = []
        self.problems: list[Problem] = []

    def names(self, root: Path, images: Sequence[str]) -> tuple[Texts, Resolved | None]:
        """What each row calls its record (empty: nothing), as a path where it is one."""
        column = self.roles.columns.get("path")
        if column is None:
            item = self.roles.columns.get("item")
            if item is not None:
                return text_of(self.frame[item]), None
            for role in ("series", "study", "lesion", "patient"):
                name = self.roles.columns.get(role)
                if name is not None:
                    values = text_of(self.frame[name])
                    if len(set(values)) == len(values) and "" not in set(values):
                        return values, None
            return np.array(
                [f"line {line}" if line else f"row {i}" for i, line in enumerate(self.table.lines, 1)], dtype=object
            ), None
        categories = [str(value) for value in self.frame[column].cat.categories]
        resolved = resolve_names(root, categories, images, numbers=True)
        if resolved.renumbered:
            self.notes.append(
                f"{len(resolved.renumbered):,} names of {column!r} mean an image only with the zeros in front of its number, "
                "which a spreadsheet takes away: joined so"
            )
        table = np.array([file or name or "" for file, name in zip(resolved.files, resolved.names, strict=True)], dtype=object)
        outside = [i for i, name in enumerate(resolved.names) if name is None and categories[i]]
        if outside:
            codes = self.frame[column].cat.codes.to_numpy()
            for i in outside:
                row = int(np.flatnonzero(codes == i)[0]) if (codes == i).any() else -1
                if row >= 0:
                    reason = "the path leads out of the dataset: it is not opened"
                    line = int(self.table.lines[row])
                    self.problems.append(
                        Problem(kind="outside-root", path=categories[i], reason=reason, record=f"line {line}", line=line)
                    )
        return table[self.frame[column].cat.codes.to_numpy()], resolved

    def is_grouped(self, names: Texts) -> bool:
        """Several rows are one record: readings, boxes, or one finding per row."""
        if "rater" in self.roles.columns or self.roles.boxes is not None:
            return "path" in self.roles.columns or "item" in self.roles.columns
        if "path" not in self.roles.columns or len(self.roles.labels) != 1:
            return False
        if self.roles.known is not None and self.roles.known.name.startswith("RSNA"):
            return True
        codes = self.frame[self.roles.labels[0]].cat.codes.to_numpy()
        pairs = pd.DataFrame({"name": names, "label": codes}).drop_duplicates()
        several = int((pairs.groupby("name", sort=False).size() > 1).sum())
        distinct = pairs["name"].nunique()
        if several and self._numbers_findings(names):
            self.notes.append(f"{several:,} images have several findings, a row each: read as one image with several labels")
            return True
        if several >= 0.2 * distinct and distinct > 1:
            self.notes.append(f"{several:,} images have several rows with different labels: read as one finding per row")
            return True
        return False

    def _numbers_findings(self, names: Texts) -> bool:
        """A column counts the findings of an image (`abnormality id` 1, 2): image and number are another pair in every row."""
        for column in map(str, self.frame.columns):
            if column in self.roles.used or not FINDING_WORDS & set(words(column)):
                continue
            pairs = pd.DataFrame({"name": names, "number": self.frame[column].cat.codes.to_numpy()})
            if not pairs.duplicated().any() and pairs["number"].nunique() <= max(20, len(names) // 10):
                return True
        return False

    def records(self, names: Texts, *, grouped: bool) -> tuple[Rows, list[str], Texts]:
        """Row of each record (its first), its id, and the record of every row."""
        every = np.arange(len(names), dtype=np.int64)
        lines = self.table.lines
        filled = np.array([name or f"line {lines[i]}" for i, name in enumerate(names)], dtype=object)
        if not grouped:
            ids = unique_ids(list(filled))
            repeated = sum(a != b for a, b in zip(ids, filled, strict=True))
            if repeated:
                self.notes.append(f"{repeated:,} rows name an image of an earlier row: records of their own, called `name#2`")
            return every, ids, np.asarray(ids, dtype=object)
        codes, _ = pd.factorize(filled)
        _, first = np.unique(codes, return_index=True)
        return first.astype(np.int64), [str(filled[i]) for i in first], filled


def rows_kept(listing: Listing, names: Sequence[str], table: LabelTable, roles: Roles) -> LabelRows | None:
    """The table as whoever corrects it needs it; None where a file of it has gone meanwhile.

    Args:
        names: of its files, in the order of their rows.
    """
    counts = table.parts if len(names) > 1 else (len(table.lines),)
    try:
        files = tuple(
            TableFile(name=name, rows=count, stamp=stamp_of(listing.root / name))
            for name, count in zip(names, counts, strict=True)
        )
    except OSError:
        return None
    return LabelRows(
        folder=listing.root, files=files, frame=table.frame, lines=table.lines, roles=dict(roles.columns),
        labels=tuple(roles.labels), style=roles.style, separator=roles.separator, raters=tuple(roles.raters),
        boxes=roles.boxes or (), box_style=roles.box_style, points=roles.points or (),
        joined=frozenset(table.joined),
    )  # fmt: skip
