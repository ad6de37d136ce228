"""What commands show on the terminal: progress, results, comparisons."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from auditor.progress import Progress
    from auditor.values.results import Comparison, ScanResult

OUTPUT_FOLDER = "medaudit-out"


def default_output(name: str) -> Path:
    """A file in the folder that is used without -o."""
    return Path(OUTPUT_FOLDER) / name


def progress_on_terminal(*, quiet: bool) -> Progress:
    """A progress bar on a terminal and plain lines elsewhere."""
    from auditor.progress import Silent
    from medaudit.progress import Bar, Lines

    return Silent() if quiet else Bar() if sys.stderr.isatty() else Lines(sys.stderr)


def scan_with_progress(dataset: Path, plan: Any, *, quiet: bool) -> ScanResult:
    """Scan, telling how far it is."""
    from auditor.scan import scan as audit

    return audit(dataset, plan, progress=progress_on_terminal(quiet=quiet))


def show(result: ScanResult, written: list[Path], *, quiet: bool) -> None:
    """The result on the terminal; only the verdict when `quiet`."""
    from rich.console import Console

    from reports.formats.rich import print_result

    print_result(result, Console(highlight=False), outputs=written, brief=quiet)


def show_comparison(comparison: Comparison, written: list[Path], *, quiet: bool) -> None:
    """Before and after on the terminal."""
    from rich.console import Console

    from reports.formats.rich import print_comparison

    if quiet:
        typer.echo(f"{comparison.verdict}: {comparison.summary}")
    else:
        print_comparison(comparison, Console(highlight=False), outputs=written)
