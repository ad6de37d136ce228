"""The findings as CSV, one row each, for a spreadsheet. The tables of the checks are in result.json and its side files."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping

from auditor.values.results import ScanResult
from reports.cell import plain, visible
from reports.headline import why

SUFFIXES: tuple[str, ...] = (".csv",)
FORMULA = ("=", "+", "-", "@")
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

    Where the scan gave no verdict, a row `GATE` says so before them. A text that a spreadsheet would take for a formula gets
    a leading apostrophe (OWASP, CSV injection). Bytes of a file name that are not UTF-8 are written as `\\udcXX`.
    """
    names = {outcome.code: outcome.name for outcome in result.outcomes}
    gate = result.gate
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    if gate.verdict in ("incomplete", "not enough seen"):
        # a list without rows would read as a dataset without flaws
        level = "error" if gate.exit_code else "warning"
        writer.writerow(["GATE", gate.verdict, level, *[""] * 7, _safe(why(result)), ""])
    for finding in result.findings:
        where = finding.where
        writer.writerow(
            [
                finding.code,
                names.get(finding.code, ""),
                finding.severity.value,
                _safe(where.path),
                "" if where.line is None else where.line,
                _safe(where.field),
                _safe(where.record),
                _safe(finding.subject),
                "" if (score := plain(finding.score)) is None else score,
                _safe(finding.waived),
                _safe(finding.message),
                finding.fingerprint,
            ]
        )
    return {name: stream.getvalue().encode("utf-8", "backslashreplace")}


def _safe(text: str | None) -> str:
    """The text in one line without control characters (ESC would speak to a terminal), never read as a formula."""
    if text is None:
        return ""
    # what spreadsheets skip before a formula does not hide it, nor do the wide forms of its signs (NFKC)
    start = unicodedata.normalize("NFKC", text.lstrip())[:1]
    return f"'{visible(text)}" if start in FORMULA or text[:1] in ("\t", "\r", "\n") else visible(text)
