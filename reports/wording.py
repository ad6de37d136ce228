"""The words that every report uses for families, statuses, severities and verdicts."""

from __future__ import annotations

import re

from auditor.values.corrections import RunVerdict
from auditor.values.results import Finding, GateVerdict, Location, Outcome, Severity, Status
from reports.cell import shown

FAMILIES = {
    "IN": "Integrity of files and lists",
    "LK": "Class leakage: shortcuts a model could learn",
    "SP": "Splits, patients and duplicates",
    "LN": "Label noise",
    "ED": "Disagreement between experts",
    "IQ": "Image quality and missing features",
    "SZ": "Size, balance and risk of overfitting",
    "PH": "Privacy",
    "MA": "The audit itself",
}
STATUS: dict[Status, str] = {"failed": "failed", "crashed": "crashed", "skipped": "not evaluated", "passed": "passed"}
VERDICT: dict[GateVerdict, str] = {
    "failed": "FAILED",
    "passed": "PASSED",
    "incomplete": "INCOMPLETE",
    "not enough seen": "NOT ENOUGH SEEN",
}
SEVERITY = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
RUN_VERDICT: dict[RunVerdict, str] = {
    "improved": "IMPROVED",
    "not worse": "NOT WORSE",
    "harmed": "HARMED",
    "cannot tell": "CANNOT TELL",
    "neither learnt the task": "NEITHER LEARNT THE TASK",
    "no change": "NO CHANGE",
    "corrected": "CORRECTED",
    "new findings": "NEW FINDINGS",
}
_RAW = re.compile(r" \((?:container|dicom|nifti|path|table|traces|intensity|texture|header)\.[^()]*\)")
SELF_GRADED = (
    "The labels that this was measured on were chosen by a model, not by a person. Such figures flatter the correction: "
    "take them as a hint, and have a part of the records read by an expert (--evaluate) before relying on them."
)


def family(code: str) -> str:
    """The title of the family that a code belongs to; a plug-in's own letters stand for themselves."""
    return FAMILIES.get(code[:2], f"Other checks ({code[:2]})")


def by_family(outcomes: tuple[Outcome, ...]) -> dict[str, list[Outcome]]:
    """The outcomes by family title, families in the order of FAMILIES, codes in order within each."""
    order = [*FAMILIES]
    groups: dict[str, list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda o: (order.index(o.code[:2]) if o.code[:2] in order else len(order), o.code)):
        groups.setdefault(family(outcome.code), []).append(outcome)
    return groups


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 finding`, `1,234 findings`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def severities(findings: tuple[Finding, ...]) -> str:
    """`3 errors, 12 warnings, 1 note, 2 waived` or `no findings`."""
    live = [finding for finding in findings if finding.waived is None]
    parts = []
    for severity, noun in SEVERITY.items():
        if number := sum(finding.severity is severity for finding in live):
            parts.append(counted(number, noun))
    if waived := len(findings) - len(live):
        parts.append(f"{waived:,} waived")
    return ", ".join(parts) or "no findings"


def unseen(outcome: Outcome) -> str:
    """How much a check could not look at, and why; empty when it saw everything."""
    coverage = outcome.verdict.coverage if outcome.verdict else None
    if coverage is None or coverage.evaluated >= coverage.total:
        return ""
    missing = f"{coverage.total - coverage.evaluated:,}"
    # `4 files were not read` needs no `4 of 9 files not seen` before it.
    if coverage.reason.startswith(f"{missing} {coverage.unit} "):
        return f"{missing} of {coverage.total:,}{coverage.reason.removeprefix(missing)}"
    reason = f": {coverage.reason}" if coverage.reason else ""
    return f"{missing} of {coverage.total:,} {coverage.unit} not seen{reason}"


def plain_names(words: str) -> str:
    """A sentence without the raw names of fields behind their plain ones: `bit depth (container.bit_depth)` → bit depth."""
    return _RAW.sub("", words)


def place(where: Location) -> str:
    """Where a finding points, in words: `images/a.dcm, row 12, field BitsStored`; empty for the whole dataset."""
    parts = [shown(where.path)] if where.path else []
    if where.record and where.record not in (where.path or ""):
        parts.append(f"record {shown(where.record)}")
    if where.line is not None:
        parts.append(f"row {where.line:,}")
    if where.field:
        parts.append(f"field {shown(where.field)}")
    return ", ".join(parts)
