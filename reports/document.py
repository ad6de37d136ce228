"""Plain JSON documents of what result.json and comparison.json both hold: findings, tables, charts, and the text itself."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from typing import Any

from auditor.values.cells import HIDDEN
from auditor.values.results import Chart, Finding, Location, Table
from reports.cell import arrow, cells, plain, plain_mapping

INLINE_ROWS = 1000
"""A table with more rows goes to a side file."""


def shown_documents(tables: Sequence[Table], charts: Sequence[Chart], stem: str, side: dict[str, bytes]) -> dict[str, Any]:
    """The keys `tables` and `charts` of what measured them. Long tables are added to `side`, their names begin with `stem`."""
    found = keyed(tables, charts)
    return {
        "tables": {key: table_document(table, f"{stem}.{key}", side, listed=listed) for key, table, listed in found},
        "charts": [chart_document(chart, next(key for key, table, _ in found if table is chart.table)) for chart in charts],
    }


def keyed(tables: Sequence[Table], charts: Sequence[Chart]) -> list[tuple[str, Table, bool]]:
    """(key, table, listed) of every table once; those that only a chart shows come last and are not listed."""
    found: list[tuple[str, Table, bool]] = []
    for table, listed in [(t, True) for t in tables] + [(c.table, False) for c in charts]:
        if any(known is table for _, known, _ in found):
            continue
        key, taken = table.name, {k for k, _, _ in found}
        number = 2
        while key in taken:
            key, number = f"{table.name}-{number}", number + 1
        found.append((key, table, listed))
    return found


def finding_document(finding: Finding) -> dict[str, Any]:
    """A finding, with its fingerprint."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "where": _where(finding.where),
        "subject": finding.subject,
        "score": plain(finding.score),
        "evidence": plain_mapping(finding.evidence),
        "waived": finding.waived,
        "fingerprint": finding.fingerprint,
    }


def _where(where: Location) -> dict[str, Any]:
    parts = {"path": where.path, "line": where.line, "field": where.field, "record": where.record}
    return {key: plain(value) for key, value in parts.items() if value is not None}


def table_document(table: Table, stem: str, side: dict[str, bytes], *, listed: bool = True) -> dict[str, Any]:
    """A table; with more than 1,000 rows as a Parquet file in `side`, named after `stem`."""
    arrays = [arrow(column) for column in table.columns]
    document: dict[str, Any] = {
        "name": table.name,
        "title": table.title,
        "listed": listed,
        "columns": [{"name": c.name, "kind": c.kind, "title": c.title} for c in table.columns],
        "row_count": table.length,
    }
    if table.length <= INLINE_ROWS:
        return document | {"rows": [list(row) for row in zip(*map(cells, arrays), strict=True)]}
    file = f"{re.sub(r'[^A-Za-z0-9._-]', '_', stem)}.parquet"
    side[file] = _parquet(table, arrays)
    return document | {"file": file}


def _parquet(table: Table, arrays: list[Any]) -> bytes:
    import pyarrow as pa  # slow to import, and few tables are long
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=[c.name for c in table.columns]), stream, compression="zstd")
    return stream.getvalue()


def chart_document(chart: Chart, key: str) -> dict[str, Any]:
    """A chart; `key` names its table."""
    return {
        "name": chart.name,
        "title": chart.title,
        "kind": chart.kind,
        "table": key,
        "label": chart.label,
        "value": chart.value,
        "low": chart.low,
        "high": chart.high,
        "group": chart.group,
        "reference": plain_mapping(chart.reference),
    }


def text_of(document: dict[str, Any]) -> str:
    """JSON with one line per finding, row and guess: it can be read, searched with grep, and compared with diff.

    Control, invisible and direction-changing characters are escaped: printing the file to a terminal is safe.
    """
    # Inside JSON such characters stand in strings only; the newlines between the lines are put there afterwards.
    return "\n".join(HIDDEN.sub(_json_escape, line) for line in _lines(document, "")) + "\n"


def _json_escape(found: re.Match[str]) -> str:
    return "\\u007f" if found[0] == "\x7f" else json.dumps(found[0])[1:-1]


def _lines(value: Any, indent: str, opening: str = "", closing: str = "") -> list[str]:
    if not value or not isinstance(value, dict | list) or _flat(value):
        return [indent + opening + json.dumps(value, ensure_ascii=False, allow_nan=False) + closing]
    inner = indent + "  "
    brackets = "{}" if isinstance(value, dict) else "[]"
    items = list(value.items()) if isinstance(value, dict) else [(None, item) for item in value]
    lines = [indent + opening + brackets[0]]
    for number, (key, item) in enumerate(items):
        comma = "," if number < len(items) - 1 else ""
        name = f"{json.dumps(key, ensure_ascii=False)}: " if key is not None else ""
        if key is None and not (isinstance(item, dict) and "status" in item):
            lines.append(inner + json.dumps(item, ensure_ascii=False, allow_nan=False) + comma)
        else:
            lines += _lines(item, inner, name, comma)
    return [*lines, indent + brackets[1] + closing]


def _flat(value: dict[str, Any] | list[Any]) -> bool:
    """Short enough for one line and without inner structure."""
    items = value.values() if isinstance(value, dict) else value
    return len(value) <= 12 and not any(isinstance(item, dict | list) for item in items) and len(str(value)) < 100
