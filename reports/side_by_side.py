"""What a comparison shows before its rows: before beside after on one axis, all strategies side by side, how it was trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from auditor.values.corrections import Arm, Comparison, ComparisonVerdict, Measured
from auditor.values.results import Cell, Chart, Column, ColumnKind, Table
from reports.cell import shown, signed
from reports.charts import draw
from reports.compare import alarming
from reports.measured import gain_chart, level
from reports.wording import counted

MOST_CHECKS, MOST_CLASSES = 12, 20


def pair_charts(comparison: Comparison, chosen: Arm | None) -> list[Chart]:
    """Errors and warnings by check, the main figure of every class, and how the removed records lie: before beside after."""
    found = [_findings(comparison)]
    for table in chosen.evaluation.tables if chosen is not None and chosen.evaluation is not None else ():
        columns = {column.name: column.values for column in table.columns}
        # tests stand in a table of that form too, and their counts and areas share no axis
        shares = {column.name for column in table.columns if column.kind == "fraction"}
        if {"class"} <= columns.keys() and {"before", "after"} <= shares and 1 < table.length <= MOST_CLASSES:
            pairs = zip(columns["class"], columns["before"], columns["after"], strict=True)
            found.append(_pairs(table.name, f"{table.title}, before and after", list(pairs), "fraction"))
    return [chart for chart in found if chart.table.length]


def _findings(comparison: Comparison) -> Chart:
    """Of checks that both scans could carry out."""
    both = Counter(f.code for f in alarming(comparison.remaining))
    gone = Counter(f.code for f in alarming(comparison.fixed))
    new = Counter(f.code for f in alarming(comparison.introduced))
    codes = sorted({*both, *gone, *new}, key=lambda code: (-(both[code] + gone[code]), code))[:MOST_CHECKS]
    rows: list[tuple[Cell, Cell, Cell]] = [(code, both[code] + gone[code], both[code] + new[code]) for code in codes]
    return _pairs("findings", "Errors and warnings by check, before and after", rows, "integer")


def _pairs(name: str, title: str, rows: list[tuple[Cell, Cell, Cell]], kind: ColumnKind) -> Chart:
    """Two bars for each row: (label, before, after)."""
    long = [(label, when, value) for label, *values in rows for when, value in zip(("before", "after"), values, strict=True)]
    table = Table(
        name=name, title=title,
        columns=(
            Column(name="what", kind="text", values=[label for label, _, _ in long], title="What"),
            Column(name="when", kind="text", values=[when for _, when, _ in long], title="When"),
            Column(name="value", kind=kind, values=[value for _, _, value in long], title="Value"),
        ),
    )  # fmt: skip
    return Chart(name=name, title=title, kind="bars", table=table, label="what", value="value", group="when")


def fine_print(comparison: Comparison) -> str:
    """How the networks were trained, in one line: network, pictures, epochs, samples, seeds; empty where none was."""
    told = comparison.configuration
    seeds = told.get("seeds")
    samples = _samples(comparison)
    if not samples:
        return ""
    parts = [f"network {shown(told['network'])}"] if told.get("network") else []
    parts += [f"pictures of {shown(told['pictures'])}"] if told.get("pictures") else []
    parts += [counted(epochs, "epoch")] if isinstance(epochs := told.get("epochs"), int) else []
    parts += [", ".join(f"{name} saw {count:,} samples" for name, count in samples.items())]
    if isinstance(seeds, int):
        first = told.get("seed")
        last = f" ({first} to {first + seeds - 1})" if isinstance(first, int) and seeds > 1 else f" ({shown(first)})"
        parts += [counted(seeds, "seed") + (last if first is not None else "")]
    return f"Trained: {'; '.join(parts)}."


def _samples(comparison: Comparison) -> dict[str, int]:
    """Arm → samples that its networks saw, all seeds together."""
    found: dict[str, int] = {}
    for arm in comparison.arms:
        for table in arm.evaluation.tables if arm.evaluation is not None else ():
            columns = {column.name: column.values for column in table.columns}
            if table.name == "training" and {"arm", "samples"} <= columns.keys():
                rows = zip(columns["arm"], columns["samples"], strict=True)
                found |= {shown(name): count for name, count in rows if isinstance(count, int)}
    return found


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
