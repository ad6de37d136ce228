import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.evidence.raters.readings import collect_readings


def read(rows, **more):
    return collect_readings(make_dataset(n=1, annotations=rows, **more) if not more else make_dataset(annotations=rows, **more))


def test_codes_and_counts_are_those_of_the_table():
    readings = read([("x", "ann", "no"), ("x", "bob", "yes"), ("y", "ann", "no"), ("y", "bob", "no")])
    assert (tuple(readings.raters), readings.classes, list(readings.records)) == (("ann", "bob"), ("no", "yes"), ["x", "y"])
    assert readings.counts.tolist() == [[1, 1], [2, 0]]
    assert not readings.ordinal


def test_ids_stay_text():
    readings = read([("007", "01", "1"), ("007", "1", "1"), ("7", "1", "1"), ("7", "01", "1")])
    assert list(readings.records) == ["007", "7"]
    assert tuple(readings.raters) == ("01", "1")


def test_incomplete_rows_are_counted_and_left_out():
    readings = read([("x", "a", "no"), ("x", "b", "no"), ("x", "c", None), ("x", None, "no"), ("x", "d", " ")])
    assert (readings.incomplete, len(readings.unit)) == (3, 2)


def test_a_second_reading_by_the_same_rater_is_a_repeat():
    readings = read([("x", "a", "no"), ("x", "b", "no"), ("x", "a", "yes"), ("x", "b", "no")])
    assert (readings.repeats, readings.repeat_agreement) == (2, 0.5)
    assert readings.counts.tolist() == [[2]] or readings.counts.sum() == 2
    assert np.isnan(read([("x", "a", "no"), ("x", "b", "no")]).repeat_agreement)


def test_declared_grades_keep_their_order():
    rows = [("r0000", "a", "severe"), ("r0000", "b", "none")]
    readings = read(rows, labels=["none", "mild", "severe"], task="ordinal", classes=["none", "mild", "severe"])
    assert readings.classes == ("none", "mild", "severe")
    assert readings.ordinal


def test_undeclared_numbers_are_codes_in_numeric_order_and_no_grades():
    readings = read([("x", "a", "10"), ("x", "b", "9")])
    assert readings.classes == ("9", "10")
    assert not readings.ordinal


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no readings"),
        ([("x", "a", None)], "no reading has"),
        ([("x", "a", "no"), ("y", "a", "no")], "one rater"),
        ([("x", "a", "no"), ("y", "b", "no")], "read by two raters"),
        ([(f"x{i // 2}", f"r{i % 2}", str(i / 7)) for i in range(200)], "continuous"),
    ],
)
def test_what_cannot_be_compared_is_skipped_with_a_reason(rows, words):
    with pytest.raises(SkipCheck, match=words):
        read(pd.DataFrame(rows, columns=["record", "rater", "label"]))
