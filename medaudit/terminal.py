"""What commands show on the terminal: progress, results, comparisons."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from auditor.files import OWN_OUTPUT, spare

if TYPE_CHECKING:
    from auditor.progress import Progress
    from auditor.values.corrections import Comparison
    from auditor.values.results import ScanResult

OUTPUT_FOLDER = OWN_OUTPUT


def default_output(name: str) -> Path:
    """A file in the folder that is used without -o."""
    return Path(OUTPUT_FOLDER) / name


def progress_on_terminal(*, quiet: bool) -> Progress:
    """A progress bar on a terminal and plain lines elsewhere."""
    from auditor.progress import Silent
    from medaudit.progress import Bar, Lines

    return Silent() if quiet else Bar() if sys.stderr.isatty() else Lines(sys.stderr)


def checked_outputs(texts: Sequence[str], dataset: Path | None = None) -> list[str]:
    """The outputs that were asked for, told to be wrong before the work and not after it.

    Raises:
        ConfigError: an output that no format writes, or that would take the place of a file of the dataset, or of any that
            medaudit did not write.
    """
    from reports.format import check_places, parse_output

    outputs = [parse_output(text) for text in texts]
    if dataset is not None:
        spare([path for _, path in outputs], dataset)
    check_places(outputs)
    return list(texts)


def named(written: Iterable[Path], outputs: Sequence[str]) -> list[Path]:
    """Of the files that were written those that were asked for, without the side files."""
    from reports.format import parse_output

    wanted = {parse_output(text)[1] for text in outputs}
    return [path for path in written if path in wanted]


def apart(crosswalk: Path | None, *, files: Sequence[Path] = (), folders: Sequence[Path] = ()) -> Path | None:
    """The private file that was asked for, told to be in a place that will be given away before the work and not after it.

    Raises:
        ConfigError: it lies beside one of the outputs or in one of the folders.
    """
    if crosswalk is not None:
        from auditor.evidence.privacy.crosswalk import check_crosswalk

        check_crosswalk(crosswalk, folders, files)
    return crosswalk


def tell_crosswalk(crosswalk: Path | None, *, quiet: bool = False) -> None:
    """Where it lies."""
    if crosswalk is not None and not quiet:
        typer.echo(f"{crosswalk} written: it leads back to people; keep it apart from every report", err=True)


def printed(outputs: Iterable[str]) -> bool:
    """Whether an output goes to standard output: what people read goes to standard error then."""
    from reports.format import STANDARD_OUTPUT, parse_output

    return any(parse_output(text)[1] == STANDARD_OUTPUT for text in outputs)


def show(result: ScanResult, written: list[Path], *, quiet: bool = False, verbose: bool = False, aside: bool = False) -> None:
    """The result on the terminal: what matters; every check when `verbose`, only the verdict when `quiet`; on standard error
    when `aside`."""
    from rich.console import Console

    from reports.formats.rich import print_result

    print_result(result, Console(highlight=False, stderr=aside), outputs=written, brief=quiet, whole=verbose)


def show_comparison(comparison: Comparison, written: list[Path], *, quiet: bool, aside: bool = False) -> None:
    """Before and after on the terminal; on standard error when `aside`."""
    from rich.console import Console

    from reports.formats.rich import print_comparison

    if quiet:
        typer.echo(f"{comparison.verdict}: {comparison.summary}", err=aside)
    else:
        print_comparison(comparison, Console(highlight=False, stderr=aside), outputs=written)
