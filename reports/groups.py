"""Records as rows of thumbnails: groups (one picture, one patient, one acquisition) with label, split and evidence, and contact
sheets, one row for each value of the column `sheet` of a table (a device, say).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.values.results import Cell, Table
from reports.cell import arrow, cells, shown

GROUPS_SHOWN = 12
MEMBERS_SHOWN = 8
ROWS_READ = 2000


_EVIDENCE = {"bytes": "same bytes", "pixels": "same pixels", "near": "near-duplicate, verified on pixels"}
"""Grades of evidence as a person says them; what is not here is shown as it is written."""


@dataclass(kw_only=True)
class _Group:
    """Records in the order of the table, each with its split and label, and what holds them together."""

    members: dict[str, tuple[Cell, Cell]] = field(default_factory=dict)
    evidence: dict[str, None] = field(default_factory=dict)


def is_grouped(table: Table) -> bool:
    """The table says of records, or of pairs of records, which group they are in."""
    names = {column.name for column in table.columns}
    return "group" in names and ("record" in names or {"record_a", "record_b"} <= names)


def gallery(table: Table, take: Callable[[Cell], str]) -> dict[str, Any] | None:
    """The first groups, those over several splits or of several labels first; None when no group has two pictures.

    Args:
        table: see `is_grouped`; columns `split`, `label`, `evidence` (or `split_a`, `split_b`, ...) are shown where they are.
        take: the data URI of a record's picture, empty when there is none (left).
    """
    groups = collected(table)
    ranked = sorted(groups.items(), key=lambda item: -apart(item[1]))
    rows: list[dict[str, Any]] = []
    for name, group in ranked[:GROUPS_SHOWN]:
        records = list(group.members)
        pictures = [(record, take(record)) for record in records[:MEMBERS_SHOWN]]
        if sum(bool(uri) for _, uri in pictures) < 2:
            continue
        rows.append(
            {
                "name": shown(name),
                "across": differing(group, 0) > 1,
                "disputed": differing(group, 1) > 1,
                "evidence": ", ".join(map(shown, group.evidence)),
                "members": [
                    {"record": shown(record), "uri": uri, "split": text(group, record, 0), "label": text(group, record, 1)}
                    for record, uri in pictures
                ],
                "more": len(records) - len(pictures),
            }
        )
    if not rows:
        return None
    note = "" if len(rows) == len(groups) else f"{len(rows):,} of {len(groups):,} groups; the table below lists every record."
    return {"title": table.title, "each": "group by group", "kind": "Group", "rows": rows, "note": note}


def collected(table: Table) -> dict[Cell, _Group]:
    """The groups of the first rows of the table, by their name, in its order."""
    columns = {column.name: column for column in table.columns}
    sides = ("_a", "_b") if "record_a" in columns else ("",)
    values = {name: cells(arrow(column, ROWS_READ)) for name, column in columns.items()}
    empty: Sequence[Cell] = [None] * len(values["group"])
    found: dict[Cell, _Group] = {}
    for row, name in enumerate(values["group"]):
        if name is None:
            continue
        group = found.setdefault(name, _Group())
        for side in sides:
            record = values[f"record{side}"][row]
            if isinstance(record, str):
                split, label = (values.get(f"{what}{side}", empty)[row] for what in ("split", "label"))
                group.members.setdefault(record, (split, label))
        for what in ("evidence", "how"):
            said = values.get(what, empty)[row]
            if said:
                group.evidence[_EVIDENCE.get(str(said), str(said))] = None
    return {name: group for name, group in found.items() if len(group.members) > 1}


def apart(group: _Group) -> int:
    """How bad a group is: over several splits before several labels."""
    return 2 * (differing(group, 0) > 1) + (differing(group, 1) > 1)


def differing(group: _Group, place: int) -> int:
    """How many different splits (0) or labels (1) the group has."""
    return len({values[place] for values in group.members.values() if values[place] is not None})


def text(group: _Group, record: str, place: int) -> str:
    """The split or label of a record; empty when not known."""
    value = group.members[record][place]
    return "" if value is None else shown(value)


SHEETS_SHOWN = 24

PICTURES_OF_SHEETS = 96
"""Pictures of all sheets of one table together; each sheet gets its share of them, four at least and twelve at most."""

FEWEST, MOST = 4, 12


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
