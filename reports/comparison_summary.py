"""A comparison for a terminal: what was tried and changed, which findings are new, and the verdict with its one number."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table as Grid
from rich.text import Text

from auditor.values.cells import visible
from auditor.values.corrections import Arm, Comparison
from reports.cell import shown, signed
from reports.compare import alarming
from reports.headline import headline
from reports.measured import basis, chosen_arm, interval, level, lost
from reports.terminal import heading, indented, written
from reports.wording import SELF_GRADED, SEVERITY, counted, place

SHOWN = 5
"""Introduced findings in the summary; the rest is counted."""
_STYLE = {"passed": "bold green", "same": "bold cyan", "incomplete": "bold yellow", "failed": "bold red"}
_STATE = {
    "skipped": ("○", "not tried", "yellow"),
    "applied": ("✓", "applied", "green"),
    "tried": ("·", "not applied", "dim"),
}


def comparison_summary(comparison: Comparison, outputs: Iterable[Path] = ()) -> RenderableType:
    """Strategies, changes, findings, outputs; the verdict stands last, where the eye is."""
    title = Text.assemble(
        (f"medaudit {visible(comparison.tool_version)}  ", "dim"), (visible(comparison.dataset), "bold"), "  before and after"
    )
    notes = [indented(f"Note: {visible(note)}") for note in comparison.notes]
    parts = [title, *notes, *_strategies(comparison), *_changes(comparison), *_findings(comparison), *written(outputs)]
    return Group(*parts, *_verdict(comparison))


def _strategies(comparison: Comparison) -> list[RenderableType]:
    if not comparison.arms:
        return []
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    for arm in comparison.arms:
        state = "skipped" if arm.skipped else "applied" if arm.strategy in comparison.applied else "tried"
        mark, word, style = _STATE[state]
        grid.add_row(Text(f"{mark} {word}", style=style), Text(visible(arm.strategy), style="bold"), Text(_result_of(arm)))
    trusted = [indented(f"Trust: {visible(comparison.trust)}")] if comparison.trust else []
    return [heading("Strategies"), Padding(grid, (0, 0, 0, 2), expand=False), *trusted]


def _result_of(arm: Arm) -> str:
    """How an arm did, in a line."""
    if arm.skipped:
        return visible(arm.skipped)
    if arm.evaluation is None or not arm.evaluation.metrics:
        return visible(arm.proposal.summary) if arm.proposal else ""
    main = arm.evaluation.metrics[0]
    graded = ", self-graded" if arm.evaluation.self_graded else ""
    return f"{arm.evaluation.verdict}{graded}: {visible(main.title)} {signed(main.difference)} ({interval(main)})"


def _changes(comparison: Comparison) -> list[RenderableType]:
    done = [f"{number:,} {visible(what)}" for what, number in comparison.changes.items() if number]
    return [heading("Changed", "in the copy; the original was not touched"), indented(" · ".join(done))] if done else []


def _findings(comparison: Comparison) -> list[RenderableType]:
    counts = [
        f"{len(found):,} {word}"
        for found, word in (
            (comparison.fixed, "fixed"),
            (comparison.remaining, "remaining"),
            (comparison.introduced, "introduced"),
            (comparison.unclear, "unclear (a check ran in one scan only)"),
        )
        if found or word in ("fixed", "introduced")
    ]
    parts: list[RenderableType] = [heading("Findings", " · ".join(counts))]
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    for finding in comparison.introduced[:SHOWN]:
        where = place(finding.where)
        words = Text(shown(finding.message))
        if where and where not in shown(finding.message):
            words.append(f"\n{where}", style="dim")
        grid.add_row(Text(f"new {SEVERITY[finding.severity]}"), Text(visible(finding.code), style="bold"), words)
    if len(comparison.introduced) > SHOWN:
        grid.add_row("", "", Text(f"… and {len(comparison.introduced) - SHOWN:,} more in the report", style="dim"))
    if grid.row_count:
        parts.append(Padding(grid, (0, 0, 0, 2), expand=False))
    return parts


def _verdict(comparison: Comparison) -> list[RenderableType]:
    top = headline(comparison)
    line = Text(top.run, style=_STYLE[top.look])
    chosen = chosen_arm(comparison)
    evaluation = chosen.evaluation if chosen else None
    before, after = comparison.before, comparison.after
    if evaluation and evaluation.metrics:
        main = evaluation.metrics[0]
        span = f"difference {signed(main.difference)}, 95 % interval {interval(main)}"
        line.append(f"  {visible(main.title)} {level(main.before)} → {level(main.after)}; {span}", style="not bold default")
    elif before and after:
        numbers = f"{before.errors + before.warnings:,} → {after.errors + after.warnings:,}"
        line.append(f"  errors and warnings {numbers}", style="not bold default")
    gate = [Text.assemble((top.gate, _STYLE[top.look]), f"  {top.subject}: {top.left}")] if top.subject else []
    parts: list[RenderableType] = [Text(""), Rule(style="dim"), *gate, line]
    if evaluation and evaluation.self_graded:
        parts.append(Text.assemble(("SELF-GRADED ", "bold yellow"), SELF_GRADED))
    parts.append(Text(visible(comparison.summary)))
    if evaluation and evaluation.metrics:
        parts.append(Text(f"Measured on {basis(evaluation)}; no correction touched these records.", style="dim"))
        worse = ", ".join(f"{visible(m.title)} {level(m.before)} → {level(m.after)}" for m in lost(evaluation))
        if worse:
            parts.append(Text(f"Became worse: {worse}", style="red"))
    if new := alarming(comparison.introduced):
        parts.append(Text(f"{counted(len(new), 'finding')} above a note introduced.", style="red"))
    return parts
