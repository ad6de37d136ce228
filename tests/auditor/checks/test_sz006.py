import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sz006 import DetectableDifference


def test_a_small_test_set_is_named_by_patients() -> None:
    patients = [f"p{i // 4}" for i in range(400)]
    dataset = make_dataset(labels=["a", "b"] * 200, patients=patients, splits=["train"] * 200 + ["test"] * 200)
    verdict = DetectableDifference().run(dataset)
    assert verdict.metrics["test_count"] == 50
    assert verdict.metrics["detectable_difference"] == pytest.approx((1.96 + 0.84) * (0.1 / 50) ** 0.5, rel=0.05)
    assert [f.subject for f in verdict.findings] == ["test: all", "test: a", "test: b"]


def test_a_large_test_set_is_silent() -> None:
    dataset = make_dataset(labels=["a", "b"] * 2000, splits=["train", "train", "test", "test"] * 1000)
    assert DetectableDifference().run(dataset).findings == ()


def test_without_a_test_set_it_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no split is called a test set"):
        DetectableDifference().run(make_dataset(labels=["a", "b"] * 20))
