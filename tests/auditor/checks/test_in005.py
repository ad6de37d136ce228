import dataclasses

import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in005 import EmptyLabel
from auditor.evidence.masks.mask_facts import mask_frame
from auditor.values.results import Severity


def test_blank_labels_are_warnings() -> None:
    verdict = EmptyLabel().run(make_dataset(labels=["a", "b", None, *["a"] * 20]))
    assert [(f.where.record, f.subject, f.severity) for f in verdict.findings] == [("r0002", "blank label", Severity.WARNING)]


def test_blanks_of_many_records_are_one_warning_and_a_table_that_lists_them() -> None:
    verdict = EmptyLabel().run(make_dataset(labels=[*[None] * 12, *["a", "b"] * 40]))
    (finding,) = verdict.findings
    assert (finding.severity, finding.where.record, finding.subject) == (Severity.WARNING, None, "blank label")
    assert finding.message.startswith("12 records, listed in the table `files` of this check: the record has no label.")
    records = next(c for c in verdict.tables[0].columns if c.name == "record").values
    assert records == [f"r{i:04d}" for i in range(12)]
    assert verdict.metrics["records_without_label"] == 12


def test_another_kind_of_blank_stands_beside_the_one_of_many_records() -> None:
    rows = [
        {"path": f"m{i}.png", "record": f"r{i:04d}", "foreground_fraction": 0.0 if i == 40 else 0.2, "problem": ""}
        for i in range(92)
    ]
    dataset = dataclasses.replace(make_dataset(labels=[*[None] * 12, *["a", "b"] * 40]), masks=mask_frame(rows))
    assert {(f.subject, f.where.path) for f in EmptyLabel().run(dataset).findings} == {
        ("blank label", None),
        ("empty mask", "m40.png"),
    }


def test_many_blanks_are_an_unlabelled_pool() -> None:
    verdict = EmptyLabel().run(make_dataset(labels=["a", None] * 20))
    assert [(f.severity, f.evidence["records"]) for f in verdict.findings] == [(Severity.INFO, 20)]


def test_uncertain_is_no_blank_and_not_assessed_is() -> None:
    dataset = make_dataset(states={"x": [1, 0, -1, -3, *[0] * 10], "y": [0, 1, -2, -3, *[1] * 10]})
    assert [f.where.record for f in EmptyLabel().run(dataset).findings] == ["r0003"]


def test_an_empty_mask_among_full_ones_is_found() -> None:
    rows = [
        {"path": f"m{i}.png", "record": f"r{i:04d}", "foreground_fraction": 0.0 if i == 4 else 0.2, "problem": ""}
        for i in range(20)
    ]
    dataset = dataclasses.replace(make_dataset(n=20), masks=mask_frame(rows))
    assert [(f.where.path, f.subject) for f in EmptyLabel().run(dataset).findings] == [("m4.png", "empty mask")]


def without_masks(*missing: int, splits: list[str] | None = None, **more: object) -> list[str | None]:
    drawn = [None if i in missing else f"m{i}.png" for i in range(20)]
    dataset = make_dataset(n=20, columns={"mask": drawn}, splits=splits, **more)  # type: ignore[arg-type]
    rows = [
        {"path": f"m{i}.png", "record": f"r{i:04d}", "foreground_fraction": 0.2, "problem": ""}
        for i in range(20)
        if i not in missing
    ]
    found = EmptyLabel().run(dataclasses.replace(dataset, masks=mask_frame(rows))).findings
    return [f.where.record for f in found if f.subject == "no mask"]


def test_an_image_without_a_mask_among_others_that_have_one_is_told() -> None:
    assert without_masks(3, 11) == ["r0003", "r0011"]


def test_images_without_masks_are_none_where_their_split_has_none_or_something_else_is_learnt() -> None:
    assert without_masks(16, 17, 18, 19, splits=["train"] * 16 + ["test"] * 4) == []
    assert without_masks(*range(0, 20, 2)) == []
    assert without_masks(3, labels=["a", "b"] * 10) == []


@pytest.mark.parametrize("bare", [6, 10, 18])
def test_many_images_without_masks_are_one_warning_and_never_silence(bare: int) -> None:
    dataset = make_dataset(n=20, columns={"mask": [None] * bare + [f"m{i}.png" for i in range(20 - bare)]})
    rows = [
        {"path": f"m{i}.png", "record": f"r{bare + i:04d}", "foreground_fraction": 0.2, "problem": ""} for i in range(20 - bare)
    ]
    (finding,) = EmptyLabel().run(dataclasses.replace(dataset, masks=mask_frame(rows))).findings
    assert (finding.subject, finding.severity) == ("undrawn part", Severity.WARNING)
    assert finding.message.startswith(f"{bare} of 20 images have no mask")


def test_neither_labels_nor_masks_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="neither labels nor masks"):
        EmptyLabel().run(make_dataset(n=4))
