"""The words that every report uses for families, statuses, severities and verdicts."""

from __future__ import annotations

from auditor.values.corrections import RunVerdict
from auditor.values.results import Finding, Gate, GateVerdict, Location, Outcome, ScanResult, Severity, Status
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
SELF_GRADED = (
    "The labels that this was measured on were chosen by a model, not by a person. Such figures flatter the correction: "
    "take them as a hint, and have a part of the records read by an expert (--evaluate) before relying on them."
)
_MEANING: dict[GateVerdict, str] = {
    "passed": "Nothing was found at or above the level that fails this audit.",
    "failed": "At least one finding is serious enough to fail this audit.",
    "incomplete": "Part of the audit could not be carried out, so there is no verdict on the whole.",
    "not enough seen": "Nothing serious was found, but too little could be looked at to say that all is well.",
}


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


def why(result: ScanResult) -> str:
    """A few sentences: why the gate said what it said. A pass never hides what was not asked, nor what was waived."""
    gate = result.gate
    reasons = [reason[:1].upper() + reason[1:].rstrip(".") for reason in gate.reasons]
    sentences = [_MEANING[gate.verdict].rstrip(".")] if not reasons or gate.verdict == "not enough seen" else []
    sentences += reasons
    if told := asked(gate):
        sentences.append(told)
    skipped = sum(outcome.status == "skipped" for outcome in result.outcomes)
    if gate.verdict == "passed" and skipped:
        sentences.append(f"{skipped:,} of {counted(len(result.outcomes), 'check')} could not be evaluated")
    if gate.waived:
        sentences.append(f"{counted(gate.waived, 'finding')} waived")
    if gate.set_aside:
        sentences.append(f"{counted(len(gate.set_aside), 'setting')} of the dataset's own medaudit.toml not honoured")
    return ". ".join(sentences) + "."


def asked(gate: Gate) -> str:
    """`5 of 6 important questions could be asked (splits: none declared)`; empty where none is known."""
    missing = "; ".join(f"{q.subject}: {q.why}" for q in gate.questions if not q.asked)
    could = sum(q.asked for q in gate.questions)
    told = f"{could} of {counted(len(gate.questions), 'important question')} could be asked"
    return (told + (f" ({missing})" if missing else "")) if gate.questions else ""


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
