"""The public functions that show results: compare two, write reports, read what was written."""

from __future__ import annotations

from pathlib import Path

from auditor.values import corrections
from auditor.values import results as values
from auditor.values.errors import ConfigError
from medaudit.keywords import shown
from medaudit.results import Comparison, FixResult, ScanResult, shown_as
from medaudit.words import path_of
from reports import compare as comparing
from reports import load
from reports.format import parse_output, write_comparison, write_outputs

Result = values.ScanResult | corrections.Comparison | FixResult


def compare(before: str | Path | values.ScanResult, after: str | Path | values.ScanResult) -> Comparison:
    """Two scans: findings fixed, remaining and introduced. Each is a result, or the path of its result.json.

    Raises:
        MedauditError: a file cannot be read, or is no result.
    """
    old, new = _scan_result(before), _scan_result(after)
    return shown_as(Comparison, comparing.compare_results(old, new, notes=comparing.differences(old, new)))


def introduces(comparison: corrections.Comparison) -> bool:
    """An unwaived finding above info was introduced."""
    return bool(comparing.alarming(comparison.introduced))


def load_result(path: str | Path) -> ScanResult | Comparison:
    """A result.json or comparison.json, with its side files.

    Raises:
        MedauditError: not there, not written by medaudit, by a newer one, or damaged.
    """
    found = load.load(path_of(path))
    return shown_as(ScanResult, found) if isinstance(found, values.ScanResult) else shown_as(Comparison, found)


def report(result: Result | str | Path, *outputs: str | Path) -> list[Path]:
    """Write reports: `report(result, "report.html", "result.json", "csv:findings.txt")`.

    Args:
        result: of `scan`, `fix` or `compare`, or the path of a result.json or comparison.json.
        outputs: files; the suffix names the format, or `FORMAT:path` does.

    Returns:
        The files that were written, side files too.

    Raises:
        ConfigError: an output that no format writes, or that does not fit the result.
        MedauditError: the result cannot be read, or an output cannot be written.
    """
    if not outputs:
        raise ConfigError('medaudit.report: name a file, for example "report.html"')
    wanted = [parse_output(str(output)) for output in outputs]
    found = load_result(result) if isinstance(result, str | Path) else result
    if isinstance(found, FixResult):
        found = found.before if found.comparison is None else found.comparison
    if isinstance(found, values.ScanResult):
        return write_outputs(found, wanted)
    if isinstance(found, corrections.Comparison):
        return write_comparison(found, wanted)
    raise ConfigError(f"medaudit.report: a result or the path of a result.json is needed, not {shown(found)}")


def _scan_result(given: str | Path | values.ScanResult) -> values.ScanResult:
    if isinstance(given, values.ScanResult):
        return given
    if isinstance(given, str | Path):
        return load.load_result(Path(given))
    raise ConfigError(f"medaudit.compare: a result or the path of a result.json is needed, not {shown(given)}")
