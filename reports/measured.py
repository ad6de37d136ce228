"""How a measured difference is said and drawn: the same words and charts for the page and the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.values.corrections import Arm, Comparison, Evaluation, Measured
from auditor.values.results import Cell, Chart, Column, Table
from reports.cell import shown, signed
from reports.wording import counted


def chosen_arm(comparison: Comparison) -> Arm | None:
    """The arm whose evaluation the verdict is of; None where no network was compared."""
    evaluated = [arm for arm in comparison.arms if arm.evaluation is not None]
    named = [arm for arm in evaluated if arm.strategy == comparison.chosen]
    applied = [arm for arm in evaluated if arm.strategy in comparison.applied]
    agreeing = [arm for arm in evaluated if arm.evaluation and arm.evaluation.verdict == comparison.verdict]
    return next(iter([*named, *applied, *agreeing, *evaluated]), None)


def level(value: float) -> str:
    """A metric's value, with as many decimals as its difference."""
    return shown(value, "fraction") if 0 <= value <= 1 else signed(value).removeprefix("+")


def interval(measured: Measured) -> str:
    """`+0.011 to +0.047`."""
    return f"{signed(measured.low)} to {signed(measured.high)}"


def basis(evaluation: Evaluation) -> str:
    """On what it was measured: `624 records of 412 patients, 3 seeds`."""
    told = evaluation.patients and (evaluation.unit == "patient" or evaluation.patients != evaluation.records)
    of_patients = f" of {counted(evaluation.patients, evaluation.unit)}" if told else ""
    return f"{counted(evaluation.records, 'record')}{of_patients}, {counted(evaluation.seeds, 'seed')}"


def lost(evaluation: Evaluation) -> tuple[Measured, ...]:
    """The metrics beside the main one that became worse: told even where the main one improved."""
    return tuple(measured for measured in evaluation.metrics[1:] if measured.verdict == "harmed")


def gain_chart(rows: Sequence[tuple[str, Evaluation]], *, name: str, title: str) -> Chart:
    """Main differences with their intervals on one axis, with zero and the margin; a row is a name and an evaluation."""
    gains = [(words, *_placed(evaluation)) for words, evaluation in rows]
    margin = rows[0][1].margin
    table = Table(
        name=name,
        title=title,
        columns=tuple(
            Column(name=key, kind="number" if place else "text", values=tuple(row[place] for row in gains))
            for place, key in enumerate(("what", "difference", "low", "high"))
        ),
    )
    return Chart(
        name=name, title=title, kind="intervals", table=table, label="what", value="difference", low="low", high="high",
        reference={"no difference": 0.0, f"margin {signed(-margin)}": -margin},
    )  # fmt: skip


def _placed(evaluation: Evaluation) -> tuple[Cell, Cell, Cell]:
    """Difference, low and high of the main metric where the margin is measured: the evaluation's own chart scales errors
    in units to shares of their range.
    """
    main = evaluation.metrics[0]
    for chart in evaluation.charts:
        columns = {column.name: column.values for column in chart.table.columns}
        if chart.name == "differences" and main.title in columns.get("metric", ()):
            row = list(columns["metric"]).index(main.title)
            return columns["difference"][row], columns["low"][row], columns["high"][row]
    return main.difference, main.low, main.high


def is_scaled(evaluation: Evaluation) -> bool:
    """The axis shows the main metric as a share of its range, not in its unit."""
    return _placed(evaluation)[0] != evaluation.metrics[0].difference


def class_charts(evaluation: Evaluation) -> tuple[Chart, ...]:
    """The table per class, drawn: how much each class won or lost."""
    needed = {"class", "difference", "low", "high"}
    return tuple(
        Chart(
            name=table.name, title=f"{table.title}: difference", kind="intervals", table=table, label="class",
            value="difference", low="low", high="high", reference={"no difference": 0.0},
        )
        for table in evaluation.tables
        if needed <= {column.name for column in table.columns} and table.length
    )  # fmt: skip
