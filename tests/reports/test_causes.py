"""What to do first: causes in words, told once, ordered by harm and by how many records they touch."""

from dataclasses import replace

import pytest

from auditor.values.results import (
    Column,
    DatasetSummary,
    Finding,
    Gate,
    Guess,
    Location,
    Outcome,
    ScanResult,
    Severity,
    Table,
    Verdict,
)
from reports.causes import causes, sentence
from reports.headline import why

TWO = ("normal", "pneumonia")


def leak(code, target="normal", *, field=None, severity=Severity.WARNING, score=0.9, **evidence):
    message = f"{field or code} tells {target} from the rest: AUC 0.90 (0.80–0.95); no usable patient ids"
    return Finding(
        code=code, severity=severity, message=message, where=Location(field=field), score=score,
        evidence={"class": target, **evidence},
    )  # fmt: skip


def of_records(code, count, *, severity=Severity.WARNING, message="The image looks blurred: sharpness 0.2"):
    return [
        Finding(code=code, severity=severity, message=message, where=Location(path=f"{i}.png", record=f"{i}.png"))
        for i in range(count)
    ]


def outcome(code, findings, *, summary="", **metrics):
    verdict = Verdict(summary=summary or f"{code} found something", findings=tuple(findings), metrics=metrics)
    return Outcome(code=code, name=code.lower(), title=code, status="failed", verdict=verdict)


def result(*outcomes, records=100, classes=TWO, guesses=(), fail_on="error"):
    summary = DatasetSummary(name="my data", layout="table", task="single", classes=classes, counts={}, guesses=guesses)
    failing = any(f.severity is Severity.ERROR for o in outcomes for f in o.verdict.findings)
    reasons = ("3 findings at or above error: LK001 2, SP003 1",) if failing else ()
    gate = Gate(verdict="failed" if failing else "passed", exit_code=int(failing), fail_on=fail_on, reasons=reasons)
    return ScanResult(
        schema_version=2, tool_version="0", dataset=summary, records=records, outcomes=tuple(outcomes), gate=gate
    )  # fmt: skip


def test_checks_that_tell_the_same_class_are_one_cause_named_by_what_explains_most():
    found = causes(
        result(
            outcome("LK005", [leak("LK005", field="intensity.p95", group="brightness", score=1.0)]),
            outcome(
                "LK001",
                [
                    leak("LK001", field="container.height", severity=Severity.ERROR, score=1.0),
                    leak("LK001", field="container.bit_depth", severity=Severity.ERROR, score=0.9),
                ],
            ),
            outcome("LK006", [leak("LK006", part="border")]),
        )
    )
    assert [c.codes for c in found] == [("LK001", "LK005", "LK006")]
    assert found[0].title == "The class can be told from the height and 1 more field"
    assert found[0].severity is Severity.ERROR
    assert found[0].command == "medaudit fix 'my data' --strategy harmonise"
    assert found[0].extent == "100 of 100 records"


def test_how_a_file_was_written_goes_before_a_file_size_that_may_follow_the_picture():
    found = causes(
        result(
            outcome(
                "LK001",
                [
                    leak("LK001", field="container.file_size", score=1.0),
                    leak("LK001", field="container.bit_depth", score=0.8),
                ],
            )
        )
    )
    assert found[0].title == "The class can be told from the bit depth and 1 more field"


def test_leaks_of_different_classes_are_different_causes():
    found = causes(
        result(
            outcome("LK001", [leak("LK001", "a", field="container.bit_depth")]),
            outcome("LK006", [leak("LK006", "b", part="outside the body")]),
            classes=("a", "b", "c"),
        )
    )
    assert sorted(c.title for c in found) == [
        "Class a can be told from the bit depth", "Class b can be told from what lies outside the body",
    ]  # fmt: skip


def test_one_picture_with_two_labels_is_said_so():
    disputed = Finding(code="SP003", severity=Severity.ERROR, message="1 image has labels that contradict each other")
    found = causes(
        result(outcome("SP003", [disputed], groups_contradicting=1, records_contradicting=2)),
    )
    assert found[0].title == "One picture carries two labels"
    assert (found[0].records, found[0].total) == (2, 100)


def test_within_a_severity_harm_times_the_share_of_records_decides_and_not_the_code():
    copies = [Finding(code="SP004", severity=Severity.WARNING, message="Copies")]
    found = causes(
        result(
            outcome("IQ003", of_records("IQ003", 3), images_flagged=3),
            outcome("LK008", [leak("LK008", field="path.order")]),
            outcome("SP004", copies, groups=146, records=42),
            outcome("IN001", of_records("IN001", 1, severity=Severity.ERROR), files_unreadable=1),
        )
    )
    assert [c.codes[0] for c in found] == ["IN001", "LK008", "SP004", "IQ003"]
    assert [c.records for c in found] == [1, 100, 42, 3]


def test_notes_and_waived_findings_are_no_cause():
    waived = replace(leak("LK001", field="container.bit_depth"), waived="known")
    note = replace(leak("LK005", group="brightness"), severity=Severity.INFO)
    assert causes(result(outcome("LK001", [waived]), outcome("LK005", [note]))) == ()


def test_a_command_names_the_roles_that_the_user_named():
    guesses = (
        Guess(role="label", value="what it is", confidence=1, why="given", pinned=True, column="what it is"),
        Guess(role="patient", value="id", confidence=0.9, why="called so", column="id"),
    )
    (found,) = causes(
        result(outcome("SP001", [*of_records("SP001", 2, severity=Severity.ERROR)], patients_shared=2), guesses=guesses)
    )
    assert found.title == "2 patients stand in more than one split"
    assert found.command == "medaudit fix 'my data' --strategy resplit --label 'what it is'"


def test_of_readings_alone_a_label_is_made_and_none_is_corrected():
    given = result(outcome("ED001", of_records("ED001", 1, message="Krippendorff's alpha is 0.3")))
    (found,) = causes(given)
    assert found.command == "medaudit fix 'my data' --strategy consensus"
    (found,) = causes(replace(given, dataset=replace(given.dataset, task="none", classes=())))
    assert found.command == "medaudit consensus TABLE -o labels.csv"


def test_the_verdict_is_told_in_the_same_words():
    disputed = Finding(code="SP003", severity=Severity.ERROR, message="1 image has labels that contradict each other")
    told = why(
        result(
            outcome("LK001", [leak("LK001", field="container.bit_depth", severity=Severity.ERROR)]),
            outcome("SP003", [disputed], groups_contradicting=1),
        )
    )
    assert told == "The class can be told from the bit depth. One picture carries two labels."


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("bit depth (container.bit_depth) differs; q = 0.01", "Bit depth differs"),
        ("3 of 9 images are blank. Take them again", "3 of 9 images are blank"),
        ("word " * 60, "W" + "ord " + "word " * 26 + "word …"),
        ("they agree in 78% of pairs (p = 3e-08 over 3 readers); look", "They agree in 78% of pairs"),
        ("word " * 20 + "(that is " + "long " * 20 + ")", "W" + "ord " + "word " * 18 + "word …"),
    ],
)
def test_a_sentence_is_the_first_clause_in_plain_words(message, words):
    assert sentence(message) == words


@pytest.mark.parametrize(
    ("groups", "across", "told"),
    [
        (1, 1, "1 picture is there again, slightly altered, in several splits"),
        (3, 3, "3 pictures are there again, slightly altered, in several splits"),
        (3, 1, "3 pictures are there again, slightly altered, 1 of them in several splits"),
        (3, 0, "3 pictures are there again, slightly altered"),
    ],
)
def test_copies_are_told_with_how_many_stand_in_several_splits(groups, across, told):
    copies = [Finding(code="SP004", severity=Severity.WARNING, message="Copies")]
    (found,) = causes(result(outcome("SP004", copies, groups=groups, groups_across_splits=across)))
    assert found.title == told


@pytest.mark.parametrize(
    ("message", "title"),
    [
        (
            "column 3 may repeat the label, or only so few records make it seem so; it tells a from the rest: AUC 1.0",
            "Column 3 may repeat the label, or only so few records make it seem so",
        ),
        ("column target repeats the label; it tells a from the rest: AUC 1.0", "Column target repeats the label"),
        ("site tells a from the rest: AUC 0.9", "The class can be told from site"),
    ],
)
def test_a_message_that_says_more_than_what_tells_is_no_name_of_what_tells(message, title):
    finding = Finding(code="LK004", severity=Severity.WARNING, message=message, where=Location(field="x"), score=1.0)
    assert causes(result(outcome("LK004", [finding])))[0].title == title


def test_one_finding_for_many_records_is_told_by_what_the_check_says_of_them():
    finding = Finding(
        code="IN005", severity=Severity.WARNING, message="21 records, listed in the table `files` of this check: no label"
    )
    told = outcome("IN005", [finding], summary="21 of 240 records have no label or an empty mask")
    assert causes(result(told))[0].title == "21 of 240 records have no label or an empty mask"


def test_records_that_stand_in_several_pairs_of_splits_are_counted_once():
    pairs = [
        Finding(
            code="SP001",
            severity=Severity.ERROR,
            message="3 patients stand in both",
            evidence={"records_a": 40, "records_b": 20},
        )
        for _ in range(3)
    ]
    listed = Table(name="records", title="t", columns=(Column(name="record", kind="record", values=["r"] * 70),))
    told = outcome("SP001", pairs)
    assert causes(result(told))[0].records == 100
    told = replace(told, verdict=replace(told.verdict, tables=(listed,)))
    assert causes(result(told))[0].records == 70
