"""Which format an output has, and that all of them are written together."""

from pathlib import Path

import pytest

from auditor.values.errors import ConfigError
from reports.format import formats, parse_output, write_outputs


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


@pytest.mark.parametrize("name", ["labels.csv", "old.html", "data.json", "a.sarif", "n.md"])
def test_a_file_of_somebody_else_is_not_written_over(small_result, tmp_path, name):
    path = tmp_path / name
    path.write_text("image,label\n1.png,a\n")
    with pytest.raises(ConfigError, match="no output of medaudit"):
        write_outputs(small_result, [parse_output(str(path))])
    assert path.read_text() == "image,label\n1.png,a\n"
    path.write_text("")
    write_outputs(small_result, [parse_output(str(path))])


def test_every_format_of_ours_knows_its_own_output_again(small_result, tmp_path):
    outputs = [(name, tmp_path / f"out.{name}") for name in formats()]
    write_outputs(small_result, outputs)
    write_outputs(small_result, outputs)
