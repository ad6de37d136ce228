"""One writer for every CSV: no formula, no control character, and every text is read back as it was."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.values.cells import FORMULA, HIDDEN, as_cell, csv_bytes, from_cell

TEXT = st.text(st.characters(), max_size=10) | st.sampled_from(
    ["=1", "'=1", "\\n", "\\\\x1b", "a\\b", "\x1b[2J", "-1.5", "＝1"]
)
ROOT = Path(__file__).parents[3]
OF_THE_USER = {
    "trainers/copying/source.py", "trainers/copying/additions.py", "trainers/copying/beside.py", "medaudit/flawed.py",
    "auditor/tables/workbook.py",
}  # fmt: skip
"""Who else writes CSV: a table in the user's own form, whose cells stay what they were, made-up data, and a sheet that is
read as text in memory and written to no file."""


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_a_cell_is_safe_and_is_read_back(text: str) -> None:
    written = as_cell(text)
    assert from_cell(written) == text
    assert HIDDEN.search(written) is None
    assert not written.lstrip().startswith(FORMULA)


@pytest.mark.parametrize("text", ["=1+1", "+1+cmd", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "\u3000＋x"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert as_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["-1.5", "+3", "-2e-05", "12", "a\\b", "C:\\data\\x", "chest, left", ""])
def test_plain_texts_and_numbers_stay(text: str) -> None:
    assert as_cell(text, data=True) == text
    assert from_cell(as_cell(text)) == text


def test_a_file_holds_header_rows_numbers_and_blanks() -> None:
    content = csv_bytes(["=a", "b"], [["\x1b[31m", None], ["x,y", -0.5]], separator="\t")
    assert list(csv.reader(io.StringIO(content.decode()), delimiter="\t")) == [["'=a", "b"], ["\\x1b[31m", ""], ["x,y", "-0.5"]]


def test_nobody_else_writes_csv() -> None:
    found = set()
    for room in ("auditor", "medaudit", "reports", "trainers"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Attribute) and (
                    node.attr == "to_csv" or ast.unparse(node) in ("csv.writer", "csv.DictWriter")
                ):
                    found.add(path.relative_to(ROOT).as_posix())
    assert found == {"auditor/values/cells.py", *OF_THE_USER}
