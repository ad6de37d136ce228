import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sz001 import Counts
from auditor.values.results import Severity

SPLITS = ["train", "test"] * 60


def test_a_class_with_few_test_patients_is_named() -> None:
    labels = ["common"] * 120
    labels[1] = labels[2] = "rare"
    verdict = Counts().run(make_dataset(labels=labels, splits=SPLITS, patients=[f"p{i}" for i in range(120)]))
    assert [(f.subject, f.severity, f.score) for f in verdict.findings] == [
        ("rare in test", Severity.INFO, 1.0),
        ("rare in train", Severity.INFO, 1.0),
    ]
    assert verdict.tables[0].columns[2].values == [59, 59, 1, 1]


def test_enough_of_everything_is_silent() -> None:
    assert Counts().run(make_dataset(labels=["a", "a", "b", "b"] * 30, splits=SPLITS)).findings == ()


def test_no_classes_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="no classes"):
        Counts().run(make_dataset(n=20))


def test_without_a_split_no_split_is_counted() -> None:
    whole = Counts().run(make_dataset(labels=["a", "b"] * 20))
    assert whole.summary.startswith("40 images in 2 classes; ")
