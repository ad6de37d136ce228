"""Two results of scans on file: compared, written and told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from auditor.values.results import Comparison
from reports.compare import alarming, compare_results, differences
from reports.format import parse_output, write_comparison
from reports.formats.rich import print_comparison
from reports.load import load_result


def compare_files(before: Path, after: Path, outputs: Sequence[str]) -> Comparison:
    """Compare two result.json, write the outputs (`comparison.html`, `FORMAT:PATH`) and print the summary.

    Raises:
        ConfigError: an output that no format writes.
        MedauditError: a result that cannot be read, or an output that cannot be written.
    """
    wanted = [parse_output(text) for text in outputs]
    old, new = load_result(before), load_result(after)
    comparison = compare_results(old, new, notes=differences(old, new))
    written = write_comparison(comparison, wanted)
    named = {path for _, path in wanted}
    print_comparison(comparison, Console(highlight=False), outputs=[path for path in written if path in named])
    return comparison


def introduces(comparison: Comparison) -> bool:
    """An unwaived finding above info was introduced."""
    return bool(alarming(comparison.introduced))
