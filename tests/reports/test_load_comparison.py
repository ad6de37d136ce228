"""comparison.json is read back as it was written, and nothing else is taken for one."""

import json
import math
from dataclasses import replace

import pytest
from comparisons import corrections, harmed, improved, no_change, two_scans

from auditor.values.corrections import Proposal
from auditor.values.errors import ConfigError, MedauditError
from reports.cell import plain_mapping
from reports.format import write_comparison, write_outputs
from reports.load import load_comparison, load_result


@pytest.mark.parametrize("make", [improved, harmed, no_change, two_scans])
def test_what_is_written_is_read_back_equal(make, tmp_path):
    comparison = make()
    (path,) = write_comparison(comparison, [("json", tmp_path / "comparison.json")])
    read = load_comparison(path)
    assert read == replace(comparison, changes=plain_mapping(comparison.changes))


def test_long_lists_go_to_side_files_and_come_back(tmp_path):
    comparison = improved()
    many = Proposal(
        strategy="confident",
        summary="s",
        corrections=corrections(2000, 3, "confident"),
        weights={f"{k:05d}": 0.5 for k in range(1500)},
        files={"images/a.png": "private/a.png"},
    )
    arm = replace(comparison.arms[1], proposal=many)
    written = write_comparison(replace(comparison, arms=(arm, arm)), [("json", tmp_path / "c.json")])
    assert [path.name for path in written] == [
        "c.json",
        "c.1-confident.corrections.parquet",
        "c.1-confident.weights.parquet",
        "c.2-confident.corrections.parquet",
        "c.2-confident.weights.parquet",
    ]
    read = load_comparison(written[0]).arms[1].proposal
    assert read.corrections == many.corrections
    assert read.weights == many.weights
    assert read.files == {"images/a.png": ""}
    assert "private/a.png" not in written[0].read_text()


def test_a_chart_shares_its_table_and_what_is_not_finite_is_nan(tmp_path):
    comparison = improved()
    arm = comparison.arms[1]
    main = replace(arm.evaluation.metrics[0], low=math.nan, high=math.inf)
    evaluation = replace(arm.evaluation, metrics=(main,), tables=(*arm.evaluation.tables, arm.evaluation.charts[0].table))
    (path,) = write_comparison(
        replace(comparison, arms=(replace(arm, evaluation=evaluation),)), [("json", tmp_path / "c.json")]
    )
    read = load_comparison(path).arms[0].evaluation
    assert read.charts[0].table is read.tables[-1]
    assert math.isnan(read.metrics[0].low)
    assert math.isnan(read.metrics[0].high)


def test_old_comparisons_and_unknown_keys_open(tmp_path):
    (path,) = write_comparison(improved(), [("json", tmp_path / "c.json")])
    document = json.loads(path.read_text())
    for key in ("unclear", "remaining"):
        del document["findings"][key]
    for key in (
        "before",
        "after",
        "notes",
        "chosen",
        "trust",
        "configuration",
        "documentation",
        "thumbnails",
        "run",
        "removed",
    ):
        del document[key]
    del document["arms"][1]["proposal"]["weights"]
    document["new"] = document["arms"][0]["new"] = document["arms"][1]["evaluation"]["new"] = {}
    path.write_text(json.dumps(document))
    read = load_comparison(path)
    assert read.before is None
    assert read.arms[1].proposal.weights == {}


def test_a_result_is_no_comparison_and_the_other_way_round(small_result, tmp_path):
    (comparison,) = write_comparison(no_change(), [("json", tmp_path / "c.json")])
    (result,) = write_outputs(small_result, [("json", tmp_path / "r.json")])
    with pytest.raises(MedauditError, match=r"this is a comparison; give the result\.json"):
        load_result(comparison)
    with pytest.raises(MedauditError, match="this is no comparison"):
        load_comparison(result)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(schema_version=99), "newer medaudit"),
        (lambda d: d.pop("verdict"), "damaged"),
        (lambda d: d["arms"][1]["evaluation"]["metrics"][0].pop("low"), "damaged"),
        (lambda d: d["findings"]["fixed"][0].update(severity="bad"), "damaged"),
    ],
)
def test_what_is_not_whole_is_refused_in_words(change, message, tmp_path):
    (path,) = write_comparison(improved(), [("json", tmp_path / "c.json")])
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(MedauditError, match=message):
        load_comparison(path)


def test_two_runs_differ_under_run_only(tmp_path):
    one, two = (
        json.loads(write_comparison(c, [("json", tmp_path / "c.json")])[0].read_text())
        for c in (improved(), replace(improved(), run=replace(improved().run, seconds=1.0, host="other")))
    )
    assert one.pop("run") != two.pop("run")
    assert one == two


def test_a_format_that_shows_no_comparison_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="csv shows no comparison; formats that do: html, json, rich"):
        write_comparison(no_change(), [("csv", tmp_path / "c.csv")])
    assert list(tmp_path.iterdir()) == []
