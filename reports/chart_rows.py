"""The rows of a chart's table that are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.values.results import Chart
from reports.cell import arrow, cells, plain, shown

ROWS_DRAWN = {"intervals": 40, "bars": 80, "histogram": 400, "matrix": 900, "lines": 2000}
_CLASSES_DRAWN = 30


@dataclass(frozen=True, kw_only=True)
class Row:
    """One mark: its words, its value with the interval, its series, and its place where the label is a number."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    group: str
    x: float | None


def rows_of(chart: Chart) -> list[Row]:
    """The first rows, as many as a chart of its kind can show.

    Raises:
        ValueError: the chart names a column that its table does not have.
    """
    columns = {column.name: column for column in chart.table.columns}
    limit = ROWS_DRAWN[chart.kind]

    def read(name: str | None) -> Sequence[Any]:
        if name is None:
            return [None] * min(limit, chart.table.length)
        if name not in columns:
            raise ValueError(f"chart {chart.name}: its table {chart.table.name} has no column {name}")
        return cells(arrow(columns[name], limit))

    kind = columns[chart.label].kind if chart.label in columns else ""
    rows = zip(read(chart.label), read(chart.value), read(chart.low), read(chart.high), read(chart.group), strict=True)
    made = [
        Row(label=shown(a, kind), value=v, low=lo, high=hi, group="" if g is None else shown(g), x=a if _is_number(a) else None)
        for a, v, lo, hi, g in rows
    ]
    if chart.kind != "matrix":
        return made
    labels, groups = distinct(r.label for r in made)[:_CLASSES_DRAWN], distinct(r.group for r in made)[:_CLASSES_DRAWN]
    return [row for row in made if row.label in labels and row.group in groups]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def distinct(values: Iterable[str]) -> list[str]:
    """Each once, in order."""
    return list(dict.fromkeys(values))


def gates_of(chart: Chart) -> dict[str, float]:
    """The reference lines that have a place."""
    return {caption: float(at) for caption, value in chart.reference.items() if (at := plain(value)) is not None}
