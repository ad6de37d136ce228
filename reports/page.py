"""What the page of a scan shows, as plain values for its template: which rows, which pictures, what was left to result.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.values.results import Outcome, ScanResult, Severity, Table
from reports.causes import Cause, causes, places
from reports.cell import arrow, cells, shown
from reports.explanation import sections
from reports.groups import PICTURES_OF_SHEETS, gallery, is_grouped, is_sheet, sheets
from reports.headline import why
from reports.views import Limits, Pictures, cut, drawings, findings_view, heading, table_view, tables_of
from reports.wording import SEVERITY, STATUS, VERDICT, by_family, counted, plain_names, severities

FIRST, THEN = 3, 5
"""Causes that are told with what to do, and those that are named after them."""
_PAIRS_SHOWN = 12
_PICTURES_OF_GROUPS = 48


def page(result: ScanResult, limits: Limits) -> dict[str, Any]:
    """The values of `assets/report.html.j2`."""
    pictures = Pictures(result.thumbnails, limits.pictures)
    found = causes(result)
    rank = places(found)
    failed = sorted((o for o in result.outcomes if o.status == "failed"), key=lambda o: (rank.get(o.code, len(rank)), o.code))
    passed = tuple(o for o in result.outcomes if o.status == "passed")
    gaps = [o for o in result.outcomes if o.status in ("crashed", "skipped")]
    live = [finding for finding in result.findings if finding.waived is None]
    return {
        "result": result,
        "verdict": VERDICT[result.gate.verdict],
        "look": "incomplete" if result.gate.verdict == "not enough seen" else result.gate.verdict,
        "why": why(result),
        "severities": severities(result.findings),
        "tiles": [(SEVERITY[s], sum(f.severity is s for f in live)) for s in (Severity.ERROR, Severity.WARNING, Severity.INFO)],
        "waived": len(result.findings) - len(live),
        "statuses": [(status, STATUS[status], sum(o.status == status for o in result.outcomes)) for status in STATUS],
        "facts": _facts(result),
        "samples": _samples(result, pictures),
        "first": found[:FIRST],
        "then": found[FIRST : FIRST + THEN],
        "further": max(0, len(found) - FIRST - THEN),
        "families": _families(failed, found, rank, result, limits, pictures),
        "gaps": sorted(gaps, key=lambda o: (o.status, o.code)),
        "partly": [o for o in result.outcomes if _missing(o)],
        "passed": {title: [_outcome(o, result, limits, pictures) for o in group] for title, group in by_family(passed).items()},
        "status_words": STATUS,
        "severity_words": SEVERITY,
        "shown": shown,
        "counted": counted,
    }


def _facts(result: ScanResult) -> list[tuple[str, str]]:
    facts = [("records", f"{result.records:,}")]
    facts += [
        (use.replace("_", " "), f"{number:,}") for use, number in result.dataset.counts.items() if number and use != "records"
    ]
    return facts


def _samples(result: ScanResult, pictures: Pictures) -> list[tuple[str, list[tuple[str, str]]]]:
    """Class by class a few records with their pictures: whoever sees masks there knows that they were taken for a class."""
    pictures.begin_place()
    return [(name, [(record, pictures.take(record)) for record in records]) for name, records in result.dataset.samples.items()]


def _missing(outcome: Outcome) -> int:
    coverage = outcome.verdict.coverage if outcome.verdict else None
    return coverage.total - coverage.evaluated if coverage else 0


def _families(
    failed: Sequence[Outcome], found: Sequence[Cause], rank: Mapping[str, int], result: ScanResult, limits: Limits,
    pictures: Pictures,
) -> dict[str, list[dict[str, Any]]]:  # fmt: skip
    """The failed checks by family, and in it cause by cause, the worst first; the parts of one cause stand together."""
    groups = by_family(tuple(failed))
    ordered = sorted(groups.items(), key=lambda item: min(rank.get(o.code, len(rank)) for o in item[1]))
    made: dict[str, list[dict[str, Any]]] = {}
    for title, group in ordered:
        views = {o.code: _outcome(o, result, limits, pictures) for o in failed if o in group}
        entries = [
            {"cause": cause, "views": [views.pop(code) for code in cause.codes]} for cause in found if cause.codes[0] in views
        ]
        made[title] = entries + [{"cause": None, "views": [view]} for view in views.values()]
    return made


def _outcome(outcome: Outcome, result: ScanResult, limits: Limits, pictures: Pictures) -> dict[str, Any]:
    verdict = outcome.verdict
    parts = sections(result.documentation.get(outcome.code, ""))
    advice = {heading: parts.pop(heading) for heading in ("Why is this bad?", "How to fix") if heading in parts}
    view: dict[str, Any] = {"outcome": outcome, "advice": advice, "about": parts, "missing": _missing(outcome)}
    if verdict is None:
        return view
    tables = tables_of(verdict.tables, verdict.charts)
    return view | {
        "sentence": plain_names(shown(verdict.summary)),
        "findings": findings_view(verdict.findings, limits, pictures),
        "groups": [gallery for table in tables if (gallery := _groups(table, pictures))],
        "pairs": [gallery for table in tables if not is_grouped(table) and (gallery := _pairs(table, limits, pictures))],
        "charts": drawings(verdict.charts, outcome.code),
        "tables": [table_view(table, limits, pictures) for table in tables],
        "metrics": [(name.replace("_", " "), shown(value)) for name, value in verdict.metrics.items()],
    }


def _groups(table: Table, pictures: Pictures) -> dict[str, Any] | None:
    """Groups, or contact sheets, as rows of thumbnails, when the table tells them."""
    if is_sheet(table):
        pictures.begin_place(PICTURES_OF_SHEETS)
        return sheets(table, pictures.take)
    if not is_grouped(table):
        return None
    pictures.begin_place(_PICTURES_OF_GROUPS)
    return gallery(table, pictures.take)


def _pairs(table: Table, limits: Limits, pictures: Pictures) -> dict[str, Any] | None:
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
                f"{heading(column)}: {shown(row[k], column.kind)}"
                for k, column in enumerate(table.columns)
                if column.kind not in ("record", "path")
            ]
            found.append({"sides": list(zip(map(shown, records), uris, strict=True)), "words": " · ".join(rest)})
    return (
        {"title": table.title, "pairs": found, "note": cut(len(found), table.length, "pairs", limits.source)} if found else None
    )
