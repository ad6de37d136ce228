"""What is accepted: by a waiver with its reason, where it lies, or as it was in a baseline. It is shown, and fails nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase

from auditor.asking import Asked
from auditor.baseline import gone, with_known
from auditor.check import Check
from auditor.checks.ma001 import WaiverExpired
from auditor.checks.ma002 import BaselineHoldsMore
from auditor.checks.ma004 import WaiverFitsNothing
from auditor.config_sections import Waiver
from auditor.outcomes import graded, outcome_of, with_each
from auditor.values.baseline import Baseline
from auditor.values.results import Finding, Outcome, Severity, Verdict


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


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What whoever runs a scan accepts.

    Args:
        waivers: `[[waivers]]` of medaudit.toml.
        ignores: path with wildcards → codes or prefixes whose findings there are accepted.
        baseline: findings of an earlier scan; `tolerance`: share by which their strength may have risen.
        today: the day on which waivers must hold.
    """

    waivers: tuple[Waiver, ...] = ()
    ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baseline: Baseline | None = None
    tolerance: float = 0.0
    today: date = date.min


def waived(outcomes: Sequence[Outcome], accepted: Acceptance, asked: Asked) -> tuple[Outcome, ...]:
    """The outcomes with what is accepted marked. MA001, MA002 and MA004, where they were asked for, say which waivers have
    expired, what of the baseline is gone, and which waivers fit nothing."""
    waivers, told = accepted.waivers, {type(check) for check in asked.checks}
    holding = [w for w in waivers if w.expires is None or accepted.today <= w.expires]
    found = [f for o in outcomes if o.verdict for f in o.verdict.findings]
    done, stale = waive(outcomes, holding)
    done = ignored(done, accepted.ignores)
    if accepted.baseline is not None:
        done = with_known(done, accepted.baseline, accepted.tolerance)
    if waivers and WaiverExpired in told:
        expired = [
            (number, w.expires.isoformat(), sum(matches(w, f) for f in found))
            for number, w in enumerate(waivers, 1)
            if w.expires is not None and w not in holding
        ]
        done = with_outcome(done, WaiverExpired, WaiverExpired().report(expired, waivers=len(waivers)), asked.severities)
    if accepted.baseline is not None and BaselineHoldsMore in told:
        left, judged = gone(outcomes, accepted.baseline)
        verdict = BaselineHoldsMore().report(left, held=len(accepted.baseline.findings), judged=judged)
        done = with_outcome(done, BaselineHoldsMore, verdict, asked.severities)
    return with_waivers(done, waivers, stale, asked.severities) if waivers and WaiverFitsNothing in told else done


def waive(outcomes: Sequence[Outcome], waivers: Sequence[Waiver]) -> tuple[tuple[Outcome, ...], tuple[Waiver, ...]]:
    """The outcomes with waived findings marked, and the waivers that fitted nothing (they are stale)."""
    used: set[int] = set()

    def marked(finding: Finding) -> Finding:
        for number, waiver in enumerate(waivers):
            if matches(waiver, finding):
                used.add(number)
                return replace(finding, waived=reason_of(waiver))
        return finding

    return with_each(outcomes, marked), tuple(waiver for number, waiver in enumerate(waivers) if number not in used)


def reason_of(waiver: Waiver) -> str:
    """Why a finding is accepted, by whom and until when."""
    until = f"until {waiver.expires.isoformat()}" if waiver.expires is not None else ""
    more = ", ".join(part for part in (waiver.owner, until) if part)
    return f"{waiver.reason} ({more})" if more else waiver.reason


def ignored(outcomes: Sequence[Outcome], ignores: Mapping[str, tuple[str, ...]]) -> tuple[Outcome, ...]:
    """The outcomes with the findings marked that are ignored where they lie."""

    def marked(finding: Finding) -> Finding:
        path, code = finding.where.path, finding.code
        if finding.waived is not None or path is None:
            return finding
        for pattern, prefixes in ignores.items():
            if fnmatchcase(path, pattern) and any(code.startswith(prefix.upper()) for prefix in prefixes):
                return replace(finding, waived=f"ignored in {pattern}")
        return finding

    return with_each(outcomes, marked) if ignores else tuple(outcomes)


def with_outcome(
    outcomes: Sequence[Outcome], kind: type[Check], verdict: Verdict, severities: Mapping[str, Severity]
) -> tuple[Outcome, ...]:
    """The outcomes with what one check says of the others in the place of its own."""
    own = graded(outcome_of(kind, verdict, 0.0), severities)
    return tuple(sorted((*(o for o in outcomes if o.code != own.code), own), key=lambda o: o.code))


def with_waivers(
    outcomes: Sequence[Outcome], waivers: Sequence[Waiver], stale: Sequence[Waiver], severities: Mapping[str, Severity]
) -> tuple[Outcome, ...]:
    """The outcomes with what MA004 says of the waivers, of those alone whose check came to a verdict."""
    judged = {o.code for o in outcomes if o.status in ("passed", "failed")}
    asked = [w for w in waivers if not w.code or w.code in judged]
    found = [f for o in outcomes if o.verdict for f in o.verdict.findings]
    told = [(number, differs_in(w, found)) for number, w in enumerate(waivers, 1) if w in stale and w in asked]
    verdict = WaiverFitsNothing().report(told, waivers=len(waivers), judged=len(asked))
    return with_outcome(outcomes, WaiverFitsNothing, verdict, severities)
