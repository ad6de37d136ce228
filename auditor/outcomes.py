"""From checks to their outcomes: each is run, a crash hides no other, and what nobody saw is not passed."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.asking import Asked
from auditor.check import Check, SkipCheck, title
from auditor.checks.ma003 import CheckCrashed
from auditor.progress import Progress, tell
from auditor.seen import NO_PIXELS
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Outcome, Severity, Status, Verdict

BLIND = 0.95
"""A check that could have seen no smaller AUC than this has seen nothing: it does not pass."""


def judged(asked: Asked, dataset: Dataset, progress: Progress) -> tuple[Outcome, ...]:
    """The outcome of every check that was asked for, with the severity that its findings are given, by code."""
    outcomes = (*judge(dataset, asked.looking, progress), *map(unseen, asked.left))
    return tuple(graded(outcome, asked.severities) for outcome in sorted(outcomes, key=lambda o: o.code))


def judge(dataset: Dataset, checks: Sequence[Check], progress: Progress) -> tuple[Outcome, ...]:
    """Run every check; one that crashes hides no other."""
    outcomes: list[Outcome] = []
    crashed: list[tuple[str, str]] = []
    progress.start("checking", len(checks))
    for check in checks:
        if isinstance(check, CheckCrashed):
            continue
        tell(progress, f"{check.code} {check.name}")
        outcome = run_check(check, dataset)
        outcomes.append(outcome)
        if outcome.status == "crashed":
            crashed.append((outcome.code, outcome.reason))
        progress.advance()
    progress.finish()
    # A crash is reported even where MA003 was not selected: a gate must not pass because a check broke.
    if crashed or any(isinstance(check, CheckCrashed) for check in checks):
        verdict = CheckCrashed().report(crashed, checks=len(outcomes))
        outcomes.append(outcome_of(CheckCrashed, verdict, 0.0))
    return tuple(sorted(outcomes, key=lambda o: o.code))


def unseen(check: Check) -> Outcome:
    """A check that was left out because nobody decodes anything."""
    kind = type(check)
    return Outcome(code=kind.code, name=kind.name, title=title(kind), status="skipped", reason=NO_PIXELS)


def run_check(check: Check, dataset: Dataset) -> Outcome:
    """One check to its outcome."""
    start = time.perf_counter()
    kind = type(check)
    try:
        verdict = check.run(dataset)
    except SkipCheck as skipped:
        return Outcome(
            code=kind.code, name=kind.name, title=title(kind), status="skipped", reason=str(skipped), verdict=skipped.verdict
        )
    except Exception as error:  # noqa: BLE001 - a broken check must not hide the verdicts of the others
        place = traceback.extract_tb(error.__traceback__)[-1]
        # The exception's own text may hold a value of the dataset, so only its type and place are told.
        reason = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
        return Outcome(code=kind.code, name=kind.name, title=title(kind), status="crashed", reason=reason)
    return outcome_of(kind, verdict, time.perf_counter() - start)


def outcome_of(kind: type[Check], verdict: Verdict, seconds: float) -> Outcome:
    """Failed when the verdict holds a finding above info; not evaluated when it looked at nothing; else passed."""
    status, reason = status_of(verdict)
    return Outcome(
        code=kind.code, name=kind.name, title=title(kind), status=status, reason=reason, verdict=verdict,
        seconds=round(seconds, 4),
    )  # fmt: skip


def status_of(verdict: Verdict) -> tuple[Status, str]:
    """The status of a check that came to a verdict, and why it counts as not evaluated: what nobody saw is not passed.

    Notes make no pass: a check that could have seen nothing may still have noted something."""
    if any(f.severity is not Severity.INFO for f in verdict.findings):
        return "failed", ""
    seen = verdict.coverage
    if seen is not None and seen.evaluated <= 0:
        none = (
            f"none of {seen.total:,} {seen.unit} could be looked at" if seen.total else f"there are no {seen.unit} to look at"
        )
        return "skipped", f"{none}: {seen.reason}" if seen.reason else none
    detectable = verdict.metrics.get("detectable_auc")
    if isinstance(detectable, int | float) and detectable >= BLIND:
        return "skipped", f"too few patients can be told apart: not even an AUC of {BLIND:.2f} would have been seen"
    return "passed", ""


def with_each(outcomes: Sequence[Outcome], changed: Callable[[Finding], Finding]) -> tuple[Outcome, ...]:
    """The outcomes with every finding as `changed` gives it."""
    return tuple(
        replace(o, verdict=replace(o.verdict, findings=tuple(map(changed, o.verdict.findings)))) if o.verdict else o
        for o in outcomes
    )


def graded(outcome: Outcome, severities: Mapping[str, Severity]) -> Outcome:
    """The outcome with the severity that medaudit.toml gives its findings."""
    wanted = severities.get(outcome.code)
    if wanted is None or outcome.verdict is None:
        return outcome
    if outcome.status == "skipped" and status_of(outcome.verdict)[0] != "skipped":
        return outcome  # the check itself would not judge: what it noted all the same is no finding of any severity
    findings = tuple(replace(f, severity=wanted) for f in outcome.verdict.findings)
    verdict = replace(outcome.verdict, findings=findings)
    raised = any(f.severity is not Severity.INFO for f in findings)
    if outcome.status == "crashed" or (outcome.status == "skipped" and not raised):
        return replace(outcome, verdict=verdict)
    status, reason = status_of(verdict)
    return replace(outcome, verdict=verdict, status=status, reason=reason)
