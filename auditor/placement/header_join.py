"""A table whose rows are called by what DICOM headers say (UIDs, accession numbers, patient ids): a hospital's list.

A column that is called like such an id is compared first; any other counts where its values are ids that nothing else is
mistaken for. Excel takes the zeros from `00004711`; they are put back where that leaves every id apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.headers import plain
from auditor.naming.lexicon import name_score
from auditor.tables.label_table import LabelTable
from auditor.values.labels import Level

KEYS: tuple[tuple[str, Level, str, frozenset[str]], ...] = (
    ("instance", "image", "", frozenset(("sopinstanceuid", "instanceuid", "sopuid"))),
    ("series", "series", "series", frozenset()),
    ("study", "study", "study", frozenset()),
    ("accession", "study", "study", frozenset(("accession", "accessionnumber", "accessionno", "accnr", "accno"))),
    ("patient", "patient", "patient", frozenset()),
)
"""Role of the header, the level of labels that are told by it, the role that columns are called after, further names."""
LEAST_SHARE = 0.5
LEAST_IDS = 3
"""Of a column that is not called so, so many of the ids in the headers must be cells."""
LEAST_LETTERS = 5
"""A shorter value could be an age or a count."""
Headers = Mapping[str, Sequence[str | None]]


@dataclass(frozen=True, kw_only=True)
class Join:
    """A table and the row of each file (one behind the last row: none)."""

    table: LabelTable
    rows: npt.NDArray[np.int64]
    column: str
    level: Level
    matched: int


def joined(table: LabelTable, name: str, rows: Sequence[int | None], level: Level) -> Join | None:
    """The join of these rows; None where no file has one."""
    matched = sum(row is not None for row in rows)
    if not matched:
        return None
    none = len(table.frame)
    array = np.array([none if row is None else row for row in rows], dtype=np.int64)
    return Join(table=table, rows=array, column=name, level=level, matched=matched)


def by_header(table: LabelTable, headers: Headers) -> Join | None:
    """The join over the column and the kind of id that finds most files; of several the narrowest kind."""
    best: Join | None = None
    for name, role, level in _candidates(table.frame, headers):
        found = joined(table, name, _rows(table.frame[name], headers[role]), level)
        if found is not None and (best is None or found.matched > best.matched):
            best = found
    return best


def says_two(frame: pd.DataFrame, join: Join, labels: Sequence[str]) -> npt.NDArray[np.bool_]:
    """For each file, whether its id stands in rows that label it differently: which row means it cannot be told."""
    ids = frame[join.column].cat.codes.to_numpy()
    pairs = pd.DataFrame({"id": ids, **{name: frame[name].cat.codes.to_numpy() for name in labels}}).drop_duplicates()
    unsure = pairs.loc[pairs["id"].duplicated(keep=False) & (pairs["id"] >= 0), "id"]
    there = join.rows < len(join.table.frame)
    twice: npt.NDArray[np.bool_] = np.isin(ids[join.rows], unsure.to_numpy()) & there
    return twice


def _candidates(frame: pd.DataFrame, headers: Headers) -> Iterator[tuple[str, str, Level]]:
    for role, level, called, names in KEYS:
        ids = {value for value in headers.get(role, ()) if value}
        for name in map(str, frame.columns):
            cells = {str(cell) for cell in frame[name].cat.categories} - {""}
            if plain(name) in names or (called and name_score(name, called)):
                yield name, role, level
            elif len(ids) >= LEAST_IDS and sum(map(_tells, ids)) == len(ids):
                shared = len(ids & cells)
                if shared >= max(LEAST_IDS, LEAST_SHARE * len(ids)):
                    yield name, role, level


def _tells(value: str) -> bool:
    return len(value) >= LEAST_LETTERS and any(map(str.isdigit, value))


def _rows(column: pd.Series, values: Sequence[str | None]) -> list[int | None]:
    """The first row of each file's id."""
    codes = column.cat.codes.to_numpy()
    first = np.full(len(column.cat.categories), -1, np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    row_of = {str(cell).strip(): int(row) for cell, row in zip(column.cat.categories, first, strict=True) if cell and row >= 0}
    ids = {value for value in values if value}
    bare = {value: value.lstrip("0") for value in ids if value.isdigit()}
    apart = len(set(bare.values())) == len(bare)
    return [None if not v else row_of.get(v, row_of.get(bare[v]) if apart and v in bare else None) for v in values]
