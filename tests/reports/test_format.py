"""Which format an output has, and that files are written whole or not at all."""

from pathlib import Path

import pytest

from auditor.errors import ConfigError, MedauditError
from reports.format import formats, parse_output, write_files, write_outputs


def test_the_formats_are_found():
    assert {"json", "html", "csv", "rich"} <= set(formats())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("report.html", ("html", Path("report.html"))),
        ("out/R.HTM", ("html", Path("out/R.HTM"))),
        ("csv:findings.txt", ("csv", Path("findings.txt"))),
        ("json:out/x", ("json", Path("out/x"))),
        ("a:b.json", ("json", Path("a:b.json"))),
    ],
)
def test_suffix_or_prefix_decide_the_format(text, expected):
    assert parse_output(text) == expected


@pytest.mark.parametrize("text", ["report.pdf", "report", "json:", "json:..", "pdf:x.html:", ""])
def test_an_output_that_cannot_be_is_refused(text):
    with pytest.raises(ConfigError, match="-o"):
        parse_output(text)


def test_a_folder_is_no_output(tmp_path):
    (tmp_path / "x.json").mkdir()
    with pytest.raises(ConfigError, match="folder"):
        parse_output(str(tmp_path / "x.json"))


def test_outputs_and_side_files_are_written(small_result, hostile_result, tmp_path):
    paths = write_outputs(hostile_result, [("json", tmp_path / "new" / "r.json"), ("csv", tmp_path / "f.csv")])
    assert [p.name for p in paths] == ["r.json", "r.LN002.label_scores.parquet", "f.csv"]
    assert all(p.is_file() for p in paths)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == sorted(p.name for p in paths)


def test_two_outputs_in_one_file_are_refused_before_anything_is_written(small_result, tmp_path):
    with pytest.raises(ConfigError, match="two outputs"):
        write_outputs(small_result, [("json", tmp_path / "x"), ("html", tmp_path / "x")])
    assert list(tmp_path.iterdir()) == []


def test_when_one_file_cannot_be_written_the_old_ones_stay(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(MedauditError, match="nothing was replaced"):
        write_files({tmp_path / "a": b"new", tmp_path / "file" / "b": b"new"})
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "file"]


def test_a_name_of_255_bytes_can_be_written(tmp_path):
    path = tmp_path / ("é" * 125 + ".json")
    write_files({path: b"x"})
    assert path.read_bytes() == b"x"
