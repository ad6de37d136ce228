"""How much a scan could look at."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest
from builders import make_dataset

from auditor.seen import seen_of
from auditor.values.dataset import Dataset, Problem
from auditor.values.drawings import NOT_DRAWN, Drawings
from auditor.values.results import Coverage, Finding, Location, Outcome, Severity, Verdict

CODES = ("IN001", "IN012", "SP001", "SP002", "SP006", "LK001", "LN002", "ED001", "PH007", "SZ001")


def outcomes(*skipped: str, codes: Sequence[str] = CODES) -> tuple[Outcome, ...]:
    seen = Verdict(summary="s", coverage=Coverage(evaluated=9, total=9))
    return tuple(
        Outcome(code=code, name="n", title="t", status="skipped", reason="why")
        if code in skipped
        else Outcome(code=code, name="n", title="t", status="passed", verdict=seen)
        for code in codes
    )


def labelled(n: int = 20, **more: object) -> Dataset:
    return make_dataset(n=n, labels=["a", "b"] * (n // 2), **more)  # type: ignore[arg-type]


def asked(dataset: Dataset, *skipped: str, codes: Sequence[str] = CODES) -> dict[str, str]:
    """Subject → what it lacks."""
    return {q.subject: q.why for q in seen_of(dataset, outcomes(*skipped, codes=codes)).questions}


def problems(kind: str, *paths: str) -> tuple[Problem, ...]:
    return tuple(Problem(kind=kind, path=path, reason="why") for path in paths)


def test_labels_patients_and_splits_are_enough() -> None:
    patients, splits = [f"p{k // 2}" for k in range(20)], ["train"] * 10 + ["test"] * 10
    seen = seen_of(labelled(patients=patients, splits=splits), outcomes())
    assert (seen.gaps, seen.grave) == ((), False)
    assert all(q.asked for q in seen.questions)


def test_class_folders_without_ids_pass_and_say_what_was_not_asked() -> None:
    seen = seen_of(labelled(), outcomes("SP001", "SP006", "ED001"))
    assert not seen.gaps
    told = {q.subject: q.why for q in seen.questions if not q.asked}
    assert told == {"patients": "cannot be told", "splits": "none declared"}


def test_a_table_of_images_that_nobody_saw_is_no_pass() -> None:
    """The table names images, and not one of them was there: labels and ids were looked at, pictures were not."""
    seen = seen_of(labelled(), outcomes("IN001", "SP002"))
    assert seen.gaps == ("not one of the image files that are named was there to be looked at",)
    assert not seen.grave


def test_without_any_label_there_is_not_enough_to_judge() -> None:
    seen = seen_of(make_dataset(n=20), outcomes("LK001", "LN002"))
    assert any("no label was found" in gap for gap in seen.gaps)
    assert not seen.grave


@pytest.mark.parametrize(
    ("code", "subject"),
    [
        ("LN007", "wrong labels"),
        ("LN009", "wrong labels"),
        ("LN004", "wrong labels"),
        ("LN008", "wrong labels"),
        ("LK003", "shortcuts"),
        ("LK004", "shortcuts"),
    ],
)
def test_a_check_that_is_beside_the_point_answers_no_question(code: str, subject: str) -> None:
    """Where the checks that judge were left out, spellings, rules between columns and words in paths do not stand for them."""
    codes = (*CODES, code)
    assert asked(labelled(), "LK001", "LN002", codes=codes)[subject]
    assert not asked(labelled(), codes=codes)[subject]


def test_a_few_labels_among_many_records_are_told() -> None:
    dataset = make_dataset(n=20, labels=["a", "b", *[None] * 18])
    assert asked(dataset)["labels"] == "2 of 20 records have one"

    assert "few labels: 2 of 20 records have one" in seen_of(dataset, outcomes()).gaps


@pytest.mark.parametrize(
    ("bare", "why"), [(0, ""), (9, ""), (10, "10 of 20 images have a mask"), (19, "1 of 20 images have a mask")]
)
def test_where_half_of_the_masks_are_missing_it_is_no_pass(bare: int, why: str) -> None:
    dataset = make_dataset(n=20, columns={"mask": [None] * bare + [f"m{i}.png" for i in range(20 - bare)]})
    assert asked(dataset)["labels"] == why
    assert any(gap.startswith("few labels") for gap in seen_of(dataset, outcomes()).gaps) is bool(why)


def test_a_split_without_any_mask_is_meant() -> None:
    drawn: list[str | None] = [*(f"m{i}.png" for i in range(5)), *[None] * 15]
    assert asked(make_dataset(n=20, columns={"mask": drawn}, splits=["train"] * 5 + ["test"] * 15))["labels"] == ""


def test_places_where_labels_may_lie_unread_are_no_folders_and_are_counted() -> None:
    dataset = replace(labelled(), problems=problems("unused-table", *(f"S/IM{k:04d}" for k in range(5))))
    assert (
        "labels may lie unread in S/IM0000, S/IM0001, S/IM0002 and 2 more places (IN014)" in seen_of(dataset, outcomes()).gaps
    )


def test_nobody_misses_a_label_who_asked_for_privacy_alone() -> None:
    seen = seen_of(make_dataset(n=20), outcomes(codes=("PH007",)))
    assert (seen.gaps, [q.subject for q in seen.questions]) == ((), ["privacy"])


def test_readings_are_labels_and_call_for_readers_but_for_no_splits() -> None:
    dataset = make_dataset(n=20, readings={"r1": ["a"] * 20, "r2": ["b"] * 20})
    dataset = replace(dataset, records=dataset.records.assign(path=None))
    told = asked(dataset, "LK001", "LN002")
    assert told["labels"] == told["readers"] == ""
    assert "splits" not in told


@pytest.mark.parametrize("kind", ["unsupported", "missing-codec", "memory", "timeout", "unread"])
def test_one_file_that_could_not_be_read_is_no_pass(kind: str) -> None:
    dataset = replace(labelled(), problems=problems(kind, "x/odd.png"))
    seen = seen_of(dataset, outcomes())
    assert "1 of 21 image files could not be read" in seen.gaps
    assert not seen.grave


def test_a_whole_family_of_unread_files_is_grave() -> None:
    dataset = replace(labelled(), problems=problems("unsupported", *(f"v{k}.mha" for k in range(4))))
    seen = seen_of(dataset, outcomes())
    assert seen.grave
    assert "among them all of the .mha files" in seen.gaps[0]


def test_files_that_were_accepted_by_a_waiver_are_no_gap() -> None:
    dataset = replace(labelled(), problems=problems("unsupported", "x/odd.png"))
    accepted = Finding(
        code="IN001", severity=Severity.WARNING, message="m", where=Location(path="x/odd.png"), waived="a scout film"
    )
    verdict = Verdict(summary="s", findings=(accepted,), coverage=Coverage(evaluated=20, total=21))
    seen = seen_of(dataset, (*outcomes()[1:], Outcome(code="IN001", name="n", title="t", status="failed", verdict=verdict)))
    assert not seen.gaps


def test_a_label_file_that_lies_unused_is_grave_and_named() -> None:
    seen = seen_of(replace(labelled(), problems=problems("unused-table", "labels.csv")), outcomes())
    assert seen.grave
    assert "1 label file lies there unused: labels.csv" in seen.gaps


@pytest.mark.parametrize(("count", "name", "enough"), [(1, "set", True), (4, "set", False), (4, "test.csv", True)])
def test_images_that_nothing_names_were_not_looked_at(count: int, name: str, enough: bool) -> None:
    dataset = labelled(patients=[f"p{k // 2}" for k in range(20)])
    left = replace(
        dataset,
        summary=replace(dataset.summary, name=name),
        problems=(
            *problems("unlisted", *(f"more/{i}.png" for i in range(count))),
            *problems("unlisted", *dataset.records["path"]),
        ),
    )
    gaps = seen_of(left, outcomes()).gaps
    assert (gaps == ()) is enough
    assert enough or gaps == ("4 of 24 images are named by nothing, and were not looked at",)


def test_a_check_that_looked_at_nothing_did_not_ask() -> None:
    blind = Verdict(summary="s", coverage=Coverage(evaluated=0, total=20))
    seen = seen_of(labelled(), (Outcome(code="IN001", name="n", title="t", status="passed", verdict=blind),))
    assert [q.asked for q in seen.questions] == [False]


def test_why_shortcuts_were_not_asked_is_what_holds() -> None:
    silent = ("LK001", "LK002", "LK005", "LK006", "LK007")
    assert asked(labelled(), *silent)["shortcuts"] == "cannot be told"
    assert asked(make_dataset(n=20), *silent)["shortcuts"] == "no class to be given away"


def test_most_questions_unasked_is_not_enough() -> None:
    seen = seen_of(labelled(), outcomes("IN001", "SP002", "LN002", "LK001", "PH007"))
    assert any("most of the questions that matter" in gap for gap in seen.gaps)


def test_a_selection_that_could_look_at_nothing_is_not_enough() -> None:
    seen = seen_of(labelled(), outcomes("IQ001", codes=("IQ001",)))
    assert seen.gaps == ("no check could look at anything",)


@pytest.mark.parametrize(
    ("severity", "score", "evidence", "enough"),
    [
        (Severity.WARNING, 1.0, {"kind": "encoding", "patients": None, "low_without_ids": 0.7}, False),
        (Severity.INFO, 1.0, {"kind": "encoding", "patients": None, "survives_decoding": True}, False),
        (Severity.INFO, 1.0, {"kind": "encoding", "patients": None, "survives_decoding": False}, True),
        (Severity.WARNING, 0.9, {"kind": "encoding", "patients": None, "low_without_ids": 0.6}, True),
        (Severity.WARNING, 0.9, {"kind": "encoding", "patients": None, "low_without_ids": 0.6, "low_of_records": 0.8}, False),
        (Severity.INFO, 0.9, {"kind": "encoding", "patients": None, "low_without_ids": 0.4, "low_of_records": 0.8}, False),
        (Severity.INFO, 1.0, {"kind": "clinical", "patients": None}, True),
        (Severity.WARNING, 1.0, {"kind": "encoding", "patients": 40}, True),
        (Severity.ERROR, 1.0, {"kind": "encoding", "patients": None}, True),  # fails by itself
    ],
)
def test_a_field_that_parts_the_classes_without_ids_is_no_pass(
    severity: Severity, score: float, evidence: dict[str, object], enough: bool
) -> None:
    finding = Finding(code="LK001", severity=severity, message="m", where=Location(field="f"), score=score, evidence=evidence)
    told = Verdict(summary="s", coverage=Coverage(evaluated=9, total=9), findings=(finding,))
    every = tuple(replace(o, status="failed", verdict=told) if o.code == "LK001" else o for o in outcomes())
    assert (seen_of(labelled(), every).gaps == ()) is enough


def test_boxes_are_not_asked_for_masks() -> None:
    boxes = pd.DataFrame({"record": ["r0"], "label": ["cell"], "x0": [0.0], "y0": [0.0], "x1": [2.0], "y1": [2.0]})
    assert "masks" not in asked(replace(make_dataset(n=20), boxes=boxes), "IN012")


@pytest.mark.parametrize(("low", "enough"), [(0.0, True), (0.02, True), (0.05, False), (None, True)])
def test_labels_that_may_be_wrong_and_cannot_be_judged_are_no_pass(low: float | None, enough: bool) -> None:
    metrics = {
        "verdict": "cannot tell",
        "label_noise_fraction_low": low,
        "label_noise_fraction_high": None if low is None else 0.18,
    }
    unsure = Outcome(
        code="LN001", name="n", title="t", status="skipped", reason="too few", verdict=Verdict(summary="s", metrics=metrics)
    )
    gaps = seen_of(labelled(), (*outcomes("LN002"), unsure)).gaps
    assert (not gaps) == enough
    assert enough or "5% to 18% of them may be" in gaps[0]


def test_ids_that_may_be_patients_on_both_sides_are_no_pass() -> None:
    finding = Finding(
        code="SP006", severity=Severity.WARNING, message="m", subject="leading ids", where=Location(field="path"),
        evidence={"leading_ids": 80, "in_several_splits": 60, "records": 180},
    )  # fmt: skip

    def gaps(found: Finding) -> tuple[str, ...]:
        verdict = Verdict(summary="s", findings=(found,), coverage=Coverage(evaluated=0, total=20))
        told = Outcome(code="SP006", name="n", title="t", status="failed", verdict=verdict)
        return seen_of(labelled(), (*outcomes(codes=("IN001", "SP002", "LK001", "LN002")), told)).gaps

    assert "60 of 80 numbers that file names hold" in gaps(finding)[0]
    assert "60 of 80 codes in a column" in gaps(replace(finding, where=Location(field="table.bogen")))[0]
    assert not gaps(replace(finding, waived="slides, not patients"))


@pytest.mark.parametrize(("across", "enough"), [(0, True), (1, True), (2, False), (40, False)])
def test_ids_written_in_one_way_here_and_another_there_are_no_pass(across: int, enough: bool) -> None:
    finding = Finding(
        code="SP007", severity=Severity.WARNING, message="m", subject="spelling",
        evidence={"groups": 40, "ids": 80, "across_splits": across, "spelled_across_splits": across},
    )  # fmt: skip

    def gaps(found: Finding) -> tuple[str, ...]:
        verdict = Verdict(summary="s", findings=(found,), coverage=Coverage(evaluated=20, total=20))
        told = Outcome(code="SP007", name="n", title="t", status="failed", verdict=verdict)
        return seen_of(labelled(), (*outcomes(codes=("IN001", "SP002", "LK001", "LN002")), told)).gaps

    assert (not gaps(finding)) == enough
    assert not gaps(replace(finding, waived="two hospitals"))


@pytest.mark.parametrize(
    ("metrics", "told"),
    [({"masks": 30}, False), ({"masks_on_edges": 28}, True), ({"masks": 30, "scored_masks": 30}, True)],
)
def test_masks_of_an_ordinary_shape_may_still_lie_in_the_wrong_place(metrics: dict[str, int], told: bool) -> None:
    dataset = make_dataset(n=20)
    dataset = replace(dataset, records=dataset.records.assign(mask="m.png"))
    judged = Outcome(code="LN005", name="n", title="t", status="passed", verdict=Verdict(summary="s", metrics=metrics))
    why = {q.subject: q.why for q in seen_of(dataset, (*outcomes(), judged)).questions}
    assert (why["wrong masks"] == "") == told
    assert "wrong boxes" not in why


@pytest.mark.parametrize(("metrics", "told"), [({"boxes": 30}, False), ({"boxes": 30, "predictions": "boxes.json"}, True)])
def test_boxes_inside_their_pictures_may_still_hold_the_wrong_thing(metrics: dict[str, object], told: bool) -> None:
    boxes = pd.DataFrame({"record": ["r0"], "label": ["cell"], "x0": [0.0], "y0": [0.0], "x1": [2.0], "y1": [2.0]})
    judged = Outcome(code="LN006", name="n", title="t", status="passed", verdict=Verdict(summary="s", metrics=metrics))  # type: ignore[arg-type]
    why = {q.subject: q.why for q in seen_of(replace(make_dataset(n=20), boxes=boxes), (*outcomes(), judged)).questions}
    assert (why["wrong boxes"] == "") == told


def test_outlines_that_were_not_drawn_are_a_question_that_was_not_asked() -> None:
    """Whether they hold anything, no check has seen."""
    dataset = make_dataset(n=20)
    drawn = replace(dataset, summary=replace(dataset.summary, counts={**dataset.summary.counts, "outlines": 24}))
    found = {q.subject: q for q in seen_of(drawn, outcomes(codes=("IN001", "LN006"))).questions}
    assert not found["outlines"].asked
    assert "never drawn" in found["outlines"].why
    assert seen_of(drawn, outcomes(codes=("IN001", "LN006"))).gaps[-1].startswith("outlines: 24 were never drawn")
    assert "outlines" not in {q.subject for q in seen_of(dataset, outcomes(codes=("IN001", "LN006"))).questions}


@pytest.mark.parametrize(("left", "is_gap"), [(0, False), (2, False), (30, True)])
def test_outlines_some_of_which_were_not_drawn_say_how_many_and_many_are_no_pass(left: int, is_gap: bool) -> None:
    dataset = make_dataset(n=20)
    problems = [f"{NOT_DRAWN}the picture has more than 9 pixels"] * left + [""] * (100 - left)
    objects = pd.DataFrame({"box": range(100), "problem": problems})
    drawings = Drawings(objects=objects, pairs=pd.DataFrame(), images=pd.DataFrame())
    counts = {**dataset.summary.counts, "outlines": 100}
    seen = seen_of(
        replace(dataset, drawings=drawings, summary=replace(dataset.summary, counts=counts)), outcomes(codes=("IN001", "LN006"))
    )
    (found,) = [question for question in seen.questions if question.subject == "outlines"]
    assert found.asked == (left == 0)
    assert (f"{left} outlines were not drawn: the picture has more" in found.why) == (left > 0)
    assert any(gap.startswith("outlines: ") for gap in seen.gaps) == is_gap


@pytest.mark.parametrize(
    ("code", "severity", "score", "kind", "enough"),
    [
        ("LK001", Severity.WARNING, 1.0, "provenance", False),
        ("LK001", Severity.WARNING, 1.0, "acquisition", False),
        ("LK001", Severity.WARNING, 0.95, "provenance", True),  # prevalence differs between hospitals
        ("LK001", Severity.INFO, 1.0, "provenance", True),  # no model reads it
        ("LK001", Severity.WARNING, 1.0, "encoding", True),  # an error where patients bear it out
        ("LK003", Severity.WARNING, 1.0, "header text", False),
        ("LK003", Severity.WARNING, 1.0, "file name", True),  # `benign (12).png`
        ("LK007", Severity.WARNING, 0.995, None, False),
        ("LK008", Severity.WARNING, 1.0, None, False),
        ("LK004", Severity.WARNING, 1.0, None, True),  # the label in another coding
    ],
)
def test_a_place_time_or_machine_that_parts_the_classes_is_no_pass_even_with_patients(
    code: str, severity: Severity, score: float, kind: str | None, enough: bool
) -> None:
    evidence = {"auc": score, "patients": 90, **({} if kind is None or code == "LK003" else {"kind": kind})}
    where = Location(field=kind if code == "LK003" else "f")
    finding = Finding(code=code, severity=severity, message="m", where=where, score=score, evidence=evidence)
    told = Verdict(summary="s", coverage=Coverage(evaluated=9, total=9), findings=(finding,))
    rest = [o for o in outcomes() if o.code != code]
    every = (*rest, Outcome(code=code, name="n", title="t", status="failed", verdict=told))
    gaps = seen_of(labelled(), every).gaps
    assert (gaps == ()) is enough
    assert enough or f"({code})" in gaps[0]
    waived = replace(told, findings=(replace(finding, waived="by design"),))
    assert seen_of(labelled(), (*rest, replace(every[-1], verdict=waived))).gaps == ()
