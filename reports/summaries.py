"""What a terminal shows: of a scan on one screen how the data were read, and what to do first; of a comparison what was tried
and changed, which findings are new, and the verdict with its one number.
"""

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
from auditor.values.results import ScanResult, Severity
from reports.causes import causes
from reports.cell import shortened, shown, signed
from reports.compare import alarming
from reports.headline import headline
from reports.measured import basis, chosen_arm, interval, level, lost
from reports.terminal import heading, indented, written
from reports.wording import SELF_GRADED, SEVERITY, counted, place, severities

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
            (comparison.unclear, "unclear (looked at in one scan only)"),
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


FIRST, THEN = 3, 3
"""Causes that are told with their command, and those that are named after them."""

SURE = 0.8
"""A guess below this is marked."""

SEVERITY_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def roles(result: ScanResult) -> list[RenderableType]:
    """Every role with where it was found, in one paragraph; how sure where it was guessed, and why in `--verbose`."""
    if not result.dataset.guesses:
        return []
    words = Text()
    for number, guess in enumerate(result.dataset.guesses):
        sure = "given" if guess.pinned else f"{guess.confidence:.0%}"
        style = "" if guess.pinned or guess.confidence >= SURE else "yellow"
        words.append(" · " if number else "")
        words.append(f"{visible(guess.role)} ", "bold").append(shortened(guess.value, 40))
        words.append(f" ({sure} sure)" if sure != "given" else " (given)", style or "dim")
    title = heading("How the dataset was read", "wrong? set it with an option or in medaudit.toml")
    return [title, Padding(words, (0, 0, 0, 2), expand=False)]


def first(result: ScanResult) -> list[RenderableType]:
    """What to do first, each with its command, and what then; the rest is counted."""
    found = causes(result)
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    for number, cause in enumerate(found[: FIRST + THEN]):
        codes = ", ".join(map(visible, cause.codes))
        more = f"{cause.extent} · {codes}" if number < FIRST else codes
        words = Text.assemble(shown(cause.title), (f"  {more}", "dim"))
        if number < FIRST:
            words.append(f"\n{shown(cause.command)}", style="bold")
        grid.add_row(Text(cause.severity.value, style=SEVERITY_STYLE[cause.severity]), words)
    parts: list[RenderableType] = [heading("Do these first" if found else "Findings", severities(result.findings))]
    if grid.row_count:
        parts.append(Padding(grid, (0, 0, 0, 2), expand=False))
    if (further := len(found) - FIRST - THEN) > 0:
        parts.append(indented(f"… and {counted(further, 'further cause')}, in the report"))
    return parts
