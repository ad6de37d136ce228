"""The words all reports share."""

from dataclasses import replace

import pytest

from auditor.values.results import Coverage, Gate, Location, Outcome, Question, Severity, Verdict
from reports.headline import why
from reports.wording import by_family, counted, family, place, severities, unseen


def test_families_come_in_their_order(hostile_result):
    assert [title.split()[0] for title in by_family(hostile_result.outcomes)] == [
        "Integrity", "Class", "Splits,", "Label", "Disagreement", "Privacy",
    ]  # fmt: skip
    assert family("ZZ001") == "Other checks (ZZ)"


def test_counts_agree_with_their_nouns():
    assert counted(1, "class", "classes") == "1 class"
    assert counted(1200, "record") == "1,200 records"


def test_what_was_not_seen_is_counted_once():
    def words(reason, evaluated=5):
        coverage = Coverage(evaluated=evaluated, total=9, unit="files", reason=reason)
        return unseen(
            Outcome(
                code="IN003", name="wrong-extension", title="", status="passed", verdict=Verdict(summary="", coverage=coverage)
            )
        )

    assert words("4 files were not looked at: they lie in a container") == (
        "4 of 9 files were not looked at: they lie in a container"
    )
    assert words("not tables") == "4 of 9 files not seen: not tables"
    assert words("", evaluated=9) == ""


def test_waived_findings_are_counted_apart(hostile_result):
    assert severities(hostile_result.findings) == "16 errors, 157 warnings, 1 waived"
    assert severities(()) == "no findings"


def test_the_reason_is_a_sentence(small_result):
    assert why(small_result) == "The class can be told from the bits stored and 1 more field."


def test_a_pass_says_how_much_was_not_evaluated(small_result):
    passed = replace(small_result, gate=Gate(verdict="passed", exit_code=0, fail_on="error"))
    said = why(passed)
    assert said.startswith("Nothing was found that fails this audit. To be looked at before training: ")
    assert said.endswith(". 1 of 3 checks could not be evaluated.")


@pytest.mark.parametrize(("verdict", "named"), [("passed", True), ("not enough seen", True), ("incomplete", False)])
def test_a_pass_over_warnings_names_them_and_over_notes_it_does_not(small_result, verdict, named):
    gate = Gate(verdict=verdict, exit_code=0, fail_on="error")

    def told(severity: Severity) -> str:
        outcomes = tuple(
            replace(
                outcome,
                verdict=outcome.verdict
                and replace(outcome.verdict, findings=tuple(replace(f, severity=severity) for f in outcome.verdict.findings)),
            )
            for outcome in small_result.outcomes
        )
        return why(replace(small_result, gate=gate, outcomes=outcomes))

    title = "To be looked at before training: The class can be told from the bits stored"
    assert (title in told(Severity.WARNING)) == named
    assert "To be looked at" not in told(Severity.INFO)


def test_what_was_not_seen_waived_or_not_honoured_stands_beside_the_verdict(small_result):
    gate = Gate(
        verdict="not enough seen", exit_code=0, fail_on="error", reasons=("no label was found",),
        questions=(Question(subject="files", asked=True), Question(subject="splits", asked=False, why="none declared")),
        waived=2, set_aside=("[severity] LK001",),
    )  # fmt: skip
    assert why(replace(small_result, gate=gate)) == (
        "Nothing was found that fails this audit, but nobody can say yet that all is well. No label was found. "
        "To be looked at before training: The class can be told from the bits stored and 1 more field. "
        "1 of 2 important questions could be asked (splits: none declared). 2 findings waived. "
        "1 setting of the dataset's own medaudit.toml not honoured."
    )


def test_a_place_is_said_once():
    assert place(Location(path="a/x.png", record="x.png", line=1200, field="KVP")) == "a/x.png, row 1,200, field KVP"
    assert place(Location(record="7")) == "record 7"
    assert place(Location()) == ""
