"""corrections.csv and removed.csv as a person left them: what is accepted. Runs in the bounded workers.

They may have been edited by hand or by a spreadsheet, and may come from elsewhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from auditor.tables.extent import bound_csv_cells
from auditor.tables.tables import content_of
from auditor.values.cells import from_cell
from auditor.values.errors import ConfigError
from auditor.values.image import Limits
from trainers.copying.ledger import CORRECTIONS, REMOVED, Key

_YES = frozenset(("yes", "y", "true", "1", "x"))


def corrections(limits: Limits, path: Path) -> set[Key]:
    """Of the file at `path`: see `accepted_corrections`.

    Raises:
        ConfigError: a column is missing, or it is no such table.
        DatasetError: it cannot be opened, or is too large.
    """
    bound_csv_cells(limits)
    return accepted_corrections(content_of(path, limits))


def removals(limits: Limits, path: Path) -> set[str]:
    """Of the file at `path`: see `accepted_removals`.

    Raises:
        ConfigError, DatasetError: as for `corrections`.
    """
    bound_csv_cells(limits)
    return accepted_removals(content_of(path, limits))


def accepted_corrections(content: bytes) -> set[Key]:
    """The corrections whose column `applied` says yes.

    Raises:
        ConfigError: a column is missing, or it is no such table.
    """
    rows = _rows(content, CORRECTIONS, ("record", "field", "old", "new", "strategy", "applied"))
    return {(r[0], r[1], r[2], r[3], r[4]) for r in rows if r[5].strip().lower() in _YES}


def accepted_removals(content: bytes) -> set[str]:
    """The records whose column `applied` says yes.

    Raises:
        ConfigError: a column is missing, or it is no such table.
    """
    return {r[0] for r in _rows(content, REMOVED, ("record", "applied")) if r[1].strip().lower() in _YES}


def _rows(content: bytes, name: str, wanted: Sequence[str]) -> list[list[str]]:
    try:
        header, *lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))) or [[]]
    except (csv.Error, UnicodeDecodeError):
        raise ConfigError(f"{name}: no table in UTF-8 with commas; save it again, or make the copy again") from None
    if not set(wanted) <= set(header):
        raise ConfigError(f"{name}: the columns {', '.join(wanted)} are needed; they were not all found in its first line")
    places = [header.index(column) for column in wanted]
    return [[from_cell(row[p]) if p < len(row) else "" for p in places] for row in lines if row]
