"""What stands on top of a scan, and of a comparison: the gate's verdict of what there is now, then what the run did.

A run may have corrected much and still leave errors: it is green only where the gate passes what it left, and no error is
among it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from auditor.values.corrections import Comparison, Proposal, RunVerdict
from auditor.values.results import Finding, Gate, GateVerdict, ScanResult, Severity
from reports.causes import causes
from reports.compare import alarming
from reports.wording import RUN_VERDICT, VERDICT, counted

LEAKAGE = "LK"
"""Codes of the checks of shortcuts to the class begin like this."""
MOST_CAUSES = 3
"""Causes that the first lines name."""
_COUNT = re.compile(r"[\d,]+ findings? at or above \w+: ")
"""The gate's reason for `failed`, by codes: the first lines say it in words."""
_MEANING: dict[GateVerdict, str] = {
    "passed": "Nothing was found that fails this audit.",
    "failed": "At least one finding is serious enough to fail this audit.",
    "incomplete": "Part of the audit could not be carried out, so there is no verdict on the whole.",
    "not enough seen": "Nothing was found that fails this audit, but nobody can say yet that all is well.",
}
_LOOK: dict[RunVerdict, str] = {
    "improved": "passed", "corrected": "passed", "not worse": "same", "no change": "same", "cannot tell": "incomplete",
    "neither learnt the task": "incomplete", "harmed": "failed", "new findings": "failed",
}  # fmt: skip
_WORSE = ("failed", "incomplete", "same", "passed")
"""Looks, the worst first."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The first lines.

    Args:
        gate: the gate's verdict in capitals; that of the run where there were no two scans.
        look: colour and sign of both: passed, same, incomplete or failed.
        subject: what the gate judged: the copy, or the later scan.
        left: what is left, in words; empty where nothing is known of it.
        run: the verdict of the run in capitals.
    """

    gate: str
    look: str
    subject: str
    left: str
    run: str


def headline(comparison: Comparison) -> Headline:
    """What stands on top."""
    run, look = RUN_VERDICT[comparison.verdict], run_look(comparison)
    after = comparison.after
    if after is None:
        return Headline(gate=run, look=look, subject="", left="", run=run)
    left = [counted(n, noun) for n, noun in ((after.errors, "error"), (after.warnings, "warning")) if n]
    said = (
        " and ".join(left) + (" are" if after.errors + after.warnings > 1 else " is") if left else "no error and no warning is"
    )
    if residual(comparison):
        said += " left, and a shortcut in the pixels is"
    unseen = f"; {counted(after.not_evaluated, 'check')} not evaluated" if after.not_evaluated else ""
    leak = "; a shortcut to the class is still there" if leaking((*comparison.remaining, *comparison.introduced)) else ""
    task = {"fell": "; the task score fell with the new files", "unknown": "; whether the task survives cannot be told"}
    return Headline(
        gate=VERDICT[after.gate], look=look, subject="the copy" if comparison.arms else "the later scan",
        left=f"{said} left{leak}{task.get(survival(comparison), '')}{unseen}", run=run,
    )  # fmt: skip


def run_look(comparison: Comparison) -> str:
    """The look of the run: never better than what it left."""
    looks = [_LOOK[comparison.verdict]]
    after = comparison.after
    if after is not None:
        looks.append("incomplete" if after.gate == "not enough seen" else after.gate)
        looks.append("incomplete" if after.errors else "passed")
    if after is not None and leaking((*comparison.remaining, *comparison.introduced, *comparison.unclear)):
        looks.append("incomplete")  # also where nobody could look again
    if after is not None and any(f.severity is Severity.ERROR for f in alarming(comparison.unclear)):
        looks.append("incomplete")  # an error out of sight is not mended
    if residual(comparison) or survival(comparison) in ("fell", "unknown"):
        looks.append("incomplete")
    return min(looks, key=_WORSE.index)


def leaking(findings: Iterable[Finding]) -> bool:
    """Whether a shortcut to the class is among them, by the checks of leakage: a score may be that of the shortcut."""
    return any(f.code.startswith(LEAKAGE) for f in alarming(findings))


def residual(comparison: Comparison) -> bool:
    """Whether a strategy that was applied says that a shortcut is left in the pixels."""
    return any(proposal.metrics.get("residual_shortcut") is True for proposal in _applied(comparison))


def survival(comparison: Comparison) -> Literal["", "survives", "fell", "unknown"]:
    """Whether the task survives files that were written anew; empty where nobody asked."""
    said = [p.metrics["task_survives"] for p in _applied(comparison) if "task_survives" in p.metrics]
    return "" if not said else "fell" if False in said else "unknown" if None in said else "survives"


def _applied(comparison: Comparison) -> list[Proposal]:
    return [arm.proposal for arm in comparison.arms if arm.proposal and arm.strategy in comparison.applied]


def why(result: ScanResult) -> str:
    """A few sentences: why the gate said what it said. A pass never hides what was not asked, nor what was waived."""
    gate = result.gate
    reasons = [
        told for reason in gate.reasons for told in (_failing(result) if _COUNT.match(reason) else [_begun(reason.rstrip("."))])
    ]
    sentences = [_MEANING[gate.verdict].rstrip(".")] if not reasons or gate.verdict == "not enough seen" else []
    sentences += reasons
    if gate.verdict in ("passed", "not enough seen"):
        sentences += _below(result)
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


def _failing(result: ScanResult) -> list[str]:
    """The causes that fail the gate, in words; the first three, and how many more."""
    found = [c for c in causes(result) if c.severity.rank >= Severity(result.gate.fail_on).rank]
    more = len(found) - MOST_CAUSES
    titles = [_begun(cause.title) for cause in found[:MOST_CAUSES]]
    return [*titles, *([f"{counted(more, 'more cause')} of that level"] if more > 0 else [])]


def _below(result: ScanResult) -> list[str]:
    """What was found below the level that fails: a pass names the first three causes that are worth a look."""
    found = [cause for cause in causes(result) if cause.severity is not Severity.INFO]
    if not found:
        return []
    titles = "; ".join(cause.title for cause in found[:MOST_CAUSES])
    more = len(found) - MOST_CAUSES
    return [f"To be looked at before training: {titles}" + (f"; and {counted(more, 'more cause')}" if more > 0 else "")]


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def asked(gate: Gate) -> str:
    """`5 of 6 important questions could be asked (splits: none declared)`; empty where none is known."""
    missing = "; ".join(f"{q.subject}: {q.why}" for q in gate.questions if not q.asked)
    could = sum(q.asked for q in gate.questions)
    told = f"{could} of {counted(len(gate.questions), 'important question')} could be asked"
    return (told + (f" ({missing})" if missing else "")) if gate.questions else ""
