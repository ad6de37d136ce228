"""result.json: the whole truth."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest

from auditor.values.results import Chart, Column, Outcome, Run, Table, Verdict
from reports.formats.json import render

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "result.schema.json").read_text())
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def mismatches(value, schema, path="$"):
    """What of the value the schema does not allow or does not know: the part of JSON Schema that ours uses."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{path}: {value!r} not in {schema['enum']}"]
    allowed = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    fits = any(isinstance(value, TYPES[t]) and (t == "boolean" or not isinstance(value, bool)) for t in allowed)
    if not fits:
        return [f"{path}: {type(value).__name__} is not {allowed}"]
    found = []
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append(f"{path}: {value!r} does not match {schema['pattern']}")
    if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{path}: {value} out of bounds")
    if isinstance(value, list):
        found += [m for k, item in enumerate(value) for m in mismatches(item, schema["items"], f"{path}[{k}]")]
    if isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties")
        found += [f"{path}: {key} is missing" for key in schema.get("required", ()) if key not in value]
        for key, item in value.items():
            inner = known.get(key, other)
            found += mismatches(item, inner, f"{path}.{key}") if inner else [f"{path}.{key}: not in the schema"]
    return found


def written(result, name="result.json"):
    return json.loads(render(result, name)[name])


def outcome(document, code):
    return next(o for o in document["outcomes"] if o["code"] == code)


def with_verdict(result, verdict):
    return replace(result, outcomes=(Outcome(code="LN002", name="n", title="t", status="passed", verdict=verdict),))


def test_the_result_follows_its_schema(hostile_result, small_result):
    assert mismatches(written(hostile_result), SCHEMA) == []
    assert mismatches(written(small_result), SCHEMA) == []


def test_the_schema_is_one_and_a_validator_of_json_schema_agrees(hostile_result, small_result):
    validator = jsonschema.validators.validator_for(SCHEMA)
    validator.check_schema(SCHEMA)
    for result in (hostile_result, small_result):
        assert list(validator(SCHEMA).iter_errors(written(result))) == []


def test_the_schema_would_see_a_wrong_result(small_result):
    document = written(small_result)
    document["outcomes"][0]["findings"][0]["severity"] = "fatal"
    document["records"] = True
    del document["gate"]["verdict"]
    assert len(mismatches(document, SCHEMA)) == 3


def test_two_runs_differ_under_run_only(hostile_result):
    later = replace(
        hostile_result,
        outcomes=tuple(replace(o, seconds=o.seconds + 1) for o in hostile_result.outcomes),
        run=Run(started="2027", seconds=1.0, host="other", stages={"extract": 0.1}, cache={"hits": 99}),
    )
    a, b = written(hostile_result), written(later)
    assert a.pop("run") != b.pop("run")
    assert a == b
    assert list(a)[:3] == ["schema_version", "tool_version", "gate"]


def test_a_long_table_goes_whole_to_a_side_file_that_the_json_names(hostile_result):
    files = render(hostile_result, "audit.json")
    assert list(files) == ["audit.json", "audit.LN002.label_scores.parquet"]
    entry = outcome(json.loads(files["audit.json"]), "LN002")["tables"]["label_scores"]
    assert entry["file"] == "audit.LN002.label_scores.parquet"
    assert entry["row_count"] == 5000
    assert "rows" not in entry
    table = pq.read_table(io.BytesIO(files[entry["file"]]))
    assert table.num_rows == 5000
    assert table.column_names == ["record", "given", "suggested", "score", "flagged"]
    assert table.column("score").null_count == 1
    assert table.column("given").null_count == 0  # the class NA is a class


@pytest.mark.parametrize(("rows", "side"), [(1000, False), (1001, True)])
def test_the_limit_is_a_thousand_rows(small_result, rows, side):
    table = Table(name="t/../x", title="", columns=(Column(name="n", kind="integer", values=range(rows)),))
    files = render(with_verdict(small_result, Verdict(summary="s", tables=(table,))), "r.json")
    assert list(files)[1:] == (["r.LN002.t_.._x.parquet"] if side else [])


def test_a_million_rows_are_written(small_result):
    count = 1_000_000
    columns = (
        Column(name="record", kind="record", values=np.arange(count).astype("U7")),
        Column(name="score", kind="fraction", values=np.linspace(0, 1, count)),
    )
    files = render(
        with_verdict(small_result, Verdict(summary="s", tables=(Table(name="t", title="", columns=columns),))), "r.json"
    )
    assert pq.read_metadata(io.BytesIO(files["r.LN002.t.parquet"])).num_rows == count


def test_what_is_not_finite_is_null(small_result):
    document = written(small_result)
    assert outcome(document, "LK001")["metrics"]["nothing"] is None
    assert outcome(document, "LK001")["tables"]["fields"]["rows"][4][5] is None
    text = render(small_result, "r.json")["r.json"].decode()
    assert "NaN" not in text
    assert "Infinity" not in text


def test_tables_of_one_name_are_both_kept(small_result):
    first, second = (Table(name="t", title=str(k), columns=(Column(name="n", kind="integer", values=(k,)),)) for k in (1, 2))
    chart = Chart(name="c", title="", kind="bars", table=second, label="n", value="n")
    tables = written(with_verdict(small_result, Verdict(summary="s", tables=(first,), charts=(chart,))))["outcomes"][0][
        "tables"
    ]
    assert {key: (t["name"], t["listed"], t["rows"]) for key, t in tables.items()} == {
        "t": ("t", True, [[1]]),
        "t-2": ("t", False, [[2]]),
    }


def test_the_file_can_be_printed_to_a_terminal(hostile_result):
    text = render(hostile_result, "r.json")["r.json"].decode("utf-8")
    for character in "\x1b\x9b\u202e\x7f":
        assert character not in text
    assert "\\u202e" in text
    assert "é" in text


def test_a_finding_is_one_line(small_result):
    lines = render(small_result, "r.json")["r.json"].decode().splitlines()
    assert sum(line.lstrip().startswith('{"code": "LK001", "severity"') for line in lines) == 2


def test_the_delete_character_is_escaped(small_result):
    result = replace(small_result, dataset=replace(small_result.dataset, name="a\x7fb\u2028c😀"))
    raw = render(result, "r.json")["r.json"].decode()
    assert "\x7f" not in raw
    assert "\u2028" not in raw
    assert json.loads(raw)["dataset"]["name"] == "a\x7fb\u2028c😀"
