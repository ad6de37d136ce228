"""The verdict of a scan: what was found, what broke, and whether enough was seen to say that all is well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auditor.values.results import Gate, GateVerdict, Outcome, Question, Severity

EXIT_CODES: Mapping[GateVerdict, int] = {"passed": 0, "not enough seen": 0, "failed": 1, "incomplete": 3}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How much of a dataset a scan could look at (`auditor.seen`).

    Args:
        questions: those that matter most, and whether they could be asked.
        gaps: what keeps a scan that found nothing from having passed, in words.
        grave: one of the gaps must not be overlooked: exit code 3.
    """

    questions: tuple[Question, ...] = ()
    gaps: tuple[str, ...] = ()
    grave: bool = False


def gate(
    outcomes: Iterable[Outcome],
    fail_on: str,
    required: Iterable[str],
    seen: Seen | None = None,
    *,
    strict: bool = False,
    set_aside: tuple[str, ...] = (),
) -> Gate:
    """The verdict for CI: incomplete (3) outranks failed (1), and both outrank not enough seen (0, or 3).

    Args:
        required: codes that must have looked at something.
        strict: not enough seen is exit code 3, whatever it lacks.
        set_aside: settings of the dataset's own medaudit.toml that were not honoured.
    """
    outcomes, seen = tuple(outcomes), seen or Seen()
    broken, failing = _broken(outcomes, set(required)), _failing(outcomes, fail_on)
    verdict: GateVerdict = "incomplete" if broken else "failed" if failing else "not enough seen" if seen.gaps else "passed"
    alarming = verdict == "not enough seen" and (strict or seen.grave)
    return Gate(
        verdict=verdict,
        exit_code=3 if alarming else EXIT_CODES[verdict],
        fail_on=fail_on,
        reasons=(*broken, *failing, *seen.gaps),
        questions=seen.questions,
        waived=sum(f.waived is not None for o in outcomes if o.verdict for f in o.verdict.findings),
        set_aside=set_aside,
    )


def looked(outcome: Outcome) -> bool:
    """The check came to a verdict, on something."""
    coverage = outcome.verdict.coverage if outcome.verdict else None
    return outcome.status in ("passed", "failed") and (coverage is None or coverage.evaluated > 0)


def _broken(outcomes: tuple[Outcome, ...], required: set[str]) -> list[str]:
    broken = [f"{o.code} crashed" for o in outcomes if o.status == "crashed"]
    broken += [
        f"{o.code} is required and was not evaluated: {_why_not(o)}"
        for o in outcomes
        if o.code in required and o.status != "crashed" and not looked(o)
    ]
    return broken + [f"{code} is required and was not selected" for code in sorted(required - {o.code for o in outcomes})]


def _why_not(outcome: Outcome) -> str:
    coverage = outcome.verdict.coverage if outcome.verdict else None
    return outcome.reason or (coverage.reason if coverage else "")


def _failing(outcomes: tuple[Outcome, ...], fail_on: str) -> list[str]:
    """At most one sentence: how many findings fail the gate, by code."""
    if fail_on == "never":
        return []
    counts: dict[str, int] = {}
    for finding in (f for o in outcomes if o.verdict for f in o.verdict.findings):
        if finding.waived is None and finding.severity.rank >= Severity(fail_on).rank:
            counts[finding.code] = counts.get(finding.code, 0) + 1
    total = sum(counts.values())
    each = ", ".join(f"{code} {count:,}" for code, count in counts.items())
    return [f"{total:,} {'finding' if total == 1 else 'findings'} at or above {fail_on}: {each}"] if counts else []
