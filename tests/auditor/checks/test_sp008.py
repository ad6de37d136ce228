import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sp008 import SplitContent
from auditor.values.errors import ConfigError
from auditor.values.results import Severity

SPLITS = ["train"] * 6 + ["val"] * 2 + ["test"] * 2
LABELS = list("aabbccababa")[:6] + list("ab") + list("ab")


def test_a_class_that_is_not_in_a_split_is_an_error() -> None:
    verdict = SplitContent().run(make_dataset(labels=list("aabbcc") + list("bc") + list("bc"), splits=SPLITS))
    assert {f.subject: f.severity for f in verdict.findings} == {
        "class a / val": Severity.WARNING, "class a / test": Severity.WARNING,
    }  # fmt: skip
    more = SplitContent().run(make_dataset(labels=list("aaabcc") + list("bc") + list("bc"), splits=SPLITS))
    assert {f.subject: f.severity for f in more.findings} == {"class a / val": Severity.ERROR, "class a / test": Severity.ERROR}
    assert more.metrics["missing_classes"] == 2
    assert more.findings[0].message == ("class a is not in val (3 records elsewhere): split again with the label as a stratum")


def test_a_class_of_one_patient_cannot_be_in_three_splits() -> None:
    dataset = make_dataset(
        labels=list("aaabcc") + list("bc") + list("bc"), splits=SPLITS, patients=["x"] * 3 + list("yzwvuts")
    )  # fmt: skip
    verdict = SplitContent().run(dataset)
    assert {f.severity for f in verdict.findings} == {Severity.WARNING}
    assert "with 1 patient it cannot be in 3 splits" in verdict.findings[0].message


def test_a_declared_split_without_records_is_an_error() -> None:
    dataset = make_dataset(labels=["a", "b"] * 5, splits=["train"] * 8 + ["test"] * 2)
    verdict = SplitContent(sizes=("train=0.7", "val=0.1", "test=0.2"), max_size_difference=0.2).run(dataset)
    assert [(f.subject, f.severity) for f in verdict.findings] == [("empty: val", Severity.ERROR)]


def test_sizes_far_from_the_declared_ones_are_warnings() -> None:
    dataset = make_dataset(labels=["a", "b"] * 5, splits=["train"] * 5 + ["test"] * 5)
    (train, test) = SplitContent(sizes=("train=80", "test=20")).run(dataset).findings
    assert train.severity is Severity.WARNING
    assert train.evidence["fraction"] == 0.5
    assert train.evidence["declared_fraction"] == 0.8
    assert test.subject == "size: test"
    assert SplitContent(sizes=("train=0.52", "test=0.48")).run(dataset).findings == ()


def test_a_hidden_test_set_is_told_and_not_blamed() -> None:
    verdict = SplitContent().run(
        make_dataset(labels=["a", "b", "a", "b", None, None], splits=["x"] * 2 + ["y"] * 2 + ["z"] * 2)
    )
    assert [(f.subject, f.severity) for f in verdict.findings] == [("unlabelled: z", Severity.INFO)]


def test_multi_label_classes_are_counted_by_their_positives() -> None:
    states = {"p": [1, 0, 1, 1, 0, 0], "q": [0, 1, 0, 1, 1, 1]}
    verdict = SplitContent().run(make_dataset(states=states, splits=["train"] * 4 + ["test"] * 2))
    assert [f.subject for f in verdict.findings] == ["class p / test"]
    (table,) = verdict.tables
    assert [list(c.values) for c in table.columns][2] == [3, 0, 2, 2]


def test_every_class_everywhere_passes() -> None:
    verdict = SplitContent().run(make_dataset(labels=["a", "b"] * 5, splits=["train"] * 6 + ["test"] * 4))
    assert verdict.findings == ()
    assert verdict.metrics["train_fraction"] == 0.6
    assert verdict.summary == "Every class is in every labelled split; sizes: train 60.0%, test 40.0%"


def test_excluded_records_belong_to_no_split() -> None:
    verdict = SplitContent().run(make_dataset(labels=["a", "b"] * 3, splits=["train"] * 2 + ["test"] * 2 + ["excluded"] * 2))
    assert verdict.metrics["train_records"] == 2
    assert "excluded_records" not in verdict.metrics


@pytest.mark.parametrize(
    ("splits", "reason"),
    [(None, "--split"), (["train"] * 60, "one split"), ([str(i) for i in range(60)], "no splits")],
)
def test_where_there_is_nothing_to_compare_it_is_not_evaluated(splits: list[str] | None, reason: str) -> None:
    with pytest.raises(SkipCheck, match=reason):
        SplitContent().run(make_dataset(n=60, splits=splits))


@pytest.mark.parametrize("sizes", [("train",), ("train=x",), ("=0.5",), ("a=0", "b=0"), ("a=-1",), ("a=nan",)])
def test_a_size_that_is_none_is_a_mistake_of_the_configuration(sizes: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="SP008"):
        SplitContent(sizes=sizes)


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_class_of_boxes_that_no_image_of_a_split_has_is_a_warning(everywhere: bool) -> None:
    rows = [
        {"record": f"r{i:04d}", "label": label, "x0": 0.0, "y0": 0.0, "x1": 9.0, "y1": 9.0, "path": "a", "line": i}
        for i in range(40)
        for label in ("cell", "debris", "platelet")[: 3 if i < 30 or everywhere else 2]
    ]
    dataset = make_dataset(n=40, splits=["train"] * 30 + ["test"] * 10, boxes=pd.DataFrame(rows))
    found = SplitContent().run(dataset).findings
    assert [(f.severity, f.subject) for f in found] == [(Severity.WARNING, "class platelet / test")] * (not everywhere)
