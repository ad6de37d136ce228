"""A difference in words, and on an axis."""

import math
from dataclasses import replace

import pytest
from comparisons import arms, harmed, improved, measured, no_change, table

from reports.cell import signed
from reports.charts import strip
from reports.measured import basis, chosen_arm, class_charts, gain_chart, is_scaled, level, lost


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0294, "+0.029"), (-0.0131, "−0.013"), (0.0, "0.000"), (-0.0001, "0.000"), (-12.25, "−12.2"), (math.nan, "–")],
)
def test_a_difference_has_its_sign(value, words):
    assert signed(value) == words


def test_a_level_has_as_many_decimals_as_its_difference():
    assert [level(v) for v in (0.842, 0.9996, 6.35, 12.25, 1234.5, -0.25)] == [
        "0.842", ">0.999", "6.350", "12.2", "1,234.5", "−0.250",
    ]  # fmt: skip


def test_the_chosen_arm_is_named_or_applied_or_agrees_with_the_verdict():
    comparison = improved()
    assert chosen_arm(comparison).strategy == "confident"
    assert chosen_arm(replace(comparison, chosen="mixup")).strategy == "mixup"
    assert chosen_arm(replace(comparison, chosen="")).strategy == "confident"
    assert chosen_arm(replace(comparison, chosen="", applied=(), verdict="harmed")).strategy == "mixup"
    assert chosen_arm(no_change()) is None


def test_what_became_worse_beside_the_main_metric_is_named():
    assert [m.metric for m in lost(arms()[1].evaluation)] == ["brier"]
    assert [m.metric for m in lost(harmed().arms[0].evaluation)] == ["auc", "mcc"]


def test_records_patients_and_seeds_are_counted():
    evaluation = arms()[1].evaluation
    assert basis(evaluation) == "624 records of 412 patients, 3 seeds"
    assert basis(replace(evaluation, patients=0, records=1, seeds=1)) == "1 record, 1 seed"


def test_the_axis_has_zero_and_the_margin():
    chart = gain_chart([("a", arms()[1].evaluation)], name="n", title="t")
    assert chart.reference == {"no difference": 0.0, "margin −0.010": -0.01}
    svg = strip(chart, "x")
    assert "no difference" in svg
    assert "margin −0.010" in svg
    assert "a: 0.029 (0.011 to 0.047)" in svg


def test_an_error_in_units_is_drawn_where_the_margin_is_measured():
    evaluation = arms()[1].evaluation
    years = measured("mae", "Mean absolute error (years)", 6.0, 1.5, 0.5, "improved")
    scaled = table(
        "differences", "", metric=("text", [years.title]), difference=("number", [0.015]), low=("number", [0.01]),
        high=("number", [0.02]),
    )  # fmt: skip
    chart = replace(evaluation.charts[0], table=scaled)
    in_years = replace(evaluation, metrics=(years,), charts=(chart,))
    assert is_scaled(in_years)
    assert not is_scaled(evaluation)
    drawn = gain_chart([("a", in_years)], name="n", title="t")
    assert [column.values for column in drawn.table.columns] == [("a",), (0.015,), (0.01,), (0.02,)]
    plain = gain_chart([("a", replace(evaluation, metrics=(years,), charts=()))], name="n", title="t")
    assert plain.table.columns[1].values == (1.5,)


def test_classes_are_drawn_from_their_table():
    (chart,) = class_charts(arms()[1].evaluation)
    assert (chart.label, chart.table.length) == ("class", 2)
