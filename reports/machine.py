"""What the formats for machines share: which findings fail the gate, and what stands there where there is no verdict."""

from __future__ import annotations

from auditor.values.results import Finding, ScanResult, Severity
from reports.causes import causes, places

GATE = "GATE"
"""Stands for the gate itself where a list of findings would read as a data set without flaws."""


def fails(finding: Finding, fail_on: str) -> bool:
    """Whether it fails the gate: nobody waived it, and it is at or above `fail_on`."""
    return fail_on != "never" and finding.waived is None and finding.severity.rank >= Severity(fail_on).rank


def unjudged(result: ScanResult) -> Severity | None:
    """How grave it is that the scan gave no verdict on the whole; None where it gave one."""
    if result.gate.verdict not in ("incomplete", "not enough seen"):
        return None
    return Severity.ERROR if result.gate.exit_code else Severity.WARNING


def ranked(result: ScanResult) -> list[Finding]:
    """All findings, those that count first, then by severity and cause; the waived ones last."""
    place = places(causes(result))
    return sorted(
        result.findings, key=lambda f: (f.waived is not None, -f.severity.rank, place.get(f.code, len(place)), f.code)
    )
