"""Waivers that fit nothing."""

import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ma004 import WaiverFitsNothing
from auditor.config_sections import Waiver
from auditor.values.results import Coverage, Finding, Location, Outcome, Severity, Verdict
from auditor.waivers import with_waivers

FOUND = Finding(code="LK001", severity=Severity.ERROR, message="m", where=Location(field="container.bit_depth"))
OUTCOMES = (
    Outcome(
        code="LK001", name="n", title="t", status="failed",
        verdict=Verdict(summary="s", findings=(FOUND,), coverage=Coverage(evaluated=9, total=9)),
    ),
    Outcome(code="SP001", name="n", title="t", status="skipped", reason="no patients"),
    Outcome(code="MA004", name="n", title="t", status="skipped", reason="no waiver"),
)  # fmt: skip


def said(*waivers: Waiver, stale: tuple[Waiver, ...]) -> Outcome:
    return next(o for o in with_waivers(OUTCOMES, waivers, stale, {}) if o.code == "MA004")


def test_a_mis_spelt_field_is_a_warning_that_names_the_key() -> None:
    waiver = Waiver(reason="r", code="LK001", field="container.bitdepth")
    outcome = said(waiver, stale=(waiver,))
    assert outcome.verdict is not None
    (finding,) = outcome.verdict.findings
    assert (outcome.status, finding.severity) == ("failed", Severity.WARNING)
    assert finding.message.startswith("Waiver 1 of 1 fits no finding: it differs in its field alone")


def test_a_waiver_that_fits_is_silent() -> None:
    assert said(Waiver(reason="r", code="LK001"), stale=()).status == "passed"


def test_a_waiver_of_a_check_that_could_not_look_is_left_alone() -> None:
    waiver = Waiver(reason="r", code="SP001")
    outcome = said(waiver, stale=(waiver,))
    assert outcome.status == "skipped"
    assert outcome.verdict is not None
    assert outcome.verdict.findings == ()


def test_without_waivers_it_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no waiver"):
        WaiverFitsNothing().run(make_dataset(n=3))
