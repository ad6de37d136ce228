"""Waivers: findings that somebody has read, and accepted for a reason. They are shown, but do not fail the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from auditor.asking import Asked
from auditor.checks.ma004 import WaiverFitsNothing
from auditor.config import Waiver
from auditor.outcomes import graded, outcome_of
from auditor.values.results import Finding, Outcome, Severity


def matches(waiver: Waiver, finding: Finding) -> bool:
    """Every key of the waiver that is not empty fits; `path` may hold wildcards. A waiver without any key fits nothing."""
    wanted = (waiver.code, waiver.fingerprint, waiver.path, waiver.field, waiver.record, waiver.subject)
    if not any(wanted):
        return False
    where = finding.where
    pairs = (
        (waiver.code, finding.code),
        (waiver.fingerprint, finding.fingerprint),
        (waiver.field, where.field),
        (waiver.record, where.record),
        (waiver.subject, finding.subject),
    )
    exact = all(not want or want == have for want, have in pairs)
    return exact and (not waiver.path or fnmatchcase(where.path or "", waiver.path))


def differs_in(waiver: Waiver, findings: Sequence[Finding]) -> str:
    """` in its field alone` where a finding has all the other keys of a waiver that fits none; else empty."""
    keys = [key for key in ("code", "fingerprint", "path", "field", "record", "subject") if getattr(waiver, key)]
    near = [key for key in keys if any(matches(waiver.model_copy(update={key: ""}), finding) for finding in findings)]
    return f": it differs in its {near[0]} alone" if len(keys) > 1 and near else ""


def waive(outcomes: Sequence[Outcome], waivers: Sequence[Waiver]) -> tuple[tuple[Outcome, ...], tuple[Waiver, ...]]:
    """The outcomes with waived findings marked, and the waivers that fitted nothing (they are stale)."""
    used: set[int] = set()

    def marked(finding: Finding) -> Finding:
        for number, waiver in enumerate(waivers):
            if matches(waiver, finding):
                used.add(number)
                return replace(finding, waived=waiver.reason)
        return finding

    done = tuple(
        replace(o, verdict=replace(o.verdict, findings=tuple(marked(f) for f in o.verdict.findings))) if o.verdict else o
        for o in outcomes
    )
    return done, tuple(waiver for number, waiver in enumerate(waivers) if number not in used)


def waived(outcomes: Sequence[Outcome], waivers: Sequence[Waiver], asked: Asked) -> tuple[Outcome, ...]:
    """The outcomes as the waivers leave them; MA004, where it was asked for, says which of these fit nothing."""
    done, stale = waive(outcomes, waivers)
    if waivers and any(isinstance(check, WaiverFitsNothing) for check in asked.checks):
        return with_waivers(done, waivers, stale, asked.severities)
    return done


def with_waivers(
    outcomes: Sequence[Outcome], waivers: Sequence[Waiver], stale: Sequence[Waiver], severities: Mapping[str, Severity]
) -> tuple[Outcome, ...]:
    """The outcomes with what MA004 says of the waivers, of those alone whose check came to a verdict."""
    judged = {o.code for o in outcomes if o.status in ("passed", "failed")}
    asked = [w for w in waivers if not w.code or w.code in judged]
    found = [f for o in outcomes if o.verdict for f in o.verdict.findings]
    told = [(number, differs_in(w, found)) for number, w in enumerate(waivers, 1) if w in stale and w in asked]
    verdict = WaiverFitsNothing().report(told, waivers=len(waivers), judged=len(asked))
    own = graded(outcome_of(WaiverFitsNothing, verdict, 0.0), severities)
    return tuple(sorted((*(o for o in outcomes if o.code != own.code), own), key=lambda o: o.code))
