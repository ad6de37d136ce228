"""What a second table says of the records of the first: patients, lesions, splits, and labels where the first has none.

ISIC 2019 keeps `lesion_id` in its metadata and the classes elsewhere; MIMIC-CXR has the split in one table and the findings of
each study in another. A column is joined over a key that both tables have: one name and the same values, or names of images.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from auditor.naming.headers import plain
from auditor.naming.labels import text_of
from auditor.naming.lexicon import name_score
from auditor.naming.suffixes import stem_of
from auditor.placement.listing import Listing
from auditor.tables.label_table import LabelTable, categorical
from auditor.tables.roles import Roles, find_roles
from auditor.tables.tables import read_table, table_format
from auditor.values.errors import DatasetError

JOINED = ("patient", "lesion", "study", "series", "site", "split", "fold")
"""Roles that a second table may fill; ages and devices of it are told and not joined."""
LEAST_SHARED = 0.5
"""Of the values of the key in the first table, so many stand in the second."""
LEAST_KEYS = 3
_NO_TRUTH = re.compile(r"submission|submit|predict|prob|output|result", re.IGNORECASE)


def with_joined(table: LabelTable, listing: Listing, others: Sequence[str], naming: Sequence[str]) -> LabelTable:
    """The table with the columns of others that fill a role it lacks; the same where there are none.

    Args:
        others: tables beside it, the most likely first.
        naming: its columns that name images.
    """
    for name in others:
        if table_format(name) in ("json", None) or _NO_TRUTH.search(stem_of(name)):
            continue
        try:
            other = read_table(listing.root / name, listing.limits)
        except DatasetError:
            continue  # `placement.unused` tells why a table cannot be read
        table = _joined(table, other, name, naming)
    return table


def _joined(table: LabelTable, other: LabelTable, name: str, naming: Sequence[str]) -> LabelTable:
    key = _key(table.frame, other.frame, naming)
    if key is None:
        return table
    mine, theirs = key
    have = find_roles(table.frame, pins={}, where="", resolving=dict.fromkeys(naming, 1.0))
    wanted = _wanted(have, find_roles(other.frame, pins={}, where=name, resolving={theirs: 1.0}))
    known = {plain(str(column)) for column in table.frame.columns}
    wanted = [column for column in wanted if column != theirs and plain(column) not in known]
    if not wanted:
        return table
    keys = [_bare(value) for value in text_of(other.frame[theirs])]
    row_of = {value: row for row, value in reversed(list(enumerate(keys))) if value}
    rows = np.array([row_of.get(_bare(value), -1) for value in text_of(table.frame[mine])], dtype=np.int64)
    frame = table.frame.copy(deep=False)
    for column in wanted:
        cells = np.append(text_of(other.frame[column]), "")
        frame[column] = categorical(cells[rows])
    note = f"{', '.join(wanted)}: joined from {name} over {mine!r} ({(rows >= 0).sum():,} of {len(rows):,} rows)"
    joined = {**table.joined, **dict.fromkeys(wanted, name)}
    return replace(table, frame=frame, notes=(*table.notes, note), joined=joined)


def _wanted(have: Roles, told: Roles) -> list[str]:
    """Columns of the other table whose role the first does not fill."""
    wanted = [told.columns[role] for role in JOINED if role in told.columns and role not in have.columns]
    silent = not have.labels and not have.raters and "answer" not in have.columns
    if silent and not told.raters and "rater" not in told.columns:
        wanted += list(told.labels)
    return list(dict.fromkeys(wanted))


def _key(mine: pd.DataFrame, theirs: pd.DataFrame, naming: Sequence[str]) -> tuple[str, str] | None:
    """The columns that both tables call their records by; in the second each value stands once."""
    best: tuple[float, tuple[str, str]] | None = None
    values = {str(column): {_bare(str(cell)) for cell in mine[column].cat.categories} - {""} for column in mine.columns}
    for column in map(str, theirs.columns):
        said = [_bare(str(cell)) for cell in theirs[column].cat.categories if str(cell)]
        if len(said) != len(theirs) or len(set(said)) != len(said):
            continue
        for own, cells in values.items():
            ids = own in naming or max(name_score(own, role) for role in ("path", "item", "study", "series", "patient")) > 0
            alike = plain(own) == plain(column) or (own in naming and any(map(str.isalpha, "".join(said[:20]))))
            shared = len(cells & set(said))
            if ids and alike and shared >= max(LEAST_KEYS, LEAST_SHARED * len(cells)):
                found = (len(cells), (own, column))
                best = max(best, found) if best is not None else found
    return best[1] if best is not None else None


def _bare(cell: str) -> str:
    """A name without folders and the suffix of an image."""
    return stem_of(cell.replace("\\", "/").rpartition("/")[2]) if cell else ""
