import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln007 import LabelVariants
from auditor.evidence.labels.spelling import canonical


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


def mistyped_in(**counts: int) -> list[str]:
    labels = [name.replace("_", " ") for name, count in counts.items() for _ in range(count)]
    return [f.message.split(":")[0] for f in LabelVariants().run(make_dataset(labels=labels)).findings]


def test_a_class_that_a_hand_mistyped_is_told_beside_the_right_one():
    assert mistyped_in(benign=60, bengin=2, malignant=60, malignent=1) == [
        "'bengin' (2) looks like 'benign' (60) mistyped",
        "'malignent' (1) looks like 'malignant' (60) mistyped",
    ]
    assert mistyped_in(pleural_effusion=100, pleural_efusion=5, normal=100) == [
        "'pleural efusion' (5) looks like 'pleural effusion' (100) mistyped"
    ]


@pytest.mark.parametrize(
    "counts",
    [
        {"typical": 100, "atypical": 2},
        {"ileum": 100, "ilium": 2},
        {"benign": 60, "bengin": 40},  # nobody mistypes two of five: two classes, or two sites that one asks
        {"left": 100, "lift": 1},
        {"grade_a": 100, "grade_b": 2},
        {"type_iii": 50, "type_ii": 1},
        {"T1": 100, "T2": 1},
        {"hyperintense": 100, "hypointense": 2},
    ],
)
def test_two_classes_that_lie_near_are_two(counts):
    assert mistyped_in(**counts) == []


def test_slips_are_told_once_and_in_one_table():
    labels = ["adenoma"] * 100 + ["adenmoa", "Adenoma"] + ["carcinoma"] * 50
    verdict = LabelVariants().run(make_dataset(labels=labels))
    assert len(verdict.findings) == 2
    assert verdict.metrics["classes_with_variants"] == 2
    assert verdict.tables[0].length == 4


def test_many_classes_one_letter_apart_and_equally_frequent_are_all_classes():
    labels = [f"class{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10 % 10]}{'uvwxyzabcd'[i // 100]} name" for i in range(1000)]
    assert LabelVariants().run(make_dataset(labels=labels)).findings == ()


def test_a_class_with_a_question_mark_is_told_beside_the_one_without():
    labels = ["malignant"] * 50 + ["malignant?", "Malignant ?", "(?) benign"] * 3 + ["benign"] * 50
    messages = [f.message for f in LabelVariants().run(make_dataset(labels=labels)).findings]
    assert [m.partition(" and is")[0] for m in messages if "doubt" in m] == [
        "'(?) benign' (3) is 'benign' (50) with a doubt,",
        "'Malignant ?' (3) is 'malignant' (50) with a doubt,",
        "'malignant?' (3) is 'malignant' (50) with a doubt,",
    ]


def test_a_question_mark_alone_and_degrees_of_certainty_are_classes_of_their_own():
    labels = ["pathogenic", "likely pathogenic", "?", "lesion type?", "probably benign", "benign"] * 20
    assert LabelVariants().run(make_dataset(labels=labels)).findings == ()
