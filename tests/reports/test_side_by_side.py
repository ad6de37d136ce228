"""Before beside after on one axis: only what has one."""

from dataclasses import replace

from comparisons import improved

from auditor.values.results import Column, Table
from reports.measured import chosen_arm
from reports.side_by_side import pair_charts


def test_tests_whose_counts_and_areas_share_no_axis_are_not_drawn() -> None:
    comparison = improved()
    arm = chosen_arm(comparison)
    assert arm is not None
    assert arm.evaluation is not None
    tests = Table(
        name="paired_tests", title="Paired tests",
        columns=(
            Column(name="class", kind="class", values=["", "benign"]),
            Column(name="before", kind="number", values=[0.0, 0.93]),
            Column(name="after", kind="number", values=[14.0, 0.99]),
        ),
    )  # fmt: skip
    more = replace(arm, evaluation=replace(arm.evaluation, tables=(*arm.evaluation.tables, tests)))
    drawn = [chart.name for chart in pair_charts(comparison, more)]
    assert "per_class" in drawn
    assert "paired_tests" not in drawn
