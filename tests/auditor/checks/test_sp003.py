import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sp003 import ContradictingLabels
from auditor.stages.link import link
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict


def run(dataset: Dataset, **options: float) -> Verdict:
    return ContradictingLabels(**options).run(link(dataset))  # type: ignore[arg-type]


def rows(verdict: Verdict) -> list[dict[str, object]]:
    (table,) = verdict.tables
    assert table.name == "groups"
    return [
        dict(zip([c.name for c in table.columns], cells, strict=True))
        for cells in zip(*(c.values for c in table.columns), strict=True)
    ]


def test_the_minority_of_a_group_is_likely_wrong() -> None:
    verdict = run(make_dataset(labels=["x", "y", "x", "x", "y"], same_pixels=["p", "p", "p", "q", "q"]))
    dataset_wide, three, two = verdict.findings
    assert dataset_wide.severity is Severity.ERROR
    assert dataset_wide.evidence == {"groups": 2, "records": 5, "records_likely_wrong": 1}
    assert three.where.record == "r0001"
    assert "likely wrong" in three.message
    assert two.where.record == "r0003"
    assert "no majority" in two.message
    assert [(r["group"], r["record"], r["label"], r["majority"], r["likely_wrong"]) for r in rows(verdict)] == [
        (1, "r0000", "x", "x", False),
        (1, "r0001", "y", "x", True),
        (1, "r0002", "x", "x", False),
        (2, "r0003", "x", None, False),
        (2, "r0004", "y", None, False),
    ]
    assert verdict.metrics["groups_contradicting"] == 2
    assert verdict.metrics["records_likely_wrong"] == 1


def test_copies_with_one_label_are_silent() -> None:
    verdict = run(make_dataset(labels=["x", "x", "y", "y"], same_pixels=["p", "p", "q", "r"]))
    assert verdict.findings == ()
    assert verdict.metrics["groups"] == 1
    assert verdict.summary.startswith("No contradiction")


def test_an_image_listed_in_two_rows_with_two_labels_is_found_without_pixels() -> None:
    dataset = make_dataset(labels=["x", "y", "y"], paths=["a.png", "a.png", "b.png"], columns={"line": [2, 3, 4]})
    verdict = run(dataset)
    assert [(r["path"], r["line"]) for r in rows(verdict)] == [("a.png", 2), ("a.png", 3)]


def test_a_missing_label_contradicts_nothing() -> None:
    verdict = run(make_dataset(labels=["x", None, "y"], same_pixels=["p", "p", "q"]))
    assert verdict.findings == ()
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (2, 3)


def test_the_class_na_is_a_label() -> None:
    assert run(make_dataset(labels=["NA", "x"], same_pixels=["p", "p"])).metrics["groups_contradicting"] == 1


def test_of_several_labels_only_positive_against_negative_contradicts() -> None:
    states = {
        "edema": [1, 0, 1, 1, -1, 1],
        "mass": [1, -2, -3, 0, 0, 0],
    }
    verdict = run(make_dataset(states=states, same_pixels=["p", "p", "p", "q", "q", "s"]))
    assert [(r["record"], r["disputed"], r["majority"], r["likely_wrong"]) for r in rows(verdict)] == [
        ("r0000", "edema", "edema: positive", False),
        ("r0001", "edema", "edema: positive", True),
        ("r0002", "edema", "edema: positive", False),
    ]
    assert verdict.findings[1].message.startswith("The label of edema is likely wrong")
    assert verdict.metrics["groups"] == 2


def test_numbers_contradict_beyond_the_tolerance() -> None:
    dataset = make_dataset(labels=["100", "112", "50", "51"], task="continuous", same_pixels=["p", "p", "q", "q"])
    assert run(dataset).metrics["groups_contradicting"] == 2
    assert run(dataset, tolerance=6).metrics["groups_contradicting"] == 1
    assert run(dataset, tolerance=12).findings == ()


def test_two_lesions_on_one_picture_may_differ_but_a_copied_lesion_may_not() -> None:
    common = {"labels": ["nevus", "melanoma"], "level": "lesion"}
    two = {"lesion": ["L1", "L2"]}
    one_picture = make_dataset(**common, paths=["a.png", "a.png"], columns=two)  # type: ignore[arg-type]
    with pytest.raises(SkipCheck, match="no image is listed twice"):
        run(one_picture)
    same_lesion = make_dataset(**common, paths=["a.png", "a.png"], columns={"lesion": ["L1", "L1"]})  # type: ignore[arg-type]
    assert run(same_lesion).metrics["groups_contradicting"] == 1
    two_files = make_dataset(**common, same_pixels=["p", "p"], columns=two)  # type: ignore[arg-type]
    assert run(two_files).metrics["groups_contradicting"] == 1


def test_without_labels_or_images_it_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="--label"):
        run(make_dataset(same_pixels=["p", "p"]))
    with pytest.raises(SkipCheck, match="neither bytes nor pixels"):
        run(make_dataset(labels=["x", "y"]))


def test_past_max_findings_the_table_still_lists_all() -> None:
    n = 60
    dataset = make_dataset(labels=["x", "y"] * (n // 2), same_pixels=[f"p{i // 2}" for i in range(n)])
    verdict = run(dataset, max_findings=4)
    assert len(verdict.findings) == 5
    assert len(rows(verdict)) == n
