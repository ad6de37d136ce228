"""Reads result.json and comparison.json back, with their side files. Older versions open; unknown keys are passed over."""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any

from auditor.values.errors import MedauditError
from auditor.values.results import (
    Arm,
    Chart,
    Comparison,
    Correction,
    Coverage,
    DatasetSummary,
    Evaluation,
    Gate,
    Guess,
    Measured,
    Outcome,
    Proposal,
    Question,
    Run,
    ScanResult,
    Table,
    Tally,
    Verdict,
)
from reports.stored import chart_of, finding_of, opened, table_of

_BROKEN = (KeyError, TypeError, ValueError, AttributeError)


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
    gate, dataset = document["gate"], document["dataset"]
    seconds = document.get("run", {}).get("check_seconds", {})
    return ScanResult(
        schema_version=document["schema_version"],
        tool_version=document["tool_version"],
        dataset=DatasetSummary(
            name=dataset["name"],
            layout=dataset["layout"],
            task=dataset["task"],
            classes=tuple(dataset["classes"]),
            counts=dataset["counts"],
            guesses=tuple(_guess(guess) for guess in dataset["guesses"]),
            notes=tuple(dataset.get("notes", ())),
            samples={name: tuple(records) for name, records in dataset.get("samples", {}).items()},
        ),
        records=document["records"],
        outcomes=tuple(_outcome(item, seconds.get(item["code"], 0.0), path) for item in document["outcomes"]),
        gate=Gate(
            verdict=gate["verdict"],
            exit_code=gate["exit_code"],
            fail_on=gate["fail_on"],
            reasons=tuple(gate.get("reasons", ())),
            questions=tuple(
                Question(subject=q["subject"], asked=q["asked"], why=q.get("why", "")) for q in gate.get("questions", ())
            ),
            waived=gate.get("waived", 0),
            set_aside=tuple(gate.get("set_aside", ())),
        ),
        configuration=document.get("configuration", {}),
        documentation=document.get("documentation", {}),
        thumbnails=_thumbnails(document),
        run=_run(document),
    )


def _thumbnails(document: dict[str, Any]) -> dict[str, bytes]:
    return {record: base64.b64decode(text) for record, text in document.get("thumbnails", {}).items()}


def _run(document: dict[str, Any]) -> Run:
    run = document.get("run", {})
    return Run(
        started=run.get("started", ""),
        seconds=run.get("seconds") or 0.0,
        host=run.get("host", ""),
        stages=run.get("stages", {}),
        cache=run.get("cache", {}),
    )


def _guess(item: dict[str, Any]) -> Guess:
    return Guess(
        role=item["role"],
        value=item["value"],
        confidence=item["confidence"],
        why=item.get("why", ""),
        pinned=item.get("pinned", False),
    )


def _outcome(item: dict[str, Any], seconds: float | None, path: Path) -> Outcome:
    verdict = None
    if item.get("summary") is not None:
        tables, charts = _shown(item, path)
        coverage = item.get("coverage")
        verdict = Verdict(
            summary=item["summary"],
            metrics=item.get("metrics", {}),
            findings=tuple(finding_of(finding) for finding in item.get("findings", ())),
            tables=tables,
            charts=charts,
            coverage=coverage
            and Coverage(
                evaluated=coverage["evaluated"],
                total=coverage["total"],
                unit=coverage.get("unit", "records"),
                reason=coverage.get("reason", ""),
            ),
        )
    return Outcome(
        code=item["code"],
        name=item["name"],
        title=item["title"],
        status=item["status"],
        verdict=verdict,
        reason=item.get("reason", ""),
        seconds=seconds or 0.0,
    )


def _shown(item: dict[str, Any], path: Path) -> tuple[tuple[Table, ...], tuple[Chart, ...]]:
    """The listed tables and the charts of a check, a proposal or an evaluation; a chart shares its table."""
    found = {key: table_of(key, table, path) for key, table in item.get("tables", {}).items()}
    listed = tuple(found[key] for key, table in item.get("tables", {}).items() if table.get("listed", True))
    return listed, tuple(chart_of(chart, found) for chart in item.get("charts", ()))


def _comparison(document: dict[str, Any], path: Path) -> Comparison:
    findings = document.get("findings", {})
    return Comparison(
        schema_version=document["schema_version"],
        tool_version=document["tool_version"],
        dataset=document["dataset"],
        verdict=document["verdict"],
        summary=document["summary"],
        arms=tuple(_arm(item, path) for item in document.get("arms", ())),
        applied=tuple(document.get("applied", ())),
        chosen=document.get("chosen", ""),
        trust=document.get("trust", ""),
        fixed=tuple(map(finding_of, findings.get("fixed", ()))),
        remaining=tuple(map(finding_of, findings.get("remaining", ()))),
        introduced=tuple(map(finding_of, findings.get("introduced", ()))),
        unclear=tuple(map(finding_of, findings.get("unclear", ()))),
        before=_tally(document.get("before")),
        after=_tally(document.get("after")),
        changes=document.get("changes", {}),
        removed=tuple(table_of(table["name"], table, path) for table in document.get("removed", ())),
        configuration=document.get("configuration", {}),
        documentation=document.get("documentation", {}),
        thumbnails=_thumbnails(document),
        notes=tuple(document.get("notes", ())),
        run=_run(document),
    )


def _tally(item: dict[str, Any] | None) -> Tally | None:
    if item is None:
        return None
    return Tally(
        gate=item["gate"],
        records=item["records"],
        errors=item["errors"],
        warnings=item["warnings"],
        notes=item["notes"],
        waived=item.get("waived", 0),
        not_evaluated=item.get("not_evaluated", 0),
    )


def _arm(item: dict[str, Any], path: Path) -> Arm:
    proposal, evaluation = item.get("proposal"), item.get("evaluation")
    return Arm(
        strategy=item["strategy"],
        title=item["title"],
        why=item.get("why", ""),
        proposal=None if proposal is None else _proposal(proposal, path),
        evaluation=None if evaluation is None else _evaluation(evaluation, path),
        skipped=item.get("skipped", ""),
    )


def _proposal(item: dict[str, Any], path: Path) -> Proposal:
    def rows(key: str) -> list[dict[str, Any]]:
        table = table_of(key, item[key], path) if key in item else Table(name=key, title="", columns=())
        names = [column.name for column in table.columns]
        return [dict(zip(names, row, strict=True)) for row in zip(*(c.values for c in table.columns), strict=True)]

    tables, charts = _shown(item, path)
    return Proposal(
        strategy=item["strategy"],
        summary=item["summary"],
        corrections=tuple(Correction(**row) for row in rows("corrections")),
        weights={row["record"]: row["weight"] for row in rows("weights")},
        removed={row["record"]: row["reason"] for row in rows("removed")},
        files={row["path"]: "" for row in rows("files")},
        metrics=item.get("metrics", {}),
        tables=tables,
        charts=charts,
        notes=tuple(item.get("notes", ())),
    )


def _evaluation(item: dict[str, Any], path: Path) -> Evaluation:
    tables, charts = _shown(item, path)
    return Evaluation(
        arm=item["arm"],
        baseline=item["baseline"],
        verdict=item["verdict"],
        summary=item["summary"],
        metrics=tuple(_measured(measured) for measured in item["metrics"]),
        records=item["records"],
        patients=item["patients"],
        seeds=item["seeds"],
        margin=_number(item["margin"]),
        unit=item.get("unit", "patient"),
        self_graded=item["self_graded"],
        tables=tables,
        charts=charts,
        notes=tuple(item.get("notes", ())),
    )


def _measured(item: dict[str, Any]) -> Measured:
    return Measured(
        metric=item["metric"],
        title=item["title"],
        verdict=item["verdict"],
        **{name: _number(item[name]) for name in ("before", "after", "difference", "low", "high", "p")},
    )


def _number(value: float | None) -> float:
    """NaN where it is null: it was not finite."""
    return math.nan if value is None else float(value)
