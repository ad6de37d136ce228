"""What stands on top of a comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest
from comparisons import finding, improved, no_change, two_scans

from auditor.values.corrections import Tally
from auditor.values.results import Severity
from reports.headline import headline


def left(comparison, **numbers):
    values = {"gate": "passed", "records": 9, "errors": 0, "warnings": 0, "notes": 0, "waived": 0, "not_evaluated": 0}
    return replace(comparison, after=Tally(**{**values, **numbers}))


@pytest.mark.parametrize("verdict", ["corrected", "improved", "not worse", "no change"])
def test_no_run_is_green_over_errors_that_remain(verdict):
    top = headline(left(replace(two_scans(), verdict=verdict), gate="failed", errors=16))
    assert (top.gate, top.look) == ("FAILED", "failed")
    assert top.left == "16 errors are left"
    lenient = headline(left(replace(two_scans(), verdict=verdict), errors=1))
    assert lenient.look not in ("passed", "same"), "a gate that lets errors pass does not make them green"


def test_what_was_not_seen_is_not_green_either():
    for gate in ("incomplete", "not enough seen"):
        assert headline(left(replace(two_scans(), verdict="corrected"), gate=gate)).look == "incomplete"
    assert headline(left(no_change(), not_evaluated=3)).left == "no error and no warning is left; 3 checks not evaluated"


def test_a_copy_that_passes_is_as_good_as_its_run():
    assert headline(left(replace(two_scans(), verdict="corrected"))).look == "passed"
    assert headline(left(improved(), warnings=1)).left == "1 warning is left"
    assert headline(left(replace(improved(), verdict="harmed"))).look == "failed"


def test_without_scans_the_run_alone_is_told():
    top = headline(replace(improved(), before=None, after=None))
    assert (top.gate, top.subject, top.look) == ("IMPROVED", "", "passed")


def test_a_shortcut_that_a_strategy_left_in_the_pixels_is_not_green():
    applied = replace(left(improved()), verdict="corrected")
    first = next(arm for arm in applied.arms if arm.proposal and arm.strategy in applied.applied)
    told = replace(first, proposal=replace(first.proposal, metrics={"residual_shortcut": True}))
    arms = tuple(told if arm is first else arm for arm in applied.arms)
    top = headline(replace(applied, arms=arms))
    assert top.look == "incomplete"
    assert "a shortcut in the pixels is left" in top.left
    assert headline(applied).look == "passed"


@pytest.mark.parametrize("state", ["remaining", "introduced", "unclear"])
def test_a_gain_over_a_shortcut_to_the_class_is_not_green(state):
    run = left(replace(improved(), remaining=(), introduced=(), unclear=()), warnings=1)
    leak = finding("LK002", Severity.WARNING, "The metadata tell the class")
    top = headline(replace(run, **{state: (leak,)}))
    assert (top.gate, top.look) == ("PASSED", "incomplete")
    assert ("a shortcut to the class is still there" in top.left) == (state != "unclear")
    assert headline(replace(run, **{state: (replace(leak, severity=Severity.INFO),)})).look == "passed"
    assert headline(replace(run, **{state: (replace(leak, waived="known"),)})).look == "passed"
    assert headline(replace(run, **{state: (replace(leak, code="IQ001"),)})).look == "passed"


def test_an_error_that_went_out_of_sight_is_not_green():
    run = left(replace(improved(), remaining=(), introduced=(), unclear=()), warnings=1)
    broken = finding("IN001", Severity.ERROR, "The file cannot be read")
    assert headline(run).look == "passed"
    assert headline(replace(run, unclear=(broken,))).look == "incomplete"
