"""`medaudit compare BEFORE.json AFTER.json`: what was introduced decides the exit code."""

import json
import re

import pytest
from comparisons import BLANK, COPIES, LEAK, NOISE, scanned

from medaudit.cli import main
from reports.format import write_outputs
from reports.load import load_comparison


@pytest.fixture
def results(tmp_path):
    """Writes two scans with these findings and gives their paths."""

    def write(before, after):
        pair = [("before", before), ("after", after)]
        return [str(write_outputs(scanned(found), [("json", tmp_path / f"{name}.json")])[0]) for name, found in pair]

    return write


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [([*COPIES, NOISE], [NOISE], 0), ([NOISE], [NOISE, BLANK], 1), ([NOISE], [NOISE, LEAK], 0), ([NOISE], [NOISE], 0)],
)
def test_the_exit_code_is_1_when_something_above_a_note_was_introduced(results, before, after, code, capsys):
    assert main(["compare", *results(before, after)]) == code
    assert ("NEW FINDINGS" in capsys.readouterr().out) == bool(code)


def test_the_page_and_the_document_are_written(results, tmp_path, capsys):
    page, document = tmp_path / "out" / "comparison.html", tmp_path / "out" / "comparison.json"
    assert main(["compare", *results([*COPIES, NOISE], [NOISE]), "-o", str(page), "-o", str(document)]) == 0
    assert "CORRECTED" in page.read_text("utf-8")
    assert load_comparison(document).fixed == COPIES
    assert "comparison.html" in re.sub(r"\s", "", capsys.readouterr().out)


def test_what_cannot_be_read_or_written_is_exit_2_in_one_line(results, tmp_path, capsys):
    before, after = results([NOISE], [NOISE])
    (tmp_path / "other.json").write_text(json.dumps({"a": 1}))
    for arguments in (
        [before, str(tmp_path / "gone.json")],
        [before, str(tmp_path / "other.json")],
        [before, after, "-o", str(tmp_path / "x.csv")],
        [before, after, "-o", str(tmp_path / "x.unknown")],
    ):
        assert main(["compare", *arguments]) == 2
        error = capsys.readouterr().err
        assert error.startswith("medaudit: ")
        assert error.count("\n") == 1
    assert not (tmp_path / "x.csv").exists()
