"""Reads result.json and comparison.json back, with their side files. Older versions open; unknown keys are passed over."""

from __future__ import annotations

import base64
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from auditor.reading.jobs import run_job
from auditor.stored import checked, read_json
from auditor.values.corrections import Arm, Comparison, Correction, Evaluation, Measured, Proposal
from auditor.values.errors import MedauditError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.results import SCHEMA_VERSION, Chart, Finding, Outcome, Run, ScanResult, Table, Verdict
from reports.small_picture import NOT_DRAWN, drawable

_BROKEN = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
_NUMBERS = ("before", "after", "difference", "low", "high", "p", "margin")


def load(path: Path) -> ScanResult | Comparison:
    """Whichever of the two was written to `path`.

    Raises:
        MedauditError: as `load_result` and `load_comparison`.
    """
    comparison = opened(path, "result.json").get("kind") == "comparison"
    return load_comparison(path) if comparison else load_result(path)


def load_result(path: Path) -> ScanResult:
    """The scan result that was written to `path`.

    Raises:
        MedauditError: not there, not a result of medaudit, written by a newer medaudit, or a side file is missing or damaged.
    """
    document = opened(path, "result.json")
    if document.get("kind") == "comparison":
        raise MedauditError(f"{path}: this is a comparison; give the result.json that `medaudit scan` wrote")
    try:
        return _result(document, path)
    except _BROKEN as error:
        raise MedauditError(f"{path}: this result is damaged ({type(error).__name__}: {error}); scan again") from error


def load_comparison(path: Path) -> Comparison:
    """The comparison that was written to `path`. Files that a strategy made are known by their path in the copy alone.

    Raises:
        MedauditError: not there, not a comparison, written by a newer medaudit, or a side file is missing or damaged.
    """
    document = opened(path, "comparison.json")
    if document.get("kind") != "comparison":
        raise MedauditError(f"{path}: this is no comparison; give the comparison.json that `medaudit compare` or `fix` wrote")
    try:
        return _comparison(document, path)
    except _BROKEN as error:
        raise MedauditError(f"{path}: this comparison is damaged ({type(error).__name__}: {error}); compare again") from error


def _result(document: dict[str, Any], path: Path) -> ScanResult:
    seconds = checked(dict[str, float | None], document.get("run", {}).get("check_seconds", {}))
    result = checked(
        ScanResult,
        {
            **document,
            "outcomes": tuple(_outcome(item, seconds.get(item["code"]), path) for item in document["outcomes"]),
            **_pictures(document, "thumbnails"),
            "run": _run(document),
        },
    )
    left_out = _left_out(document, len(result.thumbnails))
    if left_out:
        result = replace(result, dataset=replace(result.dataset, notes=(*result.dataset.notes, left_out)))
    codes = [outcome.code for outcome in result.outcomes]
    if len(set(codes)) < len(codes):
        raise ValueError("a check answers twice")
    if any(finding.code != o.code for o in result.outcomes if o.verdict is not None for finding in o.verdict.findings):
        raise ValueError("a finding of another check")
    return result


def _pictures(document: dict[str, Any], *keys: str) -> dict[str, dict[str, bytes]]:
    """Those of the pictures that may be drawn."""
    return {key: drawable({name: base64.b64decode(text) for name, text in document.get(key, {}).items()}) for key in keys}


def _left_out(document: dict[str, Any], *drawn: int) -> str:
    """A note on the pictures that are not drawn; empty where all are."""
    lacking = sum(len(document.get(key, {})) for key in ("thumbnails", "pictures")[: len(drawn)]) - sum(drawn)
    return f"{NOT_DRAWN}: {lacking:,}" if lacking else ""


def _run(document: dict[str, Any]) -> Run:
    return checked(Run, {key: value for key, value in document.get("run", {}).items() if value is not None})


def _outcome(item: dict[str, Any], seconds: float | None, path: Path) -> Outcome:
    verdict = None
    if item.get("summary") is not None:
        tables, charts = _shown(item, path)
        verdict = checked(Verdict, {**item, "tables": tables, "charts": charts})
    return checked(Outcome, {**item, "verdict": verdict, "seconds": seconds or 0.0})


def _shown(item: dict[str, Any], path: Path) -> tuple[tuple[Table, ...], tuple[Chart, ...]]:
    """The listed tables and the charts of a check, a proposal or an evaluation; a chart shares its table."""
    found = {key: table_of(key, table, path) for key, table in item.get("tables", {}).items()}
    listed = tuple(found[key] for key, table in item.get("tables", {}).items() if table.get("listed", True))
    return listed, tuple(chart_of(chart, found) for chart in item.get("charts", ()))


def _comparison(document: dict[str, Any], path: Path) -> Comparison:
    comparison = checked(
        Comparison,
        {
            **document,
            **{name: document.get("findings", {}).get(name, ()) for name in ("fixed", "remaining", "introduced", "unclear")},
            "arms": tuple(_arm(item, path) for item in document.get("arms", ())),
            "removed": tuple(table_of(table["name"], table, path) for table in document.get("removed", ())),
            "answers": tuple(table_of(table["name"], table, path) for table in document.get("answers", ())),
            **_pictures(document, "thumbnails", "pictures"),
            "run": _run(document),
        },
    )
    left_out = _left_out(document, len(comparison.thumbnails), len(comparison.pictures))
    return replace(comparison, notes=(*comparison.notes, left_out)) if left_out else comparison


def _arm(item: dict[str, Any], path: Path) -> Arm:
    proposal, evaluation = item.get("proposal"), item.get("evaluation")
    return checked(
        Arm,
        {
            "why": "",
            **item,
            "proposal": None if proposal is None else _proposal(proposal, path),
            "evaluation": None if evaluation is None else _evaluation(evaluation, path),
        },
    )


def _proposal(item: dict[str, Any], path: Path) -> Proposal:
    def rows(key: str) -> list[dict[str, Any]]:
        table = table_of(key, item[key], path) if key in item else Table(name=key, title="", columns=())
        names = [column.name for column in table.columns]
        return [dict(zip(names, row, strict=True)) for row in zip(*(c.values for c in table.columns), strict=True)]

    tables, charts = _shown(item, path)
    return checked(
        Proposal,
        {
            **item,
            "corrections": tuple(checked(Correction, row) for row in rows("corrections")),
            "weights": {row["record"]: row["weight"] for row in rows("weights")},
            "removed": {row["record"]: row["reason"] for row in rows("removed")},
            "files": {row["path"]: "" for row in rows("files")},
            "tables": tables,
            "charts": charts,
        },
    )


def _evaluation(item: dict[str, Any], path: Path) -> Evaluation:
    tables, charts = _shown(item, path)
    metrics = tuple(checked(Measured, _finite(measured)) for measured in item["metrics"])
    return checked(Evaluation, {**_finite(item), "metrics": metrics, "tables": tables, "charts": charts})


def _finite(item: dict[str, Any]) -> dict[str, Any]:
    """NaN where a number is null: it was not finite."""
    return item | {name: math.nan for name in _NUMBERS if name in item and item[name] is None}


_NUMERIC = ("integer", "number", "fraction")


def opened(path: Path, name: str) -> dict[str, Any]:
    """The document at `path`; `name` is the file that was meant, for the message.

    Raises:
        MedauditError: not there, not JSON, not written by medaudit, or by a newer one.
    """
    try:
        document = read_json(path)
    except OSError as error:
        raise MedauditError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise MedauditError(f"{path}: {error}; give the {name} that medaudit wrote") from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise MedauditError(f"{path}: this is not a result of medaudit (no schema_version)")
    if version > SCHEMA_VERSION:
        raise MedauditError(
            f"{path}: written by a newer medaudit (schema {version}, this one reads up to {SCHEMA_VERSION}): "
            "pip install --upgrade medaudit"
        )
    return document  # type: ignore[no-any-return]


def finding_of(item: dict[str, Any]) -> Finding:
    """A finding.

    Raises:
        ValueError: it is none.
    """
    return checked(Finding, item)


def chart_of(item: dict[str, Any], tables: dict[str, Table]) -> Chart:
    """A chart; `tables` by their keys."""
    chart = checked(Chart, {**item, "table": tables[item["table"]]})
    kinds = {column.name: column.kind for column in chart.table.columns}
    numbers = [chart.value, *(name for name in (chart.low, chart.high) if name is not None)]
    numbers += [chart.label] if chart.kind == "lines" else []
    if not {chart.label, *([] if chart.group is None else [chart.group])} <= set(kinds):
        raise ValueError("a chart draws columns that its table lacks")
    if any(kinds.get(name) not in _NUMERIC for name in numbers):
        raise ValueError("a chart draws columns that are no numbers")
    return chart


def table_of(key: str, item: dict[str, Any], path: Path) -> Table:
    """A table, its side file beside `path` read in.

    Raises:
        MedauditError: the side file is missing, damaged, of another scan, or not beside it.
    """
    columns = item["columns"]
    if "file" in item:
        values = _side_file(path, item["file"], [column["name"] for column in columns])
    else:
        values = [[row[place] for row in item["rows"]] for place in range(len(columns))]
    if any(len(column) != item.get("row_count", len(column)) for column in values):
        raise MedauditError(f"{path}: table {key} should have {item['row_count']} rows; its side file is of another scan")
    described = [{**column, "values": tuple(cells)} for column, cells in zip(columns, values, strict=True)]
    table = checked(Table, {"name": key, "title": "", **item, "columns": described})
    if any(column.kind in _NUMERIC and not all(map(_is_number, column.values)) for column in table.columns):
        raise ValueError("a column of numbers holds something else")
    return table


def _is_number(cell: object) -> bool:
    return cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool))


def _side_file(path: Path, name: str, columns: list[str]) -> list[list[Any]]:
    # A result may come from elsewhere: it must not make us open a file outside its own folder.
    if Path(name).name != name or name in ("", ".", ".."):
        raise MedauditError(f"{path}: a side file must lie beside the result, not at {name!r}")
    side = path.parent / name
    try:
        found: list[list[Any]] = run_job("reports.side_file:columns", side, columns, limits=Limits())
    except UnreadableFile as error:
        raise MedauditError(f"{side}: this side file of {path.name} cannot be read: {error.reason}; scan again") from error
    return found
