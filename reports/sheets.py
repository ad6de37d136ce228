"""Contact sheets: the records of a table as thumbnails, one row for each value of its column `sheet` (a device, say)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditor.values.results import Cell, Table
from reports.cell import arrow, cells, shown

SHEETS_SHOWN = 24
PICTURES_OF_SHEETS = 96
"""Pictures of all sheets of one table together; each sheet gets its share of them, four at least and twelve at most."""
FEWEST, MOST = 4, 12
ROWS_READ = 2000


def is_sheet(table: Table) -> bool:
    """The table says on which sheet each of its records is shown."""
    return {"sheet", "record"} <= {column.name for column in table.columns}


def sheets(table: Table, take: Callable[[Cell], str]) -> dict[str, Any] | None:
    """The first sheets, in the shape of `reports.groups.gallery`; None when no record has a picture.

    Args:
        table: see `is_sheet`; the records of a sheet are shown in the order of the table.
        take: the data URI of a record's picture, empty when there is none (left).
    """
    columns = {column.name: column for column in table.columns}
    found: dict[str, list[str]] = {}
    for name, record in zip(*(cells(arrow(columns[key], ROWS_READ)) for key in ("sheet", "record")), strict=True):
        if name is not None and isinstance(record, str):
            found.setdefault(str(name), []).append(record)
    each = min(MOST, max(FEWEST, PICTURES_OF_SHEETS // max(1, len(found))))
    rows: list[dict[str, Any]] = []
    for name, records in list(found.items())[:SHEETS_SHOWN]:
        members: list[dict[str, str]] = []
        for record in records:
            uri = take(record) if len(members) < each else ""
            if uri:
                members.append({"record": shown(record), "uri": uri, "split": "", "label": ""})
        if members:
            row = {"name": shown(name), "members": members, "more": len(records) - len(members)}
            rows.append(row | {"across": False, "disputed": False, "evidence": ""})
    if not rows:
        return None
    kind = columns["sheet"].title or "sheet"
    note = "" if len(rows) == len(found) else f"{len(rows):,} of {len(found):,} sheets; the table below lists every record."
    return {"title": table.title, "each": f"one sheet per {kind.lower()}", "kind": kind, "rows": rows, "note": note}
