from dataclasses import replace
from datetime import date

import pytest

from auditor.asking import Asked
from auditor.check import Check
from auditor.checks.ma001 import WaiverExpired
from auditor.checks.ma002 import BaselineHoldsMore
from auditor.config_sections import Waiver
from auditor.values.baseline import REASON, Accepted, Baseline
from auditor.values.results import Finding, Location, Outcome, Severity, Verdict
from auditor.waivers import Acceptance, differs_in, matches, waive, waived

FINDING = Finding(code="IN001", severity=Severity.ERROR, message="m", where=Location(path="a/b.png", record="a/b.png"))


def test_every_key_that_is_given_must_fit() -> None:
    assert matches(Waiver(reason="r", code="IN001"), FINDING)
    assert matches(Waiver(reason="r", path="a/*.png"), FINDING)
    assert matches(Waiver(reason="r", fingerprint=FINDING.fingerprint), FINDING)
    assert not matches(Waiver(reason="r", code="IN001", path="c/*"), FINDING)
    assert not matches(Waiver(reason="r", code="SP001"), FINDING)


def test_a_waiver_without_a_key_fits_nothing() -> None:
    assert not matches(Waiver(reason="everything is fine"), FINDING)


def test_waived_findings_carry_the_reason_and_stale_waivers_are_told() -> None:
    outcome = Outcome(code="IN001", name="n", title="t", status="failed", verdict=Verdict(summary="s", findings=(FINDING,)))
    stale = Waiver(reason="old", code="SP001")
    (done,), unused = waive([outcome], [Waiver(reason="known", code="IN001"), stale])
    assert done.verdict is not None
    assert done.verdict.findings[0].waived == "known"
    assert done.verdict.findings[0].fingerprint == FINDING.fingerprint
    assert unused == (stale,)


def test_the_key_in_which_a_waiver_differs_is_named() -> None:
    assert differs_in(Waiver(reason="r", code="IN001", path="a/c.png"), [FINDING]) == ": it differs in its path alone"
    assert differs_in(Waiver(reason="r", code="SP001", path="c"), [FINDING]) == ""
    assert differs_in(Waiver(reason="r", code="SP001"), [FINDING]) == ""


def asked(*checks: Check) -> Asked:
    return Asked(looking=checks, left=(), required=frozenset(), needs=frozenset(), severities={})


def outcome_with(*findings: Finding) -> Outcome:
    return Outcome(code="IN001", name="n", title="t", status="failed", verdict=Verdict(summary="s", findings=findings))


@pytest.mark.parametrize(("today", "accepted"), [(date(2027, 6, 30), True), (date(2027, 7, 1), False)])
def test_a_waiver_holds_until_its_last_day_and_is_told_afterwards(today: date, accepted: bool) -> None:
    waiver = Waiver(reason="one clinic", code="IN001", owner="imaging team", expires=date(2027, 6, 30))
    done = waived([outcome_with(FINDING)], Acceptance(waivers=(waiver,), today=today), asked(WaiverExpired()))
    said = {o.code: o for o in done}
    assert said["IN001"].verdict is not None
    why = said["IN001"].verdict.findings[0].waived
    assert why == ("one clinic (imaging team, until 2027-06-30)" if accepted else None)
    assert said["MA001"].status == ("passed" if accepted else "failed")
    assert said["MA001"].verdict is not None
    told = [f.message for f in said["MA001"].verdict.findings]
    assert [m.split(".")[0] for m in told] == (
        [] if accepted else ["Waiver 1 of 1 expired on 2027-06-30; 1 finding that it accepted count again"]
    )


def test_findings_are_ignored_where_they_lie_and_nowhere_else() -> None:
    elsewhere = replace(FINDING, where=Location(path="b/b.png"))
    whole = replace(FINDING, where=Location())
    done = waived([outcome_with(FINDING, elsewhere, whole)], Acceptance(ignores={"a/*": ("in",)}), asked())
    assert done[0].verdict is not None
    assert [f.waived for f in done[0].verdict.findings] == ["ignored in a/*", None, None]
    done = waived([outcome_with(FINDING)], Acceptance(ignores={"a/*": ("SP",)}), asked())
    assert done[0].verdict is not None
    assert done[0].verdict.findings[0].waived is None


@pytest.mark.parametrize(
    ("severity", "score", "accepted"),
    [
        (Severity.ERROR, 0.8, True), (Severity.ERROR, 0.83, True), (Severity.ERROR, 0.85, False), (Severity.WARNING, 0.5, True),
        (Severity.ERROR, None, True),
    ],
)  # fmt: skip
def test_a_baseline_accepts_what_is_no_worse_than_it_was(severity: Severity, score: float | None, accepted: bool) -> None:
    baseline = Baseline(findings={FINDING.fingerprint: Accepted(code="IN001", severity=Severity.ERROR, score=0.8)})
    now = replace(FINDING, severity=severity, score=score)
    done = waived([outcome_with(now)], Acceptance(baseline=baseline, tolerance=0.05), asked())
    assert done[0].verdict is not None
    assert (done[0].verdict.findings[0].waived == REASON) == accepted


@pytest.mark.parametrize(("records", "accepted"), [(40, True), (42, True), (43, False), (10, True)])
def test_a_finding_that_holds_more_is_not_what_was_accepted(records: int, accepted: bool) -> None:
    known = Accepted(code="IN001", severity=Severity.ERROR, counts={"records": 40.0, "groups": 4.0})
    now = replace(FINDING, evidence={"records": records, "groups": 4, "group": 9, "split": "test"})
    done = waived(
        [outcome_with(now)], Acceptance(baseline=Baseline(findings={FINDING.fingerprint: known}), tolerance=0.05), asked()
    )
    assert done[0].verdict is not None
    assert (done[0].verdict.findings[0].waived == REASON) == accepted


def test_a_more_severe_finding_is_new_to_a_baseline_and_what_is_gone_is_told() -> None:
    other = replace(FINDING, subject="gone")
    known = {
        FINDING.fingerprint: Accepted(code="IN001", severity=Severity.WARNING),
        other.fingerprint: Accepted(code="IN001", severity=Severity.ERROR),
        "0" * 32: Accepted(code="SP001", severity=Severity.ERROR),
    }
    done = waived([outcome_with(FINDING)], Acceptance(baseline=Baseline(findings=known)), asked(BaselineHoldsMore()))
    said = {o.code: o.verdict for o in done}
    assert said["IN001"] is not None
    assert said["MA002"] is not None
    assert said["IN001"].findings[0].waived is None
    assert said["MA002"].findings[0].message.startswith("1 of the 3 findings that the baseline accepts are gone (IN001 1)")
    assert said["MA002"].coverage is not None
    assert (said["MA002"].coverage.evaluated, said["MA002"].coverage.total) == (2, 3)
