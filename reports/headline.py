"""What stands on top of a comparison: the gate's verdict of what there is now, then what the run did.

A run may have corrected much and still leave errors: it is green only where the gate passes what it left, and no error is
among it.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.values.corrections import Comparison, RunVerdict
from reports.wording import RUN_VERDICT, VERDICT, counted

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
    return Headline(
        gate=VERDICT[after.gate], look=look, subject="the copy" if comparison.arms else "the later scan",
        left=f"{said} left{unseen}", run=run,
    )  # fmt: skip


def run_look(comparison: Comparison) -> str:
    """The look of the run: never better than what it left."""
    looks = [_LOOK[comparison.verdict]]
    after = comparison.after
    if after is not None:
        looks.append("incomplete" if after.gate == "not enough seen" else after.gate)
        looks.append("incomplete" if after.errors else "passed")
    if residual(comparison):
        looks.append("incomplete")
    return min(looks, key=_WORSE.index)


def residual(comparison: Comparison) -> bool:
    """Whether a strategy that was applied says that a shortcut is left in the pixels."""
    applied = [arm.proposal for arm in comparison.arms if arm.proposal and arm.strategy in comparison.applied]
    return any(proposal.metrics.get("residual_shortcut") is True for proposal in applied)
