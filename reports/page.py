"""What the HTML page shows, as plain values for its template: which rows, which pictures, and what was left to result.json."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from auditor.types import Cell, Column, Finding, Outcome, ScanResult, Severity, Table
from reports.cell import arrow, cells, shown
from reports.charts import draw
from reports.explanation import sections
from reports.groups import gallery, is_grouped
from reports.wording import STATUS, VERDICT, by_family, counted, place, severities, why

_NUMERIC = ("integer", "number", "fraction")
_PAIRS_SHOWN = 12
_OPEN_ROWS = 10
_SEVERITY_WORD = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PICTURES_PER_PLACE = 24
_PICTURES_OF_GROUPS = 48


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one page holds: rows of each table, and pictures in all."""

    rows: int = 1000
    pictures: int = 200


class Pictures:
    """Hands out thumbnails as data URIs until the page has its fill; a place (a table, a gallery) gets at most 24."""

    def __init__(self, result: ScanResult, limit: int) -> None:
        self._thumbnails = result.thumbnails
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
        return "data:image/webp;base64," + base64.b64encode(self._thumbnails[record]).decode()


def page(result: ScanResult, limits: Limits) -> dict[str, Any]:
    """The values of `assets/report.html.j2`."""
    pictures = Pictures(result, limits.pictures)
    failed = tuple(o for o in result.outcomes if o.status == "failed")
    passed = tuple(o for o in result.outcomes if o.status == "passed")
    gaps = [o for o in result.outcomes if o.status in ("crashed", "skipped")]
    live = [finding for finding in result.findings if finding.waived is None]
    return {
        "result": result,
        "verdict": VERDICT[result.gate.verdict],
        "why": why(result),
        "severities": severities(result.findings),
        "tiles": [
            (_SEVERITY_WORD[s], sum(f.severity is s for f in live)) for s in (Severity.ERROR, Severity.WARNING, Severity.INFO)
        ],
        "waived": len(result.findings) - len(live),
        "statuses": [(status, STATUS[status], sum(o.status == status for o in result.outcomes)) for status in STATUS],
        "facts": _facts(result),
        "headlines": _headlines(failed),
        "families": {
            title: [_outcome(o, result, limits, pictures) for o in group] for title, group in by_family(failed).items()
        },
        "gaps": sorted(gaps, key=lambda o: (o.status, o.code)),
        "partly": [o for o in result.outcomes if _missing(o)],
        "passed": {title: [_outcome(o, result, limits, pictures) for o in group] for title, group in by_family(passed).items()},
        "status_words": STATUS,
        "shown": shown,
        "counted": counted,
    }


def _facts(result: ScanResult) -> list[tuple[str, str]]:
    facts = [("records", f"{result.records:,}")]
    facts += [
        (use.replace("_", " "), f"{number:,}") for use, number in result.dataset.counts.items() if number and use != "records"
    ]
    return facts


def _missing(outcome: Outcome) -> int:
    coverage = outcome.verdict.coverage if outcome.verdict else None
    return coverage.total - coverage.evaluated if coverage else 0


def _headlines(failed: Iterable[Outcome]) -> list[dict[str, Any]]:
    """The failed checks, those with the most severe findings first: what to read when there is no time to read."""
    made = []
    for outcome in failed:
        live = [f for f in outcome.verdict.findings if f.waived is None] if outcome.verdict else []
        worst = max((f.severity for f in live), key=lambda s: s.rank, default=Severity.INFO)
        number = sum(f.severity is worst for f in live)
        word = counted(number, _SEVERITY_WORD[worst])
        made.append({"outcome": outcome, "severity": worst.value, "count": word, "rank": worst.rank})
    return sorted(made, key=lambda item: (-item["rank"], item["outcome"].code))


def _outcome(outcome: Outcome, result: ScanResult, limits: Limits, pictures: Pictures) -> dict[str, Any]:
    verdict = outcome.verdict
    parts = sections(result.documentation.get(outcome.code, ""))
    advice = {heading: parts.pop(heading) for heading in ("Why is this bad?", "How to fix") if heading in parts}
    view: dict[str, Any] = {"outcome": outcome, "advice": advice, "about": parts, "missing": _missing(outcome)}
    if verdict is None:
        return view
    tables = list(verdict.tables)
    tables += [c.table for c in verdict.charts if not any(c.table is t for t in tables)]
    charts = [
        (chart, draw(chart, f"{outcome.code}-{number}")) for number, chart in enumerate(verdict.charts) if chart.table.length
    ]
    return view | {
        "findings": _findings(outcome, limits, pictures),
        "groups": [gallery for table in tables if (gallery := _groups(table, pictures))],
        "pairs": [gallery for table in tables if not is_grouped(table) and (gallery := _pairs(table, pictures))],
        "charts": charts,
        "tables": [_table(table, limits, pictures) for table in tables],
        "metrics": [(name.replace("_", " "), shown(value)) for name, value in verdict.metrics.items()],
    }


def _findings(outcome: Outcome, limits: Limits, pictures: Pictures) -> dict[str, Any]:
    assert outcome.verdict is not None
    ordered = sorted(outcome.verdict.findings, key=lambda f: (f.waived is not None, -f.severity.rank))
    unit = all(0 <= f.score <= 1 for f in ordered[: limits.rows] if f.score is not None)
    pictures.begin_place()
    rows = [
        {
            "severity": finding.severity.value,
            "word": _SEVERITY_WORD[finding.severity],
            "message": shown(finding.message),
            "where": _where(finding),
            "score": "" if finding.score is None else shown(finding.score, "fraction" if unit else ""),
            "evidence": _evidence(finding),
            "waived": finding.waived,
            "pictures": [
                (record, uri)
                for record in dict.fromkeys([finding.where.record, *finding.evidence.values()])
                if (uri := pictures.take(record))
            ],
        }
        for finding in ordered[: limits.rows]
    ]
    return {
        "first": rows[:_OPEN_ROWS],
        "rest": rows[_OPEN_ROWS:],
        "total": len(ordered),
        "words": severities(outcome.verdict.findings),
        "note": _cut(len(rows), len(ordered), "findings"),
        "scored": any(row["score"] for row in rows),
        "pictured": any(row["pictures"] for row in rows),
    }


def _where(finding: Finding) -> str:
    """The place in words, unless the message names it already."""
    words = place(finding.where)
    return "" if words in shown(finding.message) else words


def _evidence(finding: Finding) -> list[tuple[str, str]]:
    return [(key.replace("_", " "), shown(value)) for key, value in finding.evidence.items()]


def _cut(shown_rows: int, total: int, what: str) -> str:
    if shown_rows == total:
        return ""
    return f"The first {shown_rows:,} of {total:,} {what}; all are in result.json and the Parquet files beside it."


def _table(table: Table, limits: Limits, pictures: Pictures) -> dict[str, Any]:
    columns = [cells(arrow(column, limits.rows)) for column in table.columns]
    pictures.begin_place()
    rows = [
        [_cell(column, value, pictures) for column, value in zip(table.columns, row, strict=True)]
        for row in zip(*columns, strict=True)
    ]
    return {
        "title": table.title or table.name.replace("_", " "),
        "headings": [(_title(column), "n" if column.kind in _NUMERIC else "") for column in table.columns],
        "rows": rows,
        "total": table.length,
        "note": _cut(len(rows), table.length, "rows"),
    }


def _title(column: Column) -> str:
    return column.title or column.name.replace("_", " ")


def _cell(column: Column, value: Cell, pictures: Pictures) -> dict[str, Any]:
    uri = pictures.take(value) if column.kind == "record" else ""
    kind = "n" if column.kind in _NUMERIC else "id" if column.kind in ("record", "path") else ""
    return {"text": shown(value, column.kind), "kind": kind, "picture": uri}


def _groups(table: Table, pictures: Pictures) -> dict[str, Any] | None:
    """Groups as rows of thumbnails, when the table tells groups."""
    if not is_grouped(table):
        return None
    pictures.begin_place(_PICTURES_OF_GROUPS)
    return gallery(table, pictures.take)


def _pairs(table: Table, pictures: Pictures) -> dict[str, Any] | None:
    """The first pairs side by side, when the table has two columns of records and there are pictures of both."""
    places = [number for number, column in enumerate(table.columns) if column.kind == "record"]
    if len(places) != 2:
        return None
    columns = [cells(arrow(column, _PAIRS_SHOWN)) for column in table.columns]
    pictures.begin_place()
    found = []
    for row in zip(*columns, strict=True):
        records = [row[k] for k in places]
        uris = [pictures.take(record) for record in records]
        if all(uris):
            rest = [
                f"{_title(column)}: {shown(row[k], column.kind)}"
                for k, column in enumerate(table.columns)
                if column.kind not in ("record", "path")
            ]
            found.append({"sides": list(zip(map(shown, records), uris, strict=True)), "words": " · ".join(rest)})
    return {"title": table.title, "pairs": found, "note": _cut(len(found), table.length, "pairs")} if found else None
