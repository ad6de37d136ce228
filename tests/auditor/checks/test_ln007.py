import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln007 import LabelVariants, canonical


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Benign", "benign ", True),
        ("BENIGN", "benign", True),
        ("No Finding", "no_finding", True),
        ("non-small cell", "Non Small Cell.", True),
        ("ﬁbrosis", "fibrosis", True),  # a ligature
        ("café", "café", True),  # composed and decomposed
        ("1", "01", False),
        ("benign", "malignant", False),
        ("grade 1", "grade 11", False),
    ],
)
def test_spellings_of_one_name_are_one(one, other, same):
    assert (canonical(one) == canonical(other)) is same


def test_three_spellings_of_one_class_are_one_finding():
    labels = ["Benign"] * 20 + ["benign "] * 3 + ["BENIGN"] * 2 + ["malignant"] * 20
    verdict = LabelVariants().run(make_dataset(labels=labels))
    (finding,) = verdict.findings
    assert "'Benign' (20), 'benign ' (3), 'BENIGN' (2)" in finding.message
    assert finding.where.field == "label"
    assert verdict.tables[0].length == 3


def test_raters_and_boxes_are_looked_at_on_their_own():
    boxes = pd.DataFrame(
        {"record": ["r0000"] * 2, "label": ["RBC", "rbc"], "x0": 0.0, "y0": 0.0, "x1": 1.0, "y1": 1.0, "path": "a", "line": 1}
    )
    dataset = make_dataset(labels=["a", "b"] * 5, readings={"x": ["a"] * 10, "y": ["A"] * 10}, boxes=boxes)
    assert [f.evidence["in"] for f in LabelVariants().run(dataset).findings] == ["readings", "boxes"]


def test_multi_label_classes_are_compared_too():
    dataset = make_dataset(states={"Edema": [1, 0, 0], "edema": [0, 1, 0], "Mass": [0, 0, 1]})
    assert len(LabelVariants().run(dataset).findings) == 1


def test_clean_names_pass_and_no_names_are_skipped():
    assert LabelVariants().run(make_dataset(labels=["a", "b", "NA"])).findings == ()
    with pytest.raises(SkipCheck, match="no label"):
        LabelVariants().run(make_dataset(n=3))
