"""What an earlier scan found and somebody accepted: held against what this one found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from auditor.outcomes import with_each
from auditor.values.baseline import REASON, Accepted, Baseline, numbers
from auditor.values.results import Finding, Outcome


def accepts(known: Accepted, finding: Finding, tolerance: float) -> bool:
    """The finding is no worse than it was: as severe at most, and as strong and as large but for `tolerance`, a share of that.

    A leak between two splits is one finding however many pictures leak, so every number of its evidence is held against
    what it was.
    """
    if finding.severity.rank > known.severity.rank:
        return False
    now, before = numbers(finding.evidence), dict(known.counts)
    if finding.score is not None and known.score is not None:
        now["score"], before["score"] = finding.score, known.score
    return all(value <= before[name] + tolerance * abs(before[name]) for name, value in now.items() if name in before)


def with_known(outcomes: Sequence[Outcome], baseline: Baseline, tolerance: float) -> tuple[Outcome, ...]:
    """The outcomes with the findings marked that the baseline accepts, those left alone that are waived already."""

    def marked(finding: Finding) -> Finding:
        known = baseline.findings.get(finding.fingerprint)
        if finding.waived is not None or known is None or not accepts(known, finding, tolerance):
            return finding
        return replace(finding, waived=REASON)

    return with_each(outcomes, marked)


def gone(outcomes: Sequence[Outcome], baseline: Baseline) -> tuple[Counter[str], int]:
    """Code → how many findings of the baseline are not there any more, and how many are of checks that came to a verdict."""
    judged = {o.code for o in outcomes if o.status in ("passed", "failed")}
    there = {f.fingerprint for o in outcomes if o.verdict for f in o.verdict.findings}
    asked = {mark: known.code for mark, known in baseline.findings.items() if known.code in judged}
    return Counter(code for mark, code in asked.items() if mark not in there), len(asked)
