"""All strategies of a comparison side by side, as plain values: one row each, with the reason of those that were not tried."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.values.corrections import Arm, Comparison, ComparisonVerdict, Measured
from reports.cell import shown, signed
from reports.charts import draw
from reports.measured import gain_chart, level

LOOK: dict[ComparisonVerdict, str] = {
    "improved": "passed",
    "not worse": "same",
    "harmed": "failed",
    "cannot tell": "skipped",
    "neither learnt the task": "skipped",
}
"""Verdict of one metric or strategy → look of its badge."""


def strategies_view(comparison: Comparison) -> dict[str, Any]:
    """All strategies side by side: one row each, the metrics in columns, the main one drawn."""
    evaluated = [(arm, arm.evaluation) for arm in comparison.arms if arm.evaluation and arm.evaluation.metrics]
    metrics = {m.metric: m for _, evaluation in evaluated for m in evaluation.metrics}
    rows = [_strategy(arm, metrics, comparison) for arm in comparison.arms]
    view: dict[str, Any] = {"metrics": [m.title for m in metrics.values()], "rows": rows, "baseline": [], "drawing": None}
    if not evaluated:
        return view
    first = {m.metric: m for _, evaluation in reversed(evaluated) for m in evaluation.metrics}
    view["baseline"] = [level(first[name].before) for name in metrics]
    if len(evaluated) > 1:
        title = f"{evaluated[0][1].metrics[0].title}: difference to doing nothing, with its 95 % interval"
        chart = gain_chart([(arm.strategy, found) for arm, found in evaluated], name="strategies", title=title)
        view["drawing"] = (chart, draw(chart, "strategies"))
    return view


def _strategy(arm: Arm, metrics: Iterable[str], comparison: Comparison) -> dict[str, Any]:
    found = {m.metric: m for m in arm.evaluation.metrics} if arm.evaluation else {}
    verdict = arm.evaluation.verdict if arm.evaluation else None
    return {
        "name": arm.strategy,
        "title": arm.title,
        "why": arm.why,
        "applied": arm.strategy in comparison.applied,
        "skipped": arm.skipped,
        "verdict": verdict or "",
        "look": LOOK[verdict] if verdict else "",
        "self_graded": bool(arm.evaluation and arm.evaluation.self_graded),
        "cells": [_cell(found.get(name)) for name in metrics],
        "summary": arm.proposal.summary if arm.proposal else "",
    }


def _cell(measured: Measured | None) -> dict[str, str]:
    if measured is None:
        return {"after": shown(None), "difference": "", "verdict": ""}
    return {"after": level(measured.after), "difference": signed(measured.difference), "verdict": measured.verdict}
