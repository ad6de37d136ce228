"""Findings, tables and pictures as plain values for the templates: what the pages of a scan and of a comparison share."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.values.results import Cell, Chart, Column, Finding, Table
from reports.cell import arrow, cells, shown
from reports.charts import Drawing, draw
from reports.wording import SEVERITY, place, plain_names, severities

_NUMERIC = ("integer", "number", "fraction")
OPEN_ROWS = 10
_FOLDED_PLACES, _FOLDED_PICTURES = 4, 8
"""Of findings that say the same, so many places and pictures are shown."""
_PICTURES_PER_PLACE = 24


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one page holds: rows of each table, and pictures in all; `source` is the file that holds the rest."""

    rows: int = 1000
    pictures: int = 200
    source: str = "result.json"


class Pictures:
    """Hands out thumbnails as data URIs until the page has its fill; a place (a table, a gallery) gets at most 24."""

    def __init__(self, thumbnails: Mapping[str, bytes], limit: int) -> None:
        self._thumbnails = thumbnails
        self._left = limit
        self._here = 0

    def begin_place(self, most: int = _PICTURES_PER_PLACE) -> None:
        """A new table or gallery begins, with at most so many pictures."""
        self._here = most

    def take(self, record: Cell) -> str:
        """The data URI of a record's picture; empty when there is none, or the page or place has enough."""
        if not isinstance(record, str) or record not in self._thumbnails or not self._left or not self._here:
            return ""
        self._left -= 1
        self._here -= 1
        return picture_uri(self._thumbnails[record])


def picture_uri(content: bytes) -> str:
    """A thumbnail as a data URI: JPEG, or WebP where an older version made it."""
    kind = "jpeg" if content.startswith(b"\xff\xd8") else "webp"
    return f"data:image/{kind};base64," + base64.b64encode(content).decode()


def findings_view(findings: Sequence[Finding], limits: Limits, pictures: Pictures, *, coded: bool = False) -> dict[str, Any]:
    """Rows of a table of findings, the gravest first; `coded` adds the code of each, where they are of several checks, and
    folds those that say the same of several records into one row."""
    ordered = sorted(findings, key=lambda f: (f.waived is not None, -f.severity.rank))
    unit = all(0 <= f.score <= 1 for f in ordered[: limits.rows] if f.score is not None)
    pictures.begin_place()
    groups = _alike(ordered[: limits.rows]) if coded else [[finding] for finding in ordered[: limits.rows]]
    rows = [_row(group, pictures, unit=unit) for group in groups]
    return {
        "first": rows[:OPEN_ROWS],
        "rest": rows[OPEN_ROWS:],
        "total": len(ordered),
        "words": severities(tuple(ordered)),
        "note": cut(sum(map(len, groups)), len(ordered), "findings", limits.source),
        "coded": coded,
        "scored": not coded and any(row["score"] for row in rows),
        "pictured": any(row["pictures"] for row in rows),
    }


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings that say the same of one record each, together, in the order of the first."""
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        alone = finding.where.record is None
        key = number if alone else (finding.code, finding.severity, finding.message, finding.waived)
        groups.setdefault(key, []).append(finding)
    return list(groups.values())


def _row(group: Sequence[Finding], pictures: Pictures, *, unit: bool) -> dict[str, Any]:
    """One row: a finding, or several that say the same, with the first places and pictures of them."""
    finding, folded = group[0], len(group) > 1
    places = [words for one in group[:_FOLDED_PLACES] if (words := _where(one))]
    more = f" and {len(group) - _FOLDED_PLACES:,} more" if len(group) > _FOLDED_PLACES else ""
    named = [value for one in group[:_FOLDED_PICTURES] for value in (one.where.record, *one.evidence.values())]
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "word": SEVERITY[finding.severity],
        "message": plain_names(shown(finding.message)),
        "times": f"{len(group):,} records" if folded else "",
        "where": "; ".join(places) + more,
        "score": "" if finding.score is None else shown(finding.score, "fraction" if unit else ""),
        "evidence": [] if folded else _evidence(finding),
        "waived": finding.waived,
        "pictures": [(record, uri) for record in dict.fromkeys(named) if (uri := pictures.take(record))],
    }


def _where(finding: Finding) -> str:
    """The place in words, unless the message names it already; the raw name of a field is a detail."""
    words = place(replace(finding.where, field=None))
    return "" if words in shown(finding.message) else words


def _evidence(finding: Finding) -> list[tuple[str, str]]:
    """The figures behind a finding, and the field as the table or the file calls it."""
    field = [("field", shown(finding.where.field))] if finding.where.field else []
    return field + [(key.replace("_", " "), shown(value)) for key, value in finding.evidence.items()]


def cut(shown_rows: int, total: int, what: str, source: str) -> str:
    """The sentence that says how much is left to the JSON; empty when nothing is."""
    if shown_rows == total:
        return ""
    return f"The first {shown_rows:,} of {total:,} {what}; all are in {source} and the Parquet files beside it."


def table_view(table: Table, limits: Limits, pictures: Pictures) -> dict[str, Any]:
    """Headings and the first rows of a table."""
    columns = [cells(arrow(column, limits.rows)) for column in table.columns]
    pictures.begin_place()
    rows = [
        [_cell(column, value, pictures) for column, value in zip(table.columns, row, strict=True)]
        for row in zip(*columns, strict=True)
    ]
    return {
        "title": table.title or table.name.replace("_", " "),
        "headings": [(heading(column), "n" if column.kind in _NUMERIC else "") for column in table.columns],
        "rows": rows,
        "total": table.length,
        "note": cut(len(rows), table.length, "rows", limits.source),
    }


def heading(column: Column) -> str:
    """What stands above a column."""
    return column.title or column.name.replace("_", " ")


def _cell(column: Column, value: Cell, pictures: Pictures) -> dict[str, Any]:
    uri = pictures.take(value) if column.kind == "record" else ""
    kind = "n" if column.kind in _NUMERIC else "id" if column.kind in ("record", "path") else ""
    return {"text": shown(value, column.kind), "kind": kind, "picture": uri}


def drawings(charts: Sequence[Chart], identifier: str) -> list[tuple[Chart, Drawing]]:
    """The charts that have rows, drawn; `identifier` makes their ids unique on the page."""
    return [(chart, draw(chart, f"{identifier}-{number}")) for number, chart in enumerate(charts) if chart.table.length]


def tables_of(tables: Sequence[Table], charts: Sequence[Chart]) -> list[Table]:
    """Every table once: the listed ones, then those that only a chart shows."""
    found = list(tables)
    for chart in charts:
        if not any(chart.table is table for table in found):
            found.append(chart.table)
    return found
