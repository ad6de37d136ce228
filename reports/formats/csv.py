"""The findings as CSV, one row each, for a spreadsheet. The tables of the checks are in result.json and its side files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auditor.values.cells import csv_bytes
from auditor.values.results import ScanResult
from reports.cell import plain
from reports.headline import why

SUFFIXES: tuple[str, ...] = (".csv",)
COLUMNS = (
    "code",
    "name",
    "severity",
    "path",
    "line",
    "field",
    "record",
    "subject",
    "score",
    "waived",
    "message",
    "fingerprint",
)


def render(result: ScanResult, name: str) -> Mapping[str, bytes]:
    """All findings, most severe first; UTF-8, comma, RFC 4180 line ends. No side file.

    Where the scan gave no verdict, a row `GATE` says so before them. Texts are safe in a spreadsheet (`auditor.values.cells`).
    """
    names = {outcome.code: outcome.name for outcome in result.outcomes}
    gate = result.gate
    rows: list[Sequence[object]] = []
    if gate.verdict in ("incomplete", "not enough seen"):
        # a list without rows would read as a dataset without flaws
        level = "error" if gate.exit_code else "warning"
        rows.append(["GATE", gate.verdict, level, *[""] * 7, why(result), ""])
    for finding in result.findings:
        where = finding.where
        rows.append(
            [
                finding.code, names.get(finding.code, ""), finding.severity.value, where.path, where.line, where.field,
                where.record, finding.subject, plain(finding.score), finding.waived, finding.message, finding.fingerprint,
            ]
        )  # fmt: skip
    return {name: csv_bytes(COLUMNS, rows, end="\r\n")}
