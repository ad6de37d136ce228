"""result.json: the whole truth. Every other format is drawn from it; `reports.load.load_result` reads it back.

Tables of more than 1,000 rows go to Parquet files beside it, named with their path relative to it and their row count.
Everything volatile lies under `run`: two results of one dataset differ in nothing else. Described in
`docs/result-schema.md` and `docs/result.schema.json`.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from auditor.types import Chart, Finding, Location, Outcome, ScanResult, Table, Verdict
from reports.cell import HIDDEN, arrow, cells, plain, plain_mapping

SUFFIXES: tuple[str, ...] = (".json",)
INLINE_ROWS = 1000
"""A table with more rows goes to a side file."""


def render(result: ScanResult, name: str) -> Mapping[str, bytes]:
    """The result as JSON (`name`), and its long tables as Parquet side files beside it."""
    side: dict[str, bytes] = {}
    stem = PurePath(name).stem
    document = {
        "schema_version": result.schema_version,
        "tool_version": result.tool_version,
        "gate": {
            "verdict": result.gate.verdict,
            "exit_code": result.gate.exit_code,
            "fail_on": result.gate.fail_on,
            "reasons": list(result.gate.reasons),
        },
        "records": result.records,
        "dataset": _dataset(result),
        "configuration": plain_mapping(dict(sorted(result.configuration.items()))),
        "outcomes": [_outcome(outcome, stem, side) for outcome in result.outcomes],
        "documentation": dict(sorted(result.documentation.items())),
        "thumbnails": {record: base64.b64encode(result.thumbnails[record]).decode() for record in sorted(result.thumbnails)},
        "run": {
            "started": result.run.started,
            "seconds": plain(result.run.seconds),
            "host": result.run.host,
            "stages": plain_mapping(result.run.stages),
            "cache": plain_mapping(result.run.cache),
            "check_seconds": {outcome.code: plain(outcome.seconds) for outcome in result.outcomes},
        },
    }
    return {name: _text(document).encode("utf-8"), **side}


def _dataset(result: ScanResult) -> dict[str, Any]:
    dataset = result.dataset
    return {
        "name": dataset.name,
        "layout": dataset.layout,
        "task": dataset.task,
        "classes": list(dataset.classes),
        "counts": plain_mapping(dataset.counts),
        "guesses": [
            {"role": g.role, "value": g.value, "confidence": plain(g.confidence), "why": g.why, "pinned": g.pinned}
            for g in dataset.guesses
        ],
        "notes": list(dataset.notes),
    }


def _outcome(outcome: Outcome, stem: str, side: dict[str, bytes]) -> dict[str, Any]:
    verdict = outcome.verdict
    document: dict[str, Any] = {
        "code": outcome.code,
        "name": outcome.name,
        "title": outcome.title,
        "status": outcome.status,
        "reason": outcome.reason,
        "summary": verdict.summary if verdict else None,
    }
    if verdict is None:
        return document
    tables = _keyed(verdict)
    coverage = verdict.coverage
    return document | {
        "metrics": plain_mapping(verdict.metrics),
        "coverage": coverage
        and {"evaluated": coverage.evaluated, "total": coverage.total, "unit": coverage.unit, "reason": coverage.reason},
        "findings": [_finding(finding) for finding in verdict.findings],
        "tables": {key: _table(table, listed, f"{stem}.{outcome.code}.{key}", side) for key, table, listed in tables},
        "charts": [_chart(chart, next(key for key, table, _ in tables if table is chart.table)) for chart in verdict.charts],
    }


def _keyed(verdict: Verdict) -> list[tuple[str, Table, bool]]:
    """(key, table, listed) of every table once; those that only a chart shows come last and are not listed."""
    found: list[tuple[str, Table, bool]] = []
    for table, listed in [(t, True) for t in verdict.tables] + [(c.table, False) for c in verdict.charts]:
        if any(known is table for _, known, _ in found):
            continue
        key, taken = table.name, {k for k, _, _ in found}
        number = 2
        while key in taken:
            key, number = f"{table.name}-{number}", number + 1
        found.append((key, table, listed))
    return found


def _finding(finding: Finding) -> dict[str, Any]:
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


def _table(table: Table, listed: bool, stem: str, side: dict[str, bytes]) -> dict[str, Any]:
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
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=[c.name for c in table.columns]), stream, compression="zstd")
    return stream.getvalue()


def _chart(chart: Chart, key: str) -> dict[str, Any]:
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


def _text(document: dict[str, Any]) -> str:
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
