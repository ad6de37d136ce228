"""Reads result.json and comparison.json back, with their side files. Older versions open; unknown keys are passed over."""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any

from auditor.stored import checked
from auditor.values.corrections import Arm, Comparison, Correction, Evaluation, Measured, Proposal
from auditor.values.errors import MedauditError
from auditor.values.results import Chart, Outcome, Run, ScanResult, Table, Verdict
from reports.stored import chart_of, opened, table_of

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
    return checked(
        ScanResult,
        {
            **document,
            "outcomes": tuple(_outcome(item, seconds.get(item["code"]), path) for item in document["outcomes"]),
            "thumbnails": _thumbnails(document),
            "run": _run(document),
        },
    )


def _thumbnails(document: dict[str, Any], key: str = "thumbnails") -> dict[str, bytes]:
    return {record: base64.b64decode(text) for record, text in document.get(key, {}).items()}


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
    return checked(
        Comparison,
        {
            **document,
            **{name: document.get("findings", {}).get(name, ()) for name in ("fixed", "remaining", "introduced", "unclear")},
            "arms": tuple(_arm(item, path) for item in document.get("arms", ())),
            "removed": tuple(table_of(table["name"], table, path) for table in document.get("removed", ())),
            "answers": tuple(table_of(table["name"], table, path) for table in document.get("answers", ())),
            "thumbnails": _thumbnails(document),
            "pictures": _thumbnails(document, "pictures"),
            "run": _run(document),
        },
    )


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
