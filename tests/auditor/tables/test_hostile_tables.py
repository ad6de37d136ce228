"""A table is a stranger's: whatever is in it costs a bounded worker a bounded time, and ends in rows or in one line."""

from __future__ import annotations

import datetime
import gzip
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from auditor.tables import record_table
from auditor.tables.csv_table import header_names
from auditor.tables.tables import read_table
from auditor.values.errors import DatasetError
from auditor.values.image import Limits

SMALL = Limits(table_bytes=1 << 20, table_rows=1000, table_columns=50, cell_bytes=1000, table_seconds=5)


def parquet(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), path, compression="zstd", dictionary_pagesize_limit=1 << 24, store_schema=False)
    return path


def text(path: Path, content: str) -> Path:
    content_bytes = content.encode()
    path.write_bytes(gzip.compress(content_bytes) if path.name.endswith(".gz") else content_bytes)
    return path


def one_text_many_times(path: Path) -> Path:
    return parquet(path, note=pa.DictionaryArray.from_arrays(pa.array(np.zeros(900, "i4")), pa.array(["y" * 2000])))


def deep(depth: int) -> str:
    return '[{"a": ' + "[" * depth + "]" * depth + "}]"


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("t.parquet", one_text_many_times, r"inflates to more than 1 MiB; raise \[limits\] table-bytes"),
        ("t.parquet", lambda p: parquet(p, a=list(range(2000))), r"more than 1,000 rows; raise \[limits\] table-rows"),
        ("t.parquet", lambda p: parquet(p, **{f"c{i}": [1] for i in range(60)}), r"60 columns.*raise \[limits\] table-columns"),
        ("t.parquet", lambda p: parquet(p, a=["x" * 2000]), r"a cell is longer than 1,000 bytes; raise \[limits\] cell-bytes"),
        ("t.parquet", lambda p: parquet(p, a=[[["x" * 90] * 90]]), "a cell is longer"),
        ("t.parquet", lambda p: p.write_bytes(b"PAR1" + b"\0" * 50 + b"PAR1"), "not a Parquet file"),
        ("t.csv", lambda p: text(p, "a,b\n" + "x" * 2000 + ",1\n"), "a cell is longer"),
        ("t.csv", lambda p: text(p, "a,b\n" + "1,2\n" * 2000), "more than 1,000 rows"),
        ("t.csv", lambda p: text(p, ",".join("a" * 60) + "\n" + ",".join("1" * 60) + "\n"), "60 columns"),
        ("t.csv.gz", lambda p: text(p, "a,b\n" + "1,2\n" * 900_000), "inflates to more than 1 MiB"),
        ("t.json.gz", lambda p: text(p, json.dumps([{"a": "x" * 900}] * 2000)), "inflates"),
        ("t.json", lambda p: text(p, deep(100_000)), "not valid JSON"),
        ("t.json", lambda p: text(p, json.dumps([{f"k{i}": 1} for i in range(60)])), "60 columns"),
        (
            "t.jsonl.gz",
            lambda p: text(p, (json.dumps({"a": "x" * 900}) + "\n") * 2000),
            "inflates",
        ),
        ("t.jsonl", lambda p: text(p, (deep(5000)[1:-1] + "\n") * 5), "not a table"),
    ],
)
def test_what_goes_beyond_a_limit_ends_in_a_line_that_names_it(tmp_path: Path, name: str, make, said: str) -> None:
    make(tmp_path / name)
    with pytest.raises(DatasetError, match=said) as refused:
        read_table(tmp_path / name, SMALL)
    assert "\n" not in str(refused.value)


def test_what_computes_too_long_is_ended_and_the_next_table_is_read(tmp_path: Path) -> None:
    path = text(tmp_path / "t.csv", "a,b\n" + "1,2\n" * 900)
    with pytest.raises(DatasetError, match=r"more than 0.001 s of computing; raise \[limits\] table-seconds"):
        read_table(text(tmp_path / "u.json", json.dumps([{"a": "x" * 100}] * 400_000)), Limits(table_seconds=0.001))
    assert read_table(path, SMALL).rows == 900


def test_dates_times_and_durations_that_python_has_no_word_for_are_read_as_their_numbers(tmp_path: Path) -> None:
    columns = {
        "when": pa.array([2**60, None], pa.timestamp("us")), "day": pa.array([2**30, 0], pa.int32()).cast(pa.date32()),
        "long": pa.array([2**62, 1], pa.duration("s")), "price": pa.array([Decimal("7.10"), None], pa.decimal128(30, 2)),
        "none": pa.nulls(2), "born": pa.array([datetime.date(1950, 1, 2)] * 2),
    }  # fmt: skip
    frame = read_table(parquet(tmp_path / "t.parquet", **columns)).frame
    assert frame["when"].tolist() == [str(2**60), ""]
    assert frame["day"].tolist()[1] == "1970-01-01"
    assert frame["price"].tolist() == ["7.10", ""]
    assert frame["born"].tolist() == ["1950-01-02"] * 2
    assert frame["none"].tolist() == ["", ""]


def test_columns_of_one_name_in_a_parquet_file_are_told_apart(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["a", "a"]), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").frame.to_dict("list") == {"a": ["x"], "a (2)": ["y"]}


def test_a_cell_longer_than_pythons_csv_module_takes_is_read(tmp_path: Path) -> None:
    table = read_table(text(tmp_path / "t.csv", f"a,b\n{'x' * 200_000},1\ny,2\n"))
    assert table.frame["a"].str.len().tolist() == [200_000, 1]


def test_equal_headers_are_named_in_one_pass() -> None:
    names = header_names(["a"] * 100_000 + [f"a ({i})" for i in range(2, 50_000)])
    assert len(set(names)) == len(names)
    assert names[:3] == ["a", "a (2)", "a (3)"]


def test_halves_of_characters_and_rows_that_are_all_short_are_read(tmp_path: Path) -> None:
    assert read_table(text(tmp_path / "t.json", '[{"a": "\\udcff"}]')).frame["a"].tolist() == ["?"]
    assert read_table(text(tmp_path / "t.csv", "a,b,c\n1,2\n3,4\n")).frame["c"].tolist() == ["", ""]


def test_a_document_that_begins_as_no_table_or_holds_too_much_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("json.loads", None)
    monkeypatch.setattr("auditor.tables.record_table.MOST_VALUES", 50)
    for content, words in (
        (b" [ 1,1]", "list of objects"),
        (b"[]", "list of objects"),
        (b'[{"a":1}' + b",1" * 60 + b"]", "50 values"),
    ):
        (tmp_path / "t.json").write_bytes(content)
        with pytest.raises(DatasetError, match=words):
            record_table.read_json(tmp_path / "t.json", Limits())
