from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sp002 import ExactDuplicate
from auditor.stages.link import link
from auditor.values.results import Finding, Severity, Verdict


def errors(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.findings if f.severity is Severity.ERROR]


def rows(verdict: Verdict) -> list[dict[str, object]]:
    (table,) = verdict.tables
    assert table.name == "pairs"
    return [
        dict(zip([c.name for c in table.columns], cells, strict=True))
        for cells in zip(*(c.values for c in table.columns), strict=True)
    ]


def test_a_copy_in_the_test_split_is_an_error_and_a_copy_within_a_warning() -> None:
    dataset = link(
        make_dataset(
            labels=["a", "b", "a", "a", "b"],
            splits=["train", "train", "test", "train", "test"],
            same_pixels=["p", "q", "p", "q", "r"],
            same_bytes=["1", "2", "1", "3", "4"],
        )
    )
    verdict = ExactDuplicate().run(dataset)
    (error,) = errors(verdict)
    assert error.message.startswith("1 image of train stands again in test (1 record and 1 record)")
    assert [f.message.partition(":")[0] for f in verdict.findings if f.severity is Severity.WARNING] == [
        "1 image stands more than once within one split (2 records). Keep one of each and remove the others with their rows",
        "The same image stands again in another split",
        "The same image stands again within the split",
    ]
    assert verdict.metrics == {
        "groups": 2,
        "records": 4,
        "surplus_records": 2,
        "duplicated_fraction": 0.4,
        "groups_across_splits": 1,
        "test_records_in_train": 1,
    }
    assert rows(verdict) == [
        {
            "record_a": "r0000", "record_b": "r0002", "path_a": "r0000.png", "path_b": "r0002.png", "evidence": "bytes",
            "score": 1.0, "split_a": "train", "split_b": "test", "label_a": "a", "label_b": "a", "group": 1,
        },
        {
            "record_a": "r0001", "record_b": "r0003", "path_a": "r0001.png", "path_b": "r0003.png", "evidence": "pixels",
            "score": 1.0, "split_a": "train", "split_b": "train", "label_a": "b", "label_b": "a", "group": 2,
        },
    ]  # fmt: skip


def test_copies_without_splits_are_warnings() -> None:
    verdict = ExactDuplicate().run(link(make_dataset(same_pixels=["p", "p", "q"])))
    assert errors(verdict) == []
    assert len(verdict.findings) == 2
    assert rows(verdict)[0]["split_a"] is None
    assert rows(verdict)[0]["label_a"] is None


def test_different_images_are_silent_and_counted() -> None:
    verdict = ExactDuplicate().run(link(make_dataset(same_pixels=["p", "q", "r"])))
    assert verdict.findings == ()
    assert verdict.tables == ()
    assert "3" in verdict.summary
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total, verdict.coverage.reason) == (3, 3, "")


def test_what_was_not_read_or_is_blank_is_not_evaluated() -> None:
    dataset = make_dataset(
        same_bytes=["1", "2", "3", None], same_pixels=["p", "p", "q", None], constant=[True, True, False, False]
    )
    verdict = ExactDuplicate().run(link(dataset))
    assert verdict.findings == ()
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (1, 4)
    assert verdict.coverage.reason == "2 images of one single value, which form no link; 1 record whose image was not read"


def test_nothing_read_skips() -> None:
    with pytest.raises(SkipCheck, match="neither bytes nor pixels"):
        ExactDuplicate().run(link(make_dataset(n=3)))
    with pytest.raises(SkipCheck, match="neither bytes nor pixels"):
        ExactDuplicate().run(link(make_dataset(same_bytes=[None] * 2, same_pixels=[None] * 2)))


def test_near_duplicates_and_instances_belong_to_other_checks() -> None:
    dataset = make_dataset(
        same_pixels=["p", "q", "r"], links=[("r0000", "r0001", "near", 0.99), ("r0001", "r0002", "instance", 1)]
    )
    verdict = ExactDuplicate().run(dataset)
    assert verdict.findings == ()
    assert verdict.tables == ()


def test_past_max_findings_groups_across_splits_come_first_and_the_table_lists_all() -> None:
    n = 40
    pixels = [f"p{i // 2}" for i in range(n)]
    splits = ["train", "train"] * 18 + ["train", "test"] * 2
    verdict = ExactDuplicate(max_findings=3).run(link(make_dataset(same_pixels=pixels, splits=splits)))
    places = [f for f in verdict.findings if f.where.record is not None]
    assert [f.where.record for f in places] == ["r0036", "r0038", "r0000"]
    assert [f.evidence["across_splits"] for f in places] == [True, True, False]
    assert len(rows(verdict)) == 20


def test_a_large_group_is_one_group_and_every_record_of_it_is_in_the_table() -> None:
    verdict = ExactDuplicate().run(link(make_dataset(same_pixels=["p"] * 50)))
    assert verdict.metrics["groups"] == 1
    assert verdict.metrics["records"] == 50
    assert {r["record_b"] for r in rows(verdict)} | {"r0000"} == {f"r{i:04d}" for i in range(50)}
    assert "and 46 more" in verdict.findings[-1].message


def test_pneumoniamnist_has_26_groups_8_of_them_across_splits(real_data: Path) -> None:
    truth = pd.read_csv(real_data / "images/pneumoniamnist/truth/pixel_identical_groups.csv")
    names, pixels, splits = [], [], []
    with np.load(real_data / "images/pneumoniamnist/data/pneumoniamnist.npz", allow_pickle=False) as arrays:
        for split in ("train", "val", "test"):
            for i, image in enumerate(arrays[f"{split}_images"]):
                names.append(f"{split}:{i}")
                splits.append(split)
                pixels.append(image.tobytes().hex())
    dataset = make_dataset(records=names, splits=splits, same_pixels=pixels, same_bytes=["npz"] * len(names),
                           paths=["x.npz"] * len(names), columns={"item": names})  # fmt: skip
    dataset = link(replace(dataset))
    verdict = ExactDuplicate().run(dataset)
    assert verdict.metrics["groups"] == truth["group"].nunique() == 26
    assert verdict.metrics["groups_across_splits"] == 8
    found = {r["record_a"] for r in rows(verdict)} | {r["record_b"] for r in rows(verdict)}
    assert found == set(truth["split"] + ":" + truth["idx"].astype(str))
