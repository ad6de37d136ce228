"""What a cell becomes for machines and for people."""

import math

import numpy as np
import pandas as pd
import pytest

from auditor.values.cells import visible
from auditor.values.results import Column
from reports.cell import MISSING, arrow, cells, plain, shortened, shown


def column(kind, values):
    return Column(name="c", kind=kind, values=values)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan"), np.float32("inf"), None])
def test_what_is_not_finite_becomes_null(value):
    assert plain(value) is None


def test_numpy_scalars_become_plain_python():
    values = [plain(v) for v in (np.int64(7), np.float32(0.5), np.bool_(True), np.str_("007"))]
    assert values == [7, 0.5, True, "007"]
    assert [type(v) for v in values[:3]] == [int, float, bool]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("text", ["a", None, "NA"], ["a", None, "NA"]),
        ("record", ["007", "7", ""], ["007", "7", ""]),
        ("record", np.array(["007", "7"]), ["007", "7"]),
        ("class", np.array(["NA", "x"], dtype=object), ["NA", "x"]),
        ("class", [1, "b", None], ["1", "b", None]),
        ("integer", np.array([3, 4]), [3, 4]),
        ("integer", np.array([3.0, np.nan]), [3, None]),
        ("integer", [3, math.nan], [3, None]),
        ("integer", [1.5, 2], [1.5, 2.0]),
        ("number", [1, math.inf, None], [1.0, None, None]),
        ("number", [2**70], [str(2**70)]),
        ("number", [2**53 + 1, None], [2**53 + 1, None]),
        ("integer", ["7", 8], ["7", "8"]),
        ("boolean", [0, 1], [0, 1]),
        ("text", [1.5, math.nan, pd.NaT], ["1.5", None, None]),
        ("number", ["not a number", 1.5], ["not a number", "1.5"]),
        ("fraction", np.array([0.25, np.nan], dtype=np.float32), [0.25, None]),
        ("boolean", np.array([True, False]), [True, False]),
        ("boolean", [True, None], [True, None]),
        ("text", pd.Series(["a", None, pd.NA], dtype=object), ["a", None, None]),
        ("record", ["caf\udce9.png", None, "ok"], ["caf\udce9.png", None, "ok"]),
        ("text", [], []),
    ],
)
def test_a_column_keeps_its_values(kind, values, expected):
    assert cells(arrow(column(kind, values))) == expected


def test_only_the_asked_rows_are_converted():
    assert cells(arrow(column("integer", range(10)), 3)) == [0, 1, 2]


def test_characters_that_deceive_are_made_visible():
    assert visible("a\nb\tc\x1b[31m\x9b\u202egnp\u200b\ufeff\udce9\U000e0041") == (
        "a\\nb\\tc\\x1b[31m\\x9b\\u202egnp\\u200b\\ufeff\\udce9\\U000e0041"
    )
    assert visible("Zoë κ 東京 – “quoted”") == "Zoë κ 東京 – “quoted”"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "", MISSING),
        ("", "text", MISSING),
        (True, "", "yes"),
        (1234567, "integer", "1,234,567"),
        (0.0004, "fraction", "<0.001"),
        (0.9999, "fraction", ">0.999"),
        (1.0, "fraction", "1.000"),
        (0.0, "fraction", "0.000"),
        (0.0002, "number", "0.0002"),
        (12345.6, "number", "12,346"),
        (math.nan, "number", MISSING),
        ("007", "record", "007"),
    ],
)
def test_values_are_written_for_people(value, kind, text):
    assert shown(value, kind) == text


def test_a_long_name_keeps_its_beginning_and_its_end():
    short = shortened("x" * 300 + ".dcm", 30)
    assert len(short) == 30
    assert short.startswith("x")
    assert short.endswith(".dcm")
