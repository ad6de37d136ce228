import pytest

from auditor.gate import Seen, gate
from auditor.values.results import Coverage, Finding, Outcome, Question, Severity, Verdict


def outcome(code: str, severity: Severity | None = None, *, status: str | None = None, waived: str | None = None) -> Outcome:
    findings = () if severity is None else (Finding(code=code, severity=severity, message="m", waived=waived),)
    chosen = status or ("failed" if findings else "passed")
    verdict = None if chosen in ("skipped", "crashed") else Verdict(summary="s", findings=findings)
    return Outcome(code=code, name="n", title="t", status=chosen, verdict=verdict, reason="why")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcomes", "fail_on", "required", "exit_code"),
    [
        ([outcome("A1")], "error", [], 0),
        ([outcome("A1", Severity.WARNING)], "error", [], 0),
        ([outcome("A1", Severity.WARNING)], "warning", [], 1),
        ([outcome("A1", Severity.ERROR)], "error", [], 1),
        ([outcome("A1", Severity.ERROR)], "never", [], 0),
        ([outcome("A1", Severity.ERROR, waived="known")], "error", [], 0),
        ([outcome("A1", status="skipped")], "error", [], 0),
        ([outcome("A1", status="skipped")], "error", ["A1"], 3),
        ([outcome("A1")], "error", ["B2"], 3),
        ([outcome("A1", status="crashed")], "error", [], 3),
        ([outcome("A1", status="crashed"), outcome("B2", Severity.ERROR)], "error", [], 3),
    ],
)
def test_the_exit_code_follows_the_findings(outcomes: list[Outcome], fail_on: str, required: list[str], exit_code: int) -> None:
    verdict = gate(outcomes, fail_on, required)
    assert verdict.exit_code == exit_code
    assert bool(verdict.reasons) == (exit_code != 0)


UNLABELLED = Seen(questions=(Question(subject="labels", asked=False, why="none"),), gaps=("no label was found",))


def test_a_scan_that_saw_too_little_is_no_pass_and_exits_0_unless_it_is_strict() -> None:
    seen = gate([outcome("A1")], "error", [], UNLABELLED)
    assert (seen.verdict, seen.exit_code, seen.reasons) == ("not enough seen", 0, ("no label was found",))
    assert seen.questions == UNLABELLED.questions
    assert gate([outcome("A1")], "error", [], UNLABELLED, strict=True).exit_code == 3
    assert gate([outcome("A1")], "never", [], UNLABELLED).verdict == "not enough seen"


def test_a_grave_gap_exits_3_whether_strict_or_not() -> None:
    seen = gate([outcome("A1")], "error", [], Seen(gaps=("24 of 24 files could not be read",), grave=True))
    assert (seen.verdict, seen.exit_code) == ("not enough seen", 3)


def test_strict_asks_no_more_of_a_scan_that_saw_enough() -> None:
    assert gate([outcome("A1")], "error", [], Seen(), strict=True).exit_code == 0


def test_findings_and_crashes_outrank_what_was_not_seen_and_both_are_told() -> None:
    failed = gate([outcome("A1", Severity.ERROR)], "error", [], UNLABELLED, strict=True)
    assert (failed.verdict, failed.exit_code) == ("failed", 1)
    assert failed.reasons == ("1 finding at or above error: A1 1", "no label was found")
    assert gate([outcome("A1", status="crashed")], "error", [], UNLABELLED).verdict == "incomplete"


@pytest.mark.parametrize("severity", [None, Severity.WARNING])
def test_a_required_check_that_could_look_at_nothing_makes_the_audit_incomplete(severity: Severity | None) -> None:
    findings = () if severity is None else (Finding(code="A1", severity=severity, message="m"),)
    blind = Verdict(summary="s", findings=findings, coverage=Coverage(evaluated=0, total=24, reason="no reader"))
    result = gate([Outcome(code="A1", name="n", title="t", status="failed", verdict=blind)], "error", ["A1"])
    assert (result.verdict, result.exit_code) == ("incomplete", 3)
    assert "no reader" in result.reasons[0]


def test_waived_findings_are_counted() -> None:
    assert gate([outcome("A1", Severity.ERROR, waived="known"), outcome("B2", Severity.ERROR)], "error", []).waived == 1
