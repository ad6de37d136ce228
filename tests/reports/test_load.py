"""result.json is read back as it was written, and nothing else is taken for one."""

import json
from dataclasses import replace

import pytest

from auditor.values.errors import MedauditError
from auditor.values.results import ScanResult, Table
from reports.cell import arrow, cells, plain, plain_mapping
from reports.format import write_outputs
from reports.load import load_result


def canonical(result: ScanResult) -> ScanResult:
    """The same result with tuples of plain values, and null for what is not finite."""

    def table(t: Table) -> Table:
        return replace(t, columns=tuple(replace(c, values=tuple(cells(arrow(c)))) for c in t.columns))

    def verdict(v):
        return v and replace(
            v,
            metrics=plain_mapping(v.metrics),
            tables=tuple(map(table, v.tables)),
            charts=tuple(replace(c, table=table(c.table), reference=plain_mapping(c.reference)) for c in v.charts),
            findings=tuple(replace(f, score=plain(f.score)) for f in v.findings),
        )

    return replace(result, outcomes=tuple(replace(o, verdict=verdict(o.verdict)) for o in result.outcomes))


@pytest.fixture
def written(hostile_result, tmp_path):
    return write_outputs(hostile_result, [("json", tmp_path / "result.json")])[0]


def edited(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


def test_what_is_written_is_read_back_equal(hostile_result, small_result, tmp_path):
    drawn = replace(small_result, thumbnails=dict(list(hostile_result.thumbnails.items())[:1]))
    for result in (hostile_result, drawn):
        path = write_outputs(result, [("json", tmp_path / "result.json")])[0]
        assert load_result(path) == canonical(result)


def test_a_chart_shares_the_table_that_is_listed(written):
    outcome = next(o for o in load_result(written).outcomes if o.code == "LK001")
    assert outcome.verdict.charts[0].table is outcome.verdict.tables[0]


def test_unknown_keys_are_passed_over(written):
    def change(document):
        document["new"] = 1
        document["outcomes"][0]["new"] = document["outcomes"][0]["findings"][0]["new"] = {}
        document["gate"]["new"] = document["run"]["new"] = 1

    before = load_result(written)
    assert load_result(edited(written, change)) == before


def test_a_result_without_the_optional_keys_opens(written):
    def change(document):
        for key in ("configuration", "documentation", "thumbnails", "run"):
            del document[key]

    assert load_result(edited(written, change)).run.seconds == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(schema_version=99), "newer medaudit"),
        (lambda d: d.pop("schema_version"), "not a result of medaudit"),
        (lambda d: d.update(schema_version="1"), "not a result of medaudit"),
        (lambda d: d.pop("gate"), "damaged"),
        (lambda d: d["outcomes"][0].pop("code"), "damaged"),
        (lambda d: d["outcomes"][0]["findings"][0].update(severity="bad"), "damaged"),
        (lambda d: d["outcomes"][7]["tables"]["label_scores"].update(file="../other.parquet"), "beside the result"),
        (lambda d: d["outcomes"][7]["tables"]["label_scores"].update(file="/etc/passwd"), "beside the result"),
        (lambda d: d["outcomes"][7]["tables"]["label_scores"].update(file="gone.parquet"), "gone.parquet"),
        (lambda d: d["outcomes"][7]["tables"]["label_scores"].update(file="result.json"), "damaged"),
        (lambda d: d["outcomes"][7]["tables"]["label_scores"].update(row_count=9), "should have 9 rows"),
        (lambda d: d["outcomes"][7]["tables"]["label_scores"]["columns"][0].update(name="x"), "column 'x' is missing"),
    ],
)
def test_what_is_not_a_whole_result_is_refused_in_words(written, change, message):
    with pytest.raises(MedauditError, match=message):
        load_result(edited(written, change))


def test_a_file_that_is_not_json_is_refused(tmp_path):
    for content in (b"", b"PK\x03\x04\xff", b"[1]", b"null"):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(MedauditError, match=r"x\.json"):
            load_result(tmp_path / "x.json")
    with pytest.raises(MedauditError, match="cannot be read"):
        load_result(tmp_path / "not-there.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["gate"].update(exit_code="three"),
        lambda document: document["gate"].update(verdict="green"),
        lambda document: document["dataset"].update(classes="abc", counts=[1]),
        lambda document: document["outcomes"][0].update(status="unknown"),
        lambda document: document["outcomes"][0].update(
            summary="x", findings=[{"code": 1, "severity": "error", "message": {}}]
        ),
        lambda document: document.update(records=[]),
        lambda document: document.update(run={"stages": {"open": "long"}}),
        lambda document: document.update(thumbnails=7),
        lambda document: document.update(configuration={"a": {"b": {}}}),
    ],
)
def test_a_result_of_another_shape_is_refused_in_one_line(small_result, tmp_path, change):
    path = edited(write_outputs(small_result, [("json", tmp_path / "result.json")])[0], change)
    with pytest.raises(MedauditError, match="damaged") as refused:
        load_result(path)
    assert "\n" not in str(refused.value)


def test_a_chart_is_of_numbers_that_its_table_holds(written):
    def outcome(document):
        return next(o for o in document["outcomes"] if o.get("charts"))

    def change_cells(document):
        chart = outcome(document)["charts"][0]
        table = outcome(document)["tables"][chart["table"]]
        place = [column["name"] for column in table["columns"]].index(chart["value"])
        table["rows"][0][place] = "many"

    whole = written.read_text()
    for change in (change_cells, lambda document: outcome(document)["charts"][0].update(value="no such column")):
        written.write_text(whole)
        with pytest.raises(MedauditError, match="damaged"):
            load_result(edited(written, change))
