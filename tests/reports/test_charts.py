"""Charts as SVG: well-formed, described, escaped, and true to their numbers."""

import math
import xml.etree.ElementTree as ET

import pytest

from auditor.values.results import Chart, Column, Table
from reports.charts import draw

SVG = "{http://www.w3.org/2000/svg}"


def chart(kind, columns, **roles):
    kinds = {str: "text", int: "integer", float: "number"}
    table = Table(
        name="t",
        title="T",
        columns=tuple(
            Column(
                name=name,
                kind=kinds[type(next(v for v in values if v is not None))] if values else "text",
                values=tuple(values),
            )
            for name, values in columns.items()
        ),
    )
    return Chart(name="c", title="A <chart> & more", kind=kind, table=table, **roles)


def parsed(drawing):
    return ET.fromstring(str(drawing.svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def test_intervals_are_drawn_where_their_values_are():
    drawing = draw(
        chart(
            "intervals",
            {"f": ["a", "b"], "v": [0.5, 1.0], "l": [0.25, 0.75], "h": [0.75, None]},
            label="f",
            value="v",
            low="l",
            high="h",
            reference={"gate": 0.75, "not there": math.nan},
        ),
        "x",
    )
    root = parsed(drawing)
    whiskers = [line for line in root.iter(f"{SVG}line") if "whisker" in line.get("class")]
    assert len(whiskers) == 3  # one bar with two ends; the second row has no upper end
    bar = whiskers[0]
    gate = next(line for line in root.iter(f"{SVG}line") if line.get("class") == "gate")
    assert float(bar.get("x2")) == pytest.approx(float(gate.get("x1")), abs=0.11)
    mark = next(iter(root.iter(f"{SVG}path"))).get("transform")
    centre = (float(bar.get("x1")) + float(bar.get("x2"))) / 2
    assert float(mark.split("(")[1].split()[0]) == pytest.approx(centre, abs=0.11)


def test_a_chart_has_a_name_and_a_description_for_those_who_cannot_see_it():
    root = parsed(draw(chart("bars", {"f": ["a"], "v": [3]}, label="f", value="v"), "id-1"))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "id-1-t id-1-d"
    assert root.find(f"{SVG}title").text == "A <chart> & more"
    assert root.find(f"{SVG}desc").text == "Bar chart. a: 3."


def test_bars_are_as_long_as_their_values():
    root = parsed(draw(chart("bars", {"f": ["a", "b", "c"], "v": [10, -5, 0]}, label="f", value="v"), "x"))
    widths = [float(r.get("width")) for r in root.iter(f"{SVG}rect")]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)
    assert widths[2] == 0


def test_a_histogram_has_a_bar_per_bin_and_group():
    columns = {"bin": ["0", "1"] * 2, "n": [1, 2, 3, 4], "g": ["train", "train", "test", "test"]}
    root = parsed(draw(chart("histogram", columns, label="bin", value="n", group="g"), "x"))
    bars = [r for r in root.iter(f"{SVG}rect") if r.find(f"{SVG}title") is not None]
    heights = [float(r.get("height")) for r in bars]
    assert [h / heights[0] for h in heights] == pytest.approx([1, 2, 3, 4], abs=0.02)


def test_matrix_cells_carry_their_numbers():
    columns = {"given": ["a", "a", "b", "b"], "suggested": ["a", "b", "a", "b"], "v": [0.9, 0.1, None, 0.72]}
    root = parsed(draw(chart("matrix", columns, label="given", group="suggested", value="v"), "x"))
    words = [t.text for t in root.iter(f"{SVG}text")]
    assert {"0.9", "0.1", "–", "0.72"} <= set(words)
    levels = [r.get("class") for r in root.iter(f"{SVG}rect")]
    assert levels == ["q7", "q0", "q0", "q6"]


def test_a_matrix_of_many_classes_says_that_it_shows_a_part():
    names = [f"class {k}" for k in range(40)]
    columns = {"a": [x for x in names for _ in names], "b": names * 40, "v": [0.5] * 1600}
    drawing = draw(chart("matrix", columns, label="a", group="b", value="v"), "x")
    assert "of 1,600 rows" in drawing.note


def test_a_line_breaks_at_nothing_and_sorts_by_its_axis():
    columns = {"n": [400, 100, 200], "v": [0.8, 0.6, 0.7], "l": [0.7, 0.5, None], "h": [0.9, 0.7, None]}
    root = parsed(draw(chart("lines", columns, label="n", value="v", low="l", high="h"), "x"))
    places = [tuple(map(float, p.split(","))) for p in root.find(f"{SVG}polyline").get("points").split()]
    assert places == sorted(places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)
    assert len(root.find(f"{SVG}polygon").get("points").split()) == 4


def test_hostile_words_are_escaped(hostile_names):
    drawing = draw(chart("bars", {"f": list(hostile_names), "v": [1] * len(hostile_names)}, label="f", value="v"), "x")
    assert "<script" not in drawing.svg
    assert "<img" not in drawing.svg
    assert "\x1b" not in drawing.svg
    assert "\u202e" not in drawing.svg
    parsed(drawing)


def test_an_empty_table_is_said_to_be_empty():
    drawing = draw(chart("bars", {"f": [], "v": []}, label="f", value="v"), "x")
    assert drawing.svg == ""
    assert "empty" in drawing.note


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no column oops"):
        draw(chart("bars", {"f": ["a"], "v": [1]}, label="f", value="oops"), "x")


def test_two_hundred_rows_are_cut_with_a_word():
    drawing = draw(chart("bars", {"f": [str(k) for k in range(200)], "v": list(range(200))}, label="f", value="v"), "x")
    assert drawing.note == "Drawn: the first 80 of 200 rows; the table has the rest."


@pytest.mark.parametrize("kind", ["intervals", "bars", "histogram", "matrix", "lines"])
def test_a_single_row_without_a_value_is_drawn(kind):
    columns = {"f": ["a"], "v": [None], "g": ["g"]}
    table = Table(
        name="t",
        title="",
        columns=tuple(Column(name=k, kind="number" if k == "v" else "text", values=tuple(v)) for k, v in columns.items()),
    )
    parsed(draw(Chart(name="c", title="t", kind=kind, table=table, label="f", value="v", group="g"), "x"))
