from auditor.config import Waiver
from auditor.values.results import Finding, Location, Outcome, Severity, Verdict
from auditor.waivers import differs_in, matches, waive

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
