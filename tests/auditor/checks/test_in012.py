import dataclasses

import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in012 import MaskValues
from auditor.evidence.masks.mask_facts import mask_frame
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def masks(values: list[str], *, distinct: dict[int, float] | None = None, fraction: dict[int, float] | None = None) -> Dataset:
    rows = [
        {
            "path": f"m{i}.png", "record": f"r{i:04d}", "values": text, "problem": "",
            "distinct": (distinct or {}).get(i, float(len(text.split()))), "fraction_values": (fraction or {}).get(i, 0.0),
        }
        for i, text in enumerate(values)
    ]  # fmt: skip
    return dataclasses.replace(make_dataset(n=len(values)), masks=mask_frame(rows))


def test_a_value_that_was_not_declared_is_an_error() -> None:
    verdict = MaskValues(values=(0, 1, 2)).run(masks(["0 1", "0 1 2", "0 7"]))
    assert [(f.where.path, f.severity) for f in verdict.findings] == [("m2.png", Severity.ERROR)]
    assert verdict.findings[0].message.startswith("The mask holds 7; declared are 0, 1, 2")


def test_a_stray_among_many_masks_is_a_warning() -> None:
    verdict = MaskValues().run(masks(["0 1 2"] * 80 + ["0 1 3"]))
    assert [(f.where.path, f.severity) for f in verdict.findings] == [("m80.png", Severity.WARNING)]


def test_soft_edges_and_fractions_are_warnings() -> None:
    verdict = MaskValues().run(masks(["0 1"] * 10, distinct={3: 180.0}, fraction={5: 0.5}))
    assert [(f.where.path, f.subject) for f in verdict.findings] == [("m3.png", "soft"), ("m5.png", "not whole")]


def test_masks_of_the_same_values_are_silent() -> None:
    assert MaskValues().run(masks(["0 255"] * 60)).findings == ()


def test_numbered_objects_and_no_masks_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="number their objects"):
        MaskValues().run(masks(["0 1 2"] * 4, distinct={0: 90.0, 1: 70.0, 2: 66.0}))
    with pytest.raises(SkipCheck, match="no masks"):
        MaskValues().run(make_dataset(n=3))


@pytest.mark.parametrize(("white", "small", "told"), [(3, 9, "255"), (9, 3, "1")])
def test_two_ways_of_writing_one_object_are_told_by_the_rarer(white: int, small: int, told: str) -> None:
    findings = MaskValues().run(masks(["0 255"] * white + ["0 1"] * small + ["0"])).findings
    assert len(findings) == 3
    assert all(f.message.startswith(f"The mask holds {told};") for f in findings)


@pytest.mark.parametrize("values", [["0 1", "0 2"] * 6, ["0 1 255"] * 6 + ["0 1"] * 6, ["0 1 2 4"] * 8 + ["0 1"] * 4])
def test_values_of_a_few_masks_that_may_be_classes_are_silent(values: list[str]) -> None:
    assert MaskValues().run(masks(values)).findings == ()


def test_a_value_of_few_masks_that_does_not_follow_on_the_others_is_told() -> None:
    findings = MaskValues().run(masks(["0 1 2"] * 10 + ["0 1 2 7"] * 2)).findings
    assert [f.where.path for f in findings] == ["m10.png", "m11.png"]
    assert MaskValues().run(masks(["0 1 2"] * 10 + ["0 1 2 3"] * 2)).findings == ()


@pytest.mark.parametrize(("test_values", "told"), [("0 1 2", True), ("0 1 2 3", False)])
def test_a_class_that_no_mask_of_a_split_holds_is_told(test_values: str, told: bool) -> None:
    dataset = masks([*["0 1 2 3"] * 30, *[test_values] * 10])
    dataset.records["split"] = ["train"] * 30 + ["test"] * 10
    found = [f for f in MaskValues().run(dataset).findings if f.subject == "3 / test"]
    assert [f.severity for f in found] == [Severity.WARNING] * told
    assert not told or "None of the 10 masks of test holds 3, which 30 of 30 others hold" in found[0].message


def test_masks_of_one_object_in_a_split_without_any_are_no_lacking_class() -> None:
    dataset = masks([*["0 1"] * 30, *["0"] * 10])
    dataset.records["split"] = ["train"] * 30 + ["test"] * 10
    assert MaskValues().run(dataset).findings == ()
