"""result.json and comparison.json: the whole truth. Every other format is drawn from it; `reports.load` reads it back.

Tables of more than 1,000 rows go to Parquet files beside it, named with their path relative to it and their row count.
Everything volatile lies under `run`: two results of one dataset differ in nothing else. Described in
`docs/result-schema.md` and `docs/result.schema.json`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from auditor.values.corrections import Arm, Comparison, Evaluation, Proposal, Tally
from auditor.values.results import Outcome, Run, ScanResult
from reports.cell import plain, plain_mapping
from reports.document import finding_document, shown_documents, table_document, text_of
from reports.proposal import corrections_table, files_table, removed_table, weights_table

SUFFIXES: tuple[str, ...] = (".json",)


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
            "questions": [{"subject": q.subject, "asked": q.asked, "why": q.why} for q in result.gate.questions],
            "waived": result.gate.waived,
            "set_aside": list(result.gate.set_aside),
        },
        "records": result.records,
        "dataset": _dataset(result),
        "configuration": plain_mapping(dict(sorted(result.configuration.items()))),
        "outcomes": [_outcome(outcome, stem, side) for outcome in result.outcomes],
        "documentation": dict(sorted(result.documentation.items())),
        "thumbnails": _thumbnails(result.thumbnails),
        "run": _run(result.run) | {"check_seconds": {outcome.code: plain(outcome.seconds) for outcome in result.outcomes}},
    }
    return {name: text_of(document).encode("utf-8"), **side}


def render_comparison(comparison: Comparison, name: str) -> Mapping[str, bytes]:
    """The comparison as JSON (`name`), and its long tables as Parquet side files beside it."""
    side: dict[str, bytes] = {}
    stem = PurePath(name).stem
    found = {
        state: [finding_document(finding) for finding in getattr(comparison, state)]
        for state in ("introduced", "remaining", "fixed", "unclear")
    }
    document = {
        "schema_version": comparison.schema_version,
        "kind": "comparison",
        "tool_version": comparison.tool_version,
        "dataset": comparison.dataset,
        "verdict": comparison.verdict,
        "summary": comparison.summary,
        "notes": list(comparison.notes),
        "applied": list(comparison.applied),
        "chosen": comparison.chosen,
        "trust": comparison.trust,
        "before": _tally(comparison.before),
        "after": _tally(comparison.after),
        "changes": plain_mapping(comparison.changes),
        "arms": [_arm(arm, comparison, f"{stem}.{n}-{arm.strategy}", side) for n, arm in enumerate(comparison.arms, 1)],
        "removed": [
            table_document(table, f"{stem}.removed-{n}-{table.name}", side) for n, table in enumerate(comparison.removed, 1)
        ],
        "answers": [
            table_document(table, f"{stem}.answers-{n}-{table.name}", side) for n, table in enumerate(comparison.answers, 1)
        ],
        "findings": found,
        "configuration": plain_mapping(dict(sorted(comparison.configuration.items()))),
        "documentation": dict(sorted(comparison.documentation.items())),
        "thumbnails": _thumbnails(comparison.thumbnails),
        "pictures": _thumbnails(comparison.pictures),
        "run": _run(comparison.run),
    }
    return {name: text_of(document).encode("utf-8"), **side}


def _thumbnails(thumbnails: Mapping[str, bytes]) -> dict[str, str]:
    return {record: base64.b64encode(thumbnails[record]).decode() for record in sorted(thumbnails)}


def _run(run: Run) -> dict[str, Any]:
    return {
        "started": run.started,
        "seconds": plain(run.seconds),
        "host": run.host,
        "stages": plain_mapping(run.stages),
        "cache": plain_mapping(run.cache),
        **({"unchanged_since": run.unchanged_since} if run.unchanged_since else {}),
    }


def _tally(tally: Tally | None) -> dict[str, Any] | None:
    return None if tally is None else plain_mapping(asdict(tally))


def _arm(arm: Arm, comparison: Comparison, stem: str, side: dict[str, bytes]) -> dict[str, Any]:
    applied = "applied" if arm.strategy in comparison.applied else "tried"
    return {
        "strategy": arm.strategy,
        "title": arm.title,
        "status": "skipped" if arm.skipped else applied,
        "why": arm.why,
        "skipped": arm.skipped,
        "proposal": None if arm.proposal is None else _proposal(arm.proposal, stem, side),
        "evaluation": None if arm.evaluation is None else _evaluation(arm.evaluation, f"{stem}.evaluation", side),
    }


def _proposal(proposal: Proposal, stem: str, side: dict[str, bytes]) -> dict[str, Any]:
    return {
        "strategy": proposal.strategy,
        "summary": proposal.summary,
        "notes": list(proposal.notes),
        "metrics": plain_mapping(proposal.metrics),
        "corrections": table_document(corrections_table(proposal.corrections), f"{stem}.corrections", side),
        "weights": table_document(weights_table(proposal.weights), f"{stem}.weights", side),
        "removed": table_document(removed_table(proposal.removed), f"{stem}.removed", side),
        "files": table_document(files_table(proposal.files), f"{stem}.files", side),
        **shown_documents(proposal.tables, proposal.charts, f"{stem}.proposal", side),
    }


def _evaluation(evaluation: Evaluation, stem: str, side: dict[str, bytes]) -> dict[str, Any]:
    return {
        "arm": evaluation.arm,
        "baseline": evaluation.baseline,
        "verdict": evaluation.verdict,
        "summary": evaluation.summary,
        "unit": evaluation.unit,
        "self_graded": evaluation.self_graded,
        "records": evaluation.records,
        "patients": evaluation.patients,
        "seeds": evaluation.seeds,
        "margin": plain(evaluation.margin),
        "notes": list(evaluation.notes),
        "metrics": [plain_mapping(asdict(measured)) for measured in evaluation.metrics],
        **shown_documents(evaluation.tables, evaluation.charts, stem, side),
    }


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
        "samples": {name: list(records) for name, records in dataset.samples.items()},
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
    coverage = verdict.coverage
    return document | {
        "metrics": plain_mapping(verdict.metrics),
        "coverage": coverage
        and {"evaluated": coverage.evaluated, "total": coverage.total, "unit": coverage.unit, "reason": coverage.reason},
        "findings": [finding_document(finding) for finding in verdict.findings],
        **shown_documents(verdict.tables, verdict.charts, f"{stem}.{outcome.code}", side),
    }
