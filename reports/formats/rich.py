"""The summaries for a terminal: calm, 80 columns, meaning never by colour alone.

`print_result` and `print_comparison` write them to a console; `render` and `render_comparison` give the same as plain text
(`-o rich:summary.txt`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table as Grid
from rich.text import Text

from auditor.values.cells import visible
from auditor.values.corrections import Comparison
from auditor.values.results import Finding, Outcome, ScanResult, Severity
from reports.causes import causes, places
from reports.cell import shortened, shown
from reports.headline import why
from reports.summaries import SEVERITY_STYLE, comparison_summary, first, roles
from reports.terminal import as_text, heading, indented, print_page, written
from reports.wording import STATUS, VERDICT, counted, family, place, severities, unseen

SUFFIXES: tuple[str, ...] = ()
SHOWN_PER_CHECK = 3
"""Findings of one check and severity in the summary; the rest is counted."""

_MARK = {
    "failed": ("✗", "failed", "red"),
    "crashed": ("!", "crashed", "magenta"),
    "skipped": ("○", "not run", "yellow"),
    "partly": ("◐", "partly", "yellow"),
    "passed": ("✓", "passed", "green"),
}
_VERDICT_STYLE = {
    "failed": "bold red", "incomplete": "bold yellow", "not enough seen": "bold yellow", "passed": "bold green",
}  # fmt: skip
_SEVERITY_WORD = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.INFO: "Notes"}


def render(result: ScanResult, name: str) -> Mapping[str, bytes]:
    """The summary as UTF-8 text, 100 columns wide, without colour."""
    return {name: as_text(summary(result))}


def render_comparison(comparison: Comparison, name: str) -> Mapping[str, bytes]:
    """The summary of a comparison, in the same form."""
    return {name: as_text(comparison_summary(comparison))}


def print_result(
    result: ScanResult, console: Console, *, outputs: Iterable[Path] = (), brief: bool = False, whole: bool = False
) -> None:
    """Print what matters in about 25 lines; everything when `whole`, only the verdict when `brief`."""
    if brief:
        page: RenderableType = Group(*_gate(result))
    else:
        page = summary(result, outputs) if whole else short_summary(result, outputs)
    print_page(page, console)


def print_comparison(comparison: Comparison, console: Console, *, outputs: Iterable[Path] = ()) -> None:
    """Print what a correction did, or how two scans differ: the verdict stands last."""
    print_page(comparison_summary(comparison, outputs), console)


def summary(result: ScanResult, outputs: Iterable[Path] = ()) -> RenderableType:
    """Dataset, roles, checks, findings, what was not evaluated, outputs; the verdict stands last, where the eye is."""
    parts: list[RenderableType] = [*_dataset(result), *_roles(result), *_checks(result), *_findings(result), *_gaps(result)]
    return Group(*parts, *written(outputs), *_gate(result))


def short_summary(result: ScanResult, outputs: Iterable[Path] = ()) -> RenderableType:
    """The dataset, how it was read, the gravest findings, how much was asked; the verdict stands last."""
    parts = [*_dataset(result), *roles(result), *first(result), *_asked(result), *written(outputs)]
    return Group(*parts, *_gate(result))


def _asked(result: ScanResult) -> list[RenderableType]:
    """How many checks passed, and how many could not be asked; a crash is named."""
    crashed = [outcome for outcome in result.outcomes if outcome.status == "crashed"]
    number = {status: sum(outcome.status == status for outcome in result.outcomes) for status in ("passed", "skipped")}
    line = f"{number['passed']} passed · {number['skipped']} not evaluated · --verbose or the report lists them"
    return [heading("Checks", line), *_rows((o, "crashed", o.reason) for o in crashed)]


def _dataset(result: ScanResult) -> list[RenderableType]:
    dataset = result.dataset
    lines: list[RenderableType] = [
        Text.assemble(("medaudit ", "dim"), (visible(result.tool_version), "dim"), "  ", (shortened(dataset.name, 60), "bold"))
    ]
    facts = [counted(result.records, "record"), _classes(dataset.classes), f"layout {visible(dataset.layout)}"]
    if dataset.task:
        facts.append(f"task {visible(dataset.task)}")
    lines.append(indented(" · ".join(fact for fact in facts if fact)))
    counts = {use: number for use, number in dataset.counts.items() if number and use != "records"}
    if counts:
        lines.append(indented(" · ".join(f"{number:,} {_use(use, number)}" for use, number in counts.items())))
    lines += [indented(f"Note: {visible(note)}") for note in dataset.notes]
    return lines


def _use(use: str, number: int) -> str:
    """`images`, `rows used`, but `1 image`, `1 row used`."""
    noun, *rest = visible(use).replace("_", " ").split(" ")
    return " ".join([noun.removesuffix("s") if number == 1 else noun, *rest])


def _classes(classes: tuple[str, ...]) -> str:
    if not classes:
        return "no classes"
    names = ", ".join(shortened(name, 24) for name in classes[:4])
    more = f" and {len(classes) - 4:,} more" if len(classes) > 4 else ""
    return f"{counted(len(classes), 'class', 'classes')} ({names}{more})"


def _roles(result: ScanResult) -> list[RenderableType]:
    if not result.dataset.guesses:
        return []
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", ratio=2)
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(overflow="fold", ratio=3)
    for guess in result.dataset.guesses:
        sure = "given" if guess.pinned else f"{guess.confidence:.0%} sure"
        style = "" if guess.pinned or guess.confidence >= 0.8 else "yellow"
        grid.add_row(
            Text(visible(guess.role)), Text(shortened(guess.value, 40)), Text(sure, style), Text(visible(guess.why), "dim")
        )
    return [
        heading("How the dataset was read", "wrong? set it with an option or in medaudit.toml"),
        Padding(grid, (0, 0, 0, 2), expand=False),
    ]


def _checks(result: ScanResult) -> list[RenderableType]:
    order = ("failed", "crashed", "skipped", "passed")
    outcomes = sorted(result.outcomes, key=lambda outcome: (order.index(outcome.status), outcome.code))
    counts = " · ".join(
        f"{number} {STATUS[status]}"
        for status in ("failed", "crashed", "skipped", "passed")
        if (number := sum(outcome.status == status for outcome in outcomes))
    )
    # What was not evaluated stands in a section of its own, with the reason.
    judged = [outcome for outcome in outcomes if outcome.status in ("failed", "passed")]
    return [heading("Checks", counts), *_rows((o, o.status, o.verdict.summary if o.verdict else "") for o in judged)]


def _rows(lines: Iterable[tuple[Outcome, str, str]]) -> list[RenderableType]:
    """One row per check: sign and word, code, name and sentence."""
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    for outcome, status, sentence in lines:
        mark, word, colour = _MARK[status]
        words = Text.assemble((visible(outcome.name), "bold"), f": {visible(sentence)}" if sentence else "")
        grid.add_row(Text(f"{mark} {word}", style=colour), Text(visible(outcome.code), style="bold"), words)
    return [Padding(grid, (0, 0, 0, 2), expand=False)] if grid.row_count else []


def _findings(result: ScanResult) -> list[RenderableType]:
    rank = places(causes(result))
    live = [finding for finding in result.findings if finding.waived is None]
    live.sort(key=lambda f: (-f.severity.rank, rank.get(f.code, len(rank)), f.code))
    parts: list[RenderableType] = [heading("Findings", severities(result.findings))]
    for severity, group in groupby(live, key=lambda finding: finding.severity):
        parts.append(
            Padding(Text(_SEVERITY_WORD[severity], style=f"bold {SEVERITY_STYLE[severity]}"), (0, 0, 0, 2), expand=False)
        )
        for code, same in groupby(group, key=lambda finding: finding.code):
            parts += _of_one_check(code, list(same))
    return parts


def _of_one_check(code: str, findings: list[Finding]) -> list[RenderableType]:
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    for finding in findings[:SHOWN_PER_CHECK]:
        where = place(finding.where)
        words = Text(shown(finding.message))
        if where and where not in shown(finding.message):
            words.append(f"\n{shortened(where, 160)}", style="dim")
        grid.add_row(Text(visible(code), style="bold"), words)
    if len(findings) > SHOWN_PER_CHECK:
        rest = len(findings) - SHOWN_PER_CHECK
        grid.add_row("", Text(f"… and {rest:,} more of {visible(code)} in the report", style="dim"))
    return [Padding(grid, (0, 0, 0, 4), expand=False)]


def _gaps(result: ScanResult) -> list[RenderableType]:
    lines: list[tuple[Outcome, str, str]] = [(o, o.status, o.reason) for o in result.outcomes if o.status == "crashed"]
    lines.sort(key=lambda line: line[0].code)
    lines += _skipped(result.outcomes)
    lines += [(o, "partly", missing) for o in result.outcomes if (missing := unseen(o))]
    return [heading("Not evaluated", "nothing here counts as passed"), *_rows(lines)] if lines else []


def _skipped(outcomes: Iterable[Outcome]) -> list[tuple[Outcome, str, str]]:
    """One line per family and reason: seven checks that lack the same thing are one thing to mend."""
    same: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in sorted((o for o in outcomes if o.status == "skipped"), key=lambda o: o.code):
        same.setdefault((family(outcome.code), outcome.reason), []).append(outcome)
    return [
        (first, "skipped", f"{reason} (nor {', '.join(o.code for o in rest)})" if rest else reason)
        for (_, reason), (first, *rest) in same.items()
    ]


def _gate(result: ScanResult) -> list[RenderableType]:
    gate = result.gate
    line = Text.assemble(
        (VERDICT[gate.verdict], _VERDICT_STYLE[gate.verdict]), f"  exit code {gate.exit_code} · fail-on {visible(gate.fail_on)}"
    )
    aside = [Text(visible(f"Not honoured: {setting}"), "yellow") for setting in gate.set_aside]
    return [Text(""), Rule(style="dim"), line, Text(visible(why(result))), *aside]
