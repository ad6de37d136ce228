"""What a terminal shows of a scan on one screen: how the data were read, and what to do first."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from auditor.values.cells import visible
from auditor.values.results import ScanResult, Severity
from reports.causes import causes
from reports.cell import shortened, shown
from reports.terminal import heading, indented
from reports.wording import counted, severities

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
