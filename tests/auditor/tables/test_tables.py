import gzip
import json

import numpy as np
import pandas as pd
import pytest

from auditor.tables import tables
from auditor.tables.csv_table import header_names
from auditor.tables.label_table import add_blank_row, merge_tables
from auditor.tables.tables import preview_table, read_table, table_format
from auditor.values.errors import DatasetError
from auditor.values.image import Limits

NIH_2017 = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
    "00000001_000.png,Cardiomegaly,000,1,058Y,M,PA,2682,2749,0.143,0.143,\n"
    "00000001_001.png,No Finding,001,1,058Y,M,PA,2894,2729,0.143,0.143,\n"
)


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def cells(table, column):
    return table.frame[column].astype(str).tolist()


def test_ids_with_leading_zeros_and_the_class_na_stay_text(tmp_path):
    table = read_table(write(tmp_path / "t.csv", "patient,class\n007,NA\n7,nan\n,\n 8 ,x\n"))
    assert cells(table, "patient") == ["007", "7", "8"]
    assert cells(table, "class") == ["NA", "nan", "x"]
    assert table.lines.tolist() == [2, 3, 5]


def test_the_nih_header_of_2017_with_torn_names_and_a_trailing_comma_is_mended(tmp_path):
    table = read_table(write(tmp_path / "t.csv", NIH_2017))
    assert list(table.frame.columns)[-4:] == [
        "OriginalImage[Width]",
        "OriginalImage[Height]",
        "OriginalImagePixelSpacing[x]",
        "OriginalImagePixelSpacing[y]",
    ]
    assert cells(table, "OriginalImage[Height]") == ["2749", "2729"]
    assert table.rows == 2


def test_the_nih_box_header_is_longer_than_its_rows(tmp_path):
    table = read_table(write(tmp_path / "t.csv", "Image Index,Finding Label,Bbox [x,y,w,h],,,\na.png,Mass,1.5,2,3,4\n"))
    assert list(table.frame.columns) == ["Image Index", "Finding Label", "Bbox [x]", "Bbox [y]", "Bbox [w]", "Bbox [h]"]
    assert cells(table, "Bbox [h]") == ["4"]


def test_quoted_commas_and_line_breaks_keep_cells_and_count_lines(tmp_path):
    table = read_table(write(tmp_path / "t.csv", 'a,b\n"x, y",1\n"two\nlines",2\n"said ""so""",3\n'))
    assert cells(table, "a") == ["x, y", "two\nlines", 'said "so"']
    assert table.lines.tolist() == [2, 3, 5]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_lines(tmp_path, mark):
    rows = [("file", "value", "note"), ("a.png", "1", "x"), ("b.png", "2", "y")]
    table = read_table(write(tmp_path / "t.csv", "\n".join(mark.join(row) for row in rows) + "\n"))
    assert list(table.frame.columns) == ["file", "value", "note"]
    assert cells(table, "file") == ["a.png", "b.png"]


def test_a_semicolon_table_with_decimal_commas_is_no_comma_table(tmp_path):
    table = read_table(write(tmp_path / "t.csv", "file;size;weight\na;1,5;2,5\nb;1,7;2\n"))
    assert cells(table, "size") == ["1,5", "1,7"]


def test_labels_separated_by_bars_do_not_make_a_bar_table(tmp_path):
    table = read_table(write(tmp_path / "t.csv", "file,finding\na,Mass|Nodule\nb,Mass|Nodule\nc,Edema|Mass\n"))
    assert cells(table, "finding")[0] == "Mass|Nodule"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings_are_told_from_the_bytes(tmp_path, encoding):
    table = read_table(write(tmp_path / "t.csv", "datei,größe\nä.png,1\n", encoding))
    assert list(table.frame.columns) == ["datei", "größe"]
    assert cells(table, "datei") == ["ä.png"]
    assert bool(table.notes) == (encoding in ("utf-16", "latin-1"))


def test_latin_1_deep_in_a_long_table_is_read_too(tmp_path):
    text = "a,b\n" + "x,1\n" * 100_000 + "ä,2\n"
    table = read_table(write(tmp_path / "t.csv", text, "latin-1"))
    assert table.rows == 100_001
    assert table.frame["a"].iloc[-1] == "ä"


def test_windows_line_ends_are_no_part_of_a_cell(tmp_path):
    table = read_table(write(tmp_path / "t.csv", "a,b\r\n1,2\r\n3,4\r\n"))
    assert cells(table, "b") == ["2", "4"]
    assert table.lines.tolist() == [2, 3]


def test_short_rows_are_filled_and_long_rows_are_problems(tmp_path):
    table = read_table(write(tmp_path / "t.csv", "a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12,\n"))
    assert table.frame.astype(str).to_numpy().tolist() == [["1", "2", "3"], ["4", "5", ""], ["10", "11", "12"]]
    assert [(p.kind, p.line) for p in table.problems] == [("malformed", 4)]
    assert table.rows == 4
    assert table.lines.tolist() == [2, 3, 5]


def test_gzip_parquet_jsonl_and_json_hold_the_same_text(tmp_path):
    frame = pd.DataFrame({"id": ["007", "7"], "n": [1, 2], "x": [0.5, np.nan], "ok": [True, False]})
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"id,n,x,ok\n007,1,0.5,true\n7,2,,false\n"))
    frame.to_parquet(tmp_path / "t.parquet")
    rows = [{"id": "007", "n": 1, "x": 0.5, "ok": True}, {"id": "7", "n": 2, "x": None, "ok": False}]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "t.json").write_text(json.dumps({"annotations": rows}))
    expected = [["007", "1", "0.5", "true"], ["7", "2", "", "false"]]
    for name in ("t.csv.gz", "t.parquet", "t.jsonl", "t.json"):
        assert read_table(tmp_path / name).frame.astype(str).to_numpy().tolist() == expected, name


def test_json_numbers_keep_their_digits(tmp_path):
    table = read_table(write(tmp_path / "t.jsonl", '{"v": 7.10, "l": ["a", "b"]}\n'))
    assert cells(table, "v") == ["7.10"]
    assert cells(table, "l") == ["a|b"]


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("t.csv", b"", "empty"),
        ("t.csv", b"a,b\n", "no rows"),
        ("t.csv", b"\x89PNG\x00\x00\x00", "not a text table"),
        ("t.csv.gz", b"\x1f\x8b\x08\x00nonsense", "damaged gzip"),
        ("t.parquet", b"PAR1nonsense", "Parquet"),
        ("t.json", b"{", "not valid JSON"),
        ("t.json", b'{"a": 1}', "not a table"),
        ("t.jsonl", b"nonsense\n", "not a table"),
    ],
)
def test_what_is_no_table_ends_with_one_line(tmp_path, name, content, word):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=word) as caught:
        read_table(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_gzip_bomb_ends_at_the_limit(tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000))
    with pytest.raises(DatasetError, match=r"inflates to more than 1 MiB; raise \[limits\] table-bytes"):
        read_table(tmp_path / "t.csv.gz", Limits(table_bytes=1 << 20))


def test_a_preview_reads_the_head_of_a_long_table(tmp_path):
    path = write(tmp_path / "t.csv", "a,b\n" + "".join(f"{i},{i % 3}\n" for i in range(200_000)))
    table = preview_table(path)
    assert 1000 < table.rows < 60_000
    assert not table.problems


def test_doubled_and_empty_column_names_become_unique():
    assert header_names(["a", "a", "", "S[x", "y]"]) == ["a", "a (2)", "column 3", "S[x]", "S[y]"]


def test_tables_of_one_header_become_one(tmp_path):
    one = read_table(write(tmp_path / "train.csv", "f,l\na,x\nb,y\n"))
    two = read_table(write(tmp_path / "test.csv", "f,l\nc,z\n"))
    table = merge_tables([("train", one), ("test", two)], "split")
    assert cells(table, "l") == ["x", "y", "z"]
    assert cells(table, "split") == ["train", "train", "test"]
    assert table.lines.tolist() == [2, 3, 2]


def test_a_blank_row_is_one_more(tmp_path):
    frame = add_blank_row(read_table(write(tmp_path / "t.csv", "f,l\na,x\n")).frame)
    assert frame.astype(str).to_numpy().tolist() == [["a", "x"], ["", ""]]


def test_formats_are_told_from_names():
    assert [table_format(n) for n in ("a.CSV", "b.tsv.gz", "c.pq", "d.ndjson", "e.json", "f.txt", "noend")] == [
        "csv", "csv", "parquet", "jsonl", "json", None, None,
    ]  # fmt: skip


def test_a_refused_table_is_not_read_again_until_it_changes(tmp_path, monkeypatch):
    path, asked, run = tmp_path / "t.json", [], tables.run_job

    def counted(function, *arguments, **options):
        asked.append(function)
        return run(function, *arguments, **options)

    monkeypatch.setattr(tables, "run_job", counted)
    path.write_text("[1, 2")
    reasons = set()
    for _ in range(3):
        with pytest.raises(DatasetError) as caught:
            preview_table(path)
        reasons.add(str(caught.value))
    assert len(asked) == len(reasons) == 1
    with pytest.raises(DatasetError):
        preview_table(path, Limits(table_rows=7))
    assert len(asked) == 2, "of other limits nothing is known"
    path.write_text('[{"path": "a.png", "label": "x"}, {"path": "b.png", "label": "y"}]')
    assert len(preview_table(path).frame) == 2
