"""Grades in words, in their order; labels that are no steps of one scale are none."""

import pytest

from auditor.naming.grades import grade_order


@pytest.mark.parametrize(
    ("called", "ordered"),
    [
        (False, ("None", "Mild", "Moderate", "Severe")),
        (False, ("No DR", "Mild NPDR", "Moderate NPDR", "Severe NPDR", "Proliferative DR")),
        (True, ("low", "intermediate", "high")),
        (True, ("I", "II", "III", "IV")),
        (True, ("0", "I", "IIa", "IIb", "III")),
        (False, ("Stage I", "Stage II", "Stage III")),
        (False, ("Grade 1", "Grade 2", "Grade 10")),
        (True, ("G1", "G2", "G3")),
    ],
)
def test_words_of_a_scale_are_grades_in_its_order(called: bool, ordered: tuple[str, ...]) -> None:
    assert grade_order(sorted(ordered), called=called) == ordered


@pytest.mark.parametrize(
    "values",
    [
        ("low", "intermediate", "high"),
        ("I", "II", "III"),
        ("G1", "G2", "G3"),
        ("benign", "malignant", "normal"),
        ("mild", "severe"),
        ("mild oedema", "severe oedema", "mild effusion"),
        ("negative", "positive", "borderline"),
    ],
)
def test_classes_without_an_order_are_none(values: tuple[str, ...]) -> None:
    assert grade_order(values, called=False) is None
