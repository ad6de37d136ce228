import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln004 import AmbiguousRecords
from auditor.values.results import Severity


def built(rows, labels, n=300):
    """Sure records, and at the end `rows` of probabilities with their labels."""
    code = np.arange(n) % 3
    p = np.full((n, 3), 0.01)
    p[np.arange(n), code] = 0.98
    return make_dataset(
        labels=[f"c{v}" for v in code] + labels, probabilities=np.vstack([p, np.asarray(rows, dtype=float)])
    )  # fmt: skip


def test_two_classes_that_fit_equally_are_ambiguous_and_no_error():
    dataset = built([[0.48, 0.47, 0.05], [0.47, 0.48, 0.05]], ["c0", "c0"])
    verdict = AmbiguousRecords().run(dataset)
    columns = {c.name: list(c.values) for c in verdict.tables[0].columns}
    assert columns["record"] == ["r0300", "r0301"]
    assert columns["other"] == ["c1", "c1"]
    assert [f.severity for f in verdict.findings] == [Severity.INFO]
    assert verdict.metrics["ambiguous_records"] == 2


@pytest.mark.parametrize(
    ("row", "label"),
    [
        ([0.48, 0.47, 0.05], "c2"),  # a third class was given
        ([0.60, 0.35, 0.05], "c0"),  # one fits better
        ([0.34, 0.33, 0.33], "c0"),  # the model knows nothing
        ([0.02, 0.96, 0.02], "c0"),  # an error
    ],
)
def test_other_doubts_are_not_ambiguity(row, label):
    assert AmbiguousRecords().run(built([row], [label])).findings == ()


def test_multi_label_classes_are_judged_one_by_one():
    p = np.tile([[0.98, 0.02], [0.02, 0.98]], (50, 1))
    p[0] = [0.52, 0.02]
    dataset = make_dataset(states={"x": [1, 0] * 50, "y": [0, 1] * 50}, probabilities=p)
    (table,) = AmbiguousRecords().run(dataset).tables
    assert [list(c.values) for c in table.columns][:3] == [["r0000"], ["x"], ["not x"]]


def test_without_predictions_it_is_skipped():
    with pytest.raises(SkipCheck, match="no predictions"):
        AmbiguousRecords().run(make_dataset(labels=["a", "b"] * 20))
