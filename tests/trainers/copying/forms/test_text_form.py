"""Delimited text: a new column, and everything else byte for byte."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.tables.tables import read_table
from auditor.values.errors import DatasetError
from auditor.values.image import Limits
from trainers.copying.forms.column import CorrectedColumn, Place, named
from trainers.copying.forms.form import written

TEXT = b'\xef\xbb\xbfid,"fin,ding",note\r\n007,NA,"a\r\nb"\r\n\r\n008,"x, ""y""",=1+1\r\nbad,row,1,2\r\n009,z\r\n'


def corrected(
    tmp_path: Path, content: bytes, column: str, changed: dict[int, str], name: str = "t.csv", leave: tuple[int, ...] = ()
) -> bytes:
    (tmp_path / name).write_bytes(content)
    table = read_table(tmp_path / name)
    kept = np.array([row not in leave for row in range(len(table.lines))])
    new = CorrectedColumn(name=f"{column}_corrected", beside=column, changed=changed)
    return written(Limits(), name, content, Place(lines=table.lines, kept=kept), [new])


def test_quotes_line_ends_blank_lines_and_marks_stay_as_they_are(tmp_path: Path) -> None:
    assert corrected(tmp_path, TEXT, "fin,ding", {0: "new, one"}) == (
        b'\xef\xbb\xbfid,"fin,ding","fin,ding_corrected",note\r\n'
        b'007,NA,"new, one","a\r\nb"\r\n'
        b"\r\n"
        b'008,"x, ""y""","x, ""y""",=1+1\r\n'
        b"bad,row,,1,2\r\n"
        b"009,z,z\r\n"
    )


def test_a_malformed_row_does_not_become_a_good_one(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_bytes(corrected(tmp_path, TEXT, "fin,ding", {0: "n"}))
    table = read_table(tmp_path / "new.csv")
    assert list(table.frame["id"]) == ["007", "008", "009"]
    assert [p.kind for p in table.problems] == ["malformed"]
    assert list(table.frame["fin,ding_corrected"]) == ["n", 'x, "y"', "z"]


def test_a_row_that_leaves_takes_its_lines_along(tmp_path: Path) -> None:
    content = corrected(tmp_path, TEXT, "fin,ding", {}, leave=(0,))
    assert b"007" not in content
    assert b'008,"x, ""y""","x, ""y"""' in content


@pytest.mark.parametrize(("encoding", "word"), [("utf-8", "Übel"), ("latin-1", "Übel"), ("utf-16", "Übel")])
def test_the_encoding_stays(tmp_path: Path, encoding: str, word: str) -> None:
    content = f"id,label\n1,{word}\n2,gut\n".encode(encoding)
    assert corrected(tmp_path, content, "label", {1: word}).decode(encoding) == (
        f"id,label,label_corrected\n1,{word},{word}\n2,gut,{word}\n"
    )


@pytest.mark.parametrize(
    ("above", "mark", "encoding", "word"),
    [
        ("sep=;\r\n", ";", "utf-8", "a"),
        ("Export of Monday;;\r\n;;\r\n", ";", "utf-8", "a"),
        ("", ",", "utf-16-le", "a"),
        ("", ",", "gb18030", "恶性"),
        ("", ",", "cp949", "악성"),
    ],
)
def test_what_stands_above_the_header_stays_and_so_does_every_encoding(
    tmp_path: Path, above: str, mark: str, encoding: str, word: str
) -> None:
    rows = [["id", "label", "x"], ["1", word, "2"], ["2", "b", "3"]]
    wanted = [["id", "label", "label_corrected", "x"], ["1", word, "z", "2"], ["2", "b", "b", "3"]]
    text, new = (above + "".join(mark.join(row) + "\r\n" for row in table) for table in (rows, wanted))
    assert corrected(tmp_path, text.encode(encoding), "label", {0: "z"}).decode(encoding) == new


def test_a_table_without_a_header_gets_no_column(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no header line"):
        corrected(tmp_path, b"a/b/1.png,x\r\na/b/2.png,y\r\n", "column 2", {0: "z"})


def test_a_value_that_the_encoding_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cp1252"):
        corrected(tmp_path, "id,label\n1,Übel\n2,gut\n".encode("latin-1"), "label", {1: "腫瘍"})


def test_tabs_semicolons_and_gzip_are_kept(tmp_path: Path) -> None:
    assert corrected(tmp_path, b"id\tlabel\n1\ta\n", "label", {0: "b"}, "t.tsv") == b"id\tlabel\tlabel_corrected\n1\ta\tb\n"
    assert corrected(tmp_path, b"id;label\n1;a\n2;c\n", "label", {0: "b"}) == b"id;label;label_corrected\n1;a;b\n2;c;c\n"
    import gzip

    packed = corrected(tmp_path, gzip.compress(b"id,label\n1,a\n"), "label", {0: "b"}, "t.csv.gz")
    assert gzip.decompress(packed) == b"id,label,label_corrected\n1,a,b\n"


def test_rows_that_are_not_there_and_other_values_are_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="other rows"):
        written(Limits(), "t.csv", b"id,label\n1,a\n", Place(lines=np.zeros(2, np.int64), kept=np.ones(2, bool)), [])
    column = CorrectedColumn(name="new", beside="label", changed={0: "b"}, was={0: "other"})
    with pytest.raises(DatasetError, match="another 'label'"):
        written(Limits(), "t.csv", b"id,label\n1,a\n", Place(lines=np.zeros(1, np.int64), kept=np.ones(1, bool)), [column])


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b'id,label\n1,5" nail\n2,b\n', b'id,label,label_corrected\n1,5" nail,x\n2,b,b\n'),
        (b"id,label,,\n1,a\n2,b\n", b"id,label,label_corrected,,\n1,a,x\n2,b,b\n"),
        (b"id,label\n1,a,\n2,b,\n", b"id,label,label_corrected\n1,a,x,\n2,b,b,\n"),
        (b'id,label\n1," a "\n,\n2,b', b'id,label,label_corrected\n1," a ",x\n,,\n2,b,b'),
        (b'id,label\n1,a\n2,"b\n', b'id,label,label_corrected\n1,a,x\n2,"b,"b\n'),
    ],
)
def test_ragged_tables_keep_their_shape(tmp_path: Path, content: bytes, wanted: bytes) -> None:
    assert corrected(tmp_path, content, "label", {0: "x"}) == wanted


def test_a_column_name_that_is_taken_gets_a_number() -> None:
    assert named(["a"], "a") == "a_corrected"
    assert named(["a", "a_corrected"], "a") == "a_corrected_2"


CELL = st.text(st.sampled_from('a0 ",;\n\r=+é'), max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6), st.dictionaries(st.integers(0, 5), CELL, max_size=3))
def test_any_table_that_a_program_writes_reads_back_with_its_new_column(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], changed: dict[int, str]
) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([("id", "label", "end"), *((f"r{i}", label, more) for i, (label, more) in enumerate(rows))])
    content = stream.getvalue().encode()
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(content)
    table = read_table(path)
    if len(table.lines) != len(rows):
        return  # a lone carriage return ends a line for some readers
    wanted = {row: text for row, text in changed.items() if row < len(rows)}
    new = CorrectedColumn(name="new", beside="label", changed=wanted)
    made = written(Limits(), "t.csv", content, Place(lines=table.lines, kept=np.ones(len(rows), bool)), [new])
    read = list(csv.reader(io.StringIO(made.decode(), newline="")))
    assert read[0] == ["id", "label", "new", "end"]
    assert [row[2] for row in read[1:]] == [wanted.get(i, label) for i, (label, _) in enumerate(rows)]
    assert [(row[1], row[3]) for row in read[1:]] == rows
