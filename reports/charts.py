"""Charts as SVG: no script, colours by CSS classes (light, dark, print), numbers written beside the marks, read aloud by
`title` and `desc`. A chart is data (`auditor.values.results.Chart`); here it becomes a picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from auditor.values.results import Chart
from reports.axis import Axis, axis, tick
from reports.cell import shortened, shown, signed
from reports.chart_rows import Row, distinct, gates_of, rows_of
from reports.svg import (
    WIDTH,
    box,
    height_axis,
    joined,
    legend,
    levels,
    line,
    margin,
    mark,
    path,
    pixel,
    references,
    text,
    value_axis,
)

_SERIES = 6
_STRIP_WIDTH = 380.0
_KIND = {
    "intervals": "Interval chart",
    "bars": "Bar chart",
    "histogram": "Histogram",
    "matrix": "Matrix",
    "lines": "Line chart",
}


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """An SVG picture, and a sentence when it does not show every row."""

    svg: Markup
    note: str = ""


def draw(chart: Chart, identifier: str) -> Drawing:
    """The chart as SVG; `identifier` makes its ids unique on the page.

    Raises:
        ValueError: the chart names a column that its table does not have.
    """
    rows = rows_of(chart)
    if not rows:
        return Drawing(svg=Markup(""), note="There is nothing to draw: the table is empty.")
    painter = {"intervals": _intervals, "bars": _bars, "histogram": _histogram, "matrix": _matrix, "lines": _lines}[chart.kind]
    height, body = painter(chart, rows)
    drawn, length = len(rows), chart.table.length
    note = f"Drawn: the first {drawn:,} of {length:,} rows; the table has the rest." if drawn < length else ""
    svg = _framed(identifier, WIDTH, height, chart.title, _description(chart, rows), body)
    return Drawing(svg=svg, note=note)


def strip(chart: Chart, identifier: str) -> Markup:
    """The first row of a chart of intervals on an axis alone, narrow enough for a phone: the numbers stand beside it in words.

    Raises:
        ValueError: as `draw`.
    """
    row, gates = rows_of(chart)[0], gates_of(chart)
    scale = axis([row.value, row.low, row.high, *gates.values()], start=52.0, end=_STRIP_WIDTH - 52.0)
    head, _ = references(gates, scale, 0, 0, _STRIP_WIDTH)
    bottom = head + 34
    parts = [value_axis(scale, head, bottom), references(gates, scale, 0, bottom, _STRIP_WIDTH)[1]]
    body = joined([*parts, *_whisker(row, scale, head + 17)])
    return _framed(identifier, _STRIP_WIDTH, bottom + 26, chart.title, _description(chart, [row]), body)


def _framed(identifier: str, width: float, height: float, title: str, words: str, body: Markup) -> Markup:
    """A picture with its title and its description, which are read aloud."""
    return Markup(
        '<svg role="img" aria-labelledby="{id}-t {id}-d" viewBox="0 0 {w} {h}" width="{w}" height="{h}">'
        '<title id="{id}-t">{title}</title><desc id="{id}-d">{desc}</desc>{body}</svg>'
    ).format(id=identifier, w=pixel(width), h=pixel(height), title=shown(title), desc=words, body=body)


def _description(chart: Chart, rows: list[Row]) -> str:
    parts = []
    for row in rows[:12]:
        name = f"{row.label}, {row.group}" if row.group else row.label
        span = f" ({shown(row.low, 'fraction')} to {shown(row.high, 'fraction')})" if row.low is not None else ""
        parts.append(f"{name}: {shown(row.value)}{span}")
    more = f"; and {len(rows) - 12:,} more" if len(rows) > 12 else ""
    lines = "".join(f" Reference {shown(caption)} at {shown(at)}." for caption, at in chart.reference.items())
    return f"{_KIND[chart.kind]}. {'; '.join(parts)}{more}.{lines}"


def _series(rows: list[Row]) -> dict[str, int]:
    return {group: number % _SERIES for number, group in enumerate(distinct(row.group for row in rows))}


LABELS = 34
"""Characters of a label beside an interval: the names of most fields are whole."""


def _intervals(chart: Chart, rows: list[Row]) -> tuple[float, Markup]:
    say = _difference if chart.value == "difference" else _fraction
    gates, left, right, step = (
        gates_of(chart),
        margin((row.label for row in rows), LABELS),
        WIDTH - (196.0 if say is _difference else 160.0),
        28.0,
    )
    scale = axis([v for row in rows for v in (row.value, row.low, row.high)] + list(gates.values()), start=left, end=right)
    head, _ = references(gates, scale, 0, 0)
    bottom = head + step * len(rows) + 4
    parts = [value_axis(scale, head, bottom), references(gates, scale, 0, bottom)[1]]
    for number, row in enumerate(rows):
        y = head + step * (number + 0.5)
        parts.append(text(left - 12, y + 4, shortened(row.label, LABELS), anchor="end"))
        words = say(row.value)
        parts += _whisker(row, scale, y)
        if row.low is not None and row.high is not None:
            words += f" ({say(row.low)}{' to ' if say is _difference else '–'}{say(row.high)})"
        parts.append(text(right + 14, y + 4, words, kind="number"))
    return bottom + 28, joined(parts)


def _whisker(row: Row, scale: Axis, y: float) -> list[Markup]:
    parts = []
    if row.low is not None and row.high is not None:
        parts.append(line(scale.place(row.low), y, scale.place(row.high), y, "s0 whisker"))
        parts += [line(scale.place(v), y - 5, scale.place(v), y + 5, "s0 whisker") for v in (row.low, row.high)]
    if row.value is not None:
        parts.append(mark(scale.place(row.value), y, 0))
    return parts


def _fraction(value: float | None) -> str:
    return shown(value, "fraction")


def _difference(value: float | None) -> str:
    return shown(value) if value is None else signed(value)


def _bars(chart: Chart, rows: list[Row]) -> tuple[float, Markup]:
    gates, labels, series = gates_of(chart), distinct(row.label for row in rows), _series(rows)
    left, thick = margin(labels), 18.0 if len(series) < 3 else 12.0
    block = thick * len(series) + 12
    scale = axis([row.value for row in rows] + list(gates.values()), start=left, end=WIDTH - 80.0, zero=True)
    top, picture = legend(series, marks=False)
    head = top + references(gates, scale, top, 0)[0]
    bottom = head + block * len(labels) + 2
    parts = [picture, value_axis(scale, head, bottom), references(gates, scale, top, bottom)[1]]
    parts += [
        text(left - 12, head + block * (k + 0.5) + 4, shortened(label, 26), anchor="end") for k, label in enumerate(labels)
    ]
    rank, order, zero = _ranks(labels), _ranks(series), scale.place(0.0)
    for row in rows:
        if row.value is None:
            continue
        y = head + block * rank[row.label] + 6 + thick * order[row.group]
        near, far = sorted((zero, scale.place(row.value)))
        parts.append(box(near, y, far - near, thick - 2, f"s{series[row.group]}"))
        parts.append(text(far + 6, y + thick / 2 + 3, shown(row.value), kind="number"))
    parts.append(line(zero, head, zero, bottom, "axis"))
    return bottom + 28, joined(parts)


def _histogram(chart: Chart, rows: list[Row]) -> tuple[float, Markup]:
    gates, labels, series = gates_of(chart), distinct(row.label for row in rows), _series(rows)
    top, picture = legend(series, marks=False)
    scale = axis([row.value for row in rows] + list(gates.values()), start=top + 220, end=top + 12, zero=True)
    left = margin(map(shown, scale.ticks))
    width = (WIDTH - 8 - left) / len(labels)
    every = max(1, -(-len(labels) * (max(map(len, labels)) + 2) * 7 // int(WIDTH - left)))
    rank, order, base = _ranks(labels), _ranks(series), scale.place(0.0)
    thick = (width - min(2.0, width / 5)) / len(series)
    parts = [picture, height_axis(scale, left)]
    for row in rows:
        if row.value is None:
            continue
        x, y = left + width * rank[row.label] + thick * order[row.group], scale.place(row.value)
        hover = f"{row.label} {row.group}: {shown(row.value)}"
        parts.append(box(x, min(y, base), thick, abs(base - y), f"s{series[row.group]}", hover))
    for label in labels[::every]:
        parts.append(
            text(left + width * (rank[label] + 0.5), scale.start + 18, shortened(label, 14), kind="tick", anchor="middle")
        )
    words = text(left, scale.start + 40, _title(chart, chart.label), kind="caption")
    return scale.start + 50, joined([*parts, levels(gates, scale, left), line(left, base, WIDTH - 8, base, "axis"), words])


def _matrix(chart: Chart, rows: list[Row]) -> tuple[float, Markup]:
    labels, groups = distinct(row.label for row in rows), distinct(row.group for row in rows)
    left = margin(labels, 18)
    size = min(max((WIDTH - left - 8) / len(groups), 16.0), 84.0)
    tall = min(size, 44.0)
    widest = 8.0 * max(len(shortened(group, 18)) for group in groups)
    turned = widest > size - 4
    head = 26 + (widest * 0.6 + 12 if turned else 20)
    parts = [text(4, 14, f"rows: {_title(chart, chart.label)}, columns: {_title(chart, chart.group)}", kind="caption")]
    for k, group in enumerate(groups):
        x, anchor = left + size * (k + 0.5), "start" if turned else "middle"
        parts.append(text(x, head - 6, shortened(group, 18), anchor=anchor, turn=-36 if turned else 0))
    parts += [
        text(left - 10, head + tall * (k + 0.5) + 4, shortened(label, 18), anchor="end") for k, label in enumerate(labels)
    ]
    kind = next(column.kind for column in chart.table.columns if column.name == chart.value)
    values = [row.value for row in rows if row.value is not None]
    low, high = min(values, default=0.0), max(values, default=1.0)
    across, down = _ranks(groups), _ranks(labels)
    for row in rows:
        x, y = left + size * across[row.group], head + tall * down[row.label]
        share = (row.value - low) / (high - low) if row.value is not None and high > low else 0.0
        level = min(int(share * 8), 7)
        words = shown(row.value, kind)
        parts.append(box(x + 1, y + 1, size - 2, tall - 2, f"q{level}", f"{row.label}, {row.group}: {words}"))
        if size >= 7.5 * len(words) + 4:
            parts.append(text(x + size / 2, y + tall / 2 + 4, words, kind=f"number t{level}", anchor="middle"))
    return head + tall * len(labels) + 6, joined(parts)


def _lines(chart: Chart, rows: list[Row]) -> tuple[float, Markup]:
    gates, series = gates_of(chart), _series(rows)
    top, picture = legend(series, marks=True)
    values = [v for row in rows for v in (row.value, row.low, row.high)] + list(gates.values())
    scale = axis(values, start=top + 240, end=top + 12)
    left = margin(map(shown, scale.ticks))
    across = axis([row.x for row in rows], start=left + 8, end=WIDTH - 24, log=True)
    parts = [picture, height_axis(scale, left), levels(gates, scale, left)]
    parts += [text(across.place(t), scale.start + 18, tick(t), kind="tick", anchor="middle") for t in across.ticks]
    for group, number in series.items():
        line_rows = sorted((row for row in rows if row.group == group), key=lambda row: row.x or 0.0)
        band = [
            (across.place(r.x), scale.place(r.low), scale.place(r.high))
            for r in line_rows
            if r.x is not None and r.low is not None and r.high is not None
        ]
        if len(band) > 1:
            outline = [(x, high) for x, _, high in band] + [(x, low) for x, low, _ in reversed(band)]
            parts.append(path(outline, number, closed=True))
        known = [(across.place(r.x), scale.place(r.value), r) for r in line_rows if r.x is not None and r.value is not None]
        parts.append(path([(x, y) for x, y, _ in known], number))
        if len(known) <= 60:
            parts += [mark(x, y, number, f"{r.group} {r.label}: {shown(r.value)}") for x, y, r in known]
    words = _title(chart, chart.label) + (" (logarithmic)" if across.logarithmic else "")
    floor = line(left, scale.start, WIDTH - 8, scale.start, "axis")
    return scale.start + 50, joined([*parts, floor, text(left, scale.start + 40, words, kind="caption")])


def _title(chart: Chart, name: str | None) -> str:
    column = next((column for column in chart.table.columns if column.name == name), None)
    return shown(column.title or column.name.replace("_", " ")) if column else ""


def _ranks(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}
