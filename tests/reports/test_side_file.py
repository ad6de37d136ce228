"""A side file that is not as it was written is told in a line."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from auditor.values.errors import MedauditError
from auditor.values.image import Limits
from reports.side_file import columns


def written(path: Path, table: pa.Table) -> Path:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    path.write_bytes(stream.getvalue())
    return path


def test_its_columns_are_read_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "s.parquet", pa.table({"a": [1, None], "b": ["x", "y"]}))
    assert columns(Limits(), path, ["b", "a"]) == [["x", "y"], [1, None]]


def test_what_is_no_text_missing_damaged_or_too_large_is_told(tmp_path: Path) -> None:
    halves = pa.array([b"\xff\xfe"], pa.binary()).cast(pa.string(), safe=False)
    path = written(tmp_path / "s.parquet", pa.table({"a": halves}))
    with pytest.raises(MedauditError, match="damaged"):
        columns(Limits(), path, ["a"])
    with pytest.raises(MedauditError, match="is missing"):
        columns(Limits(), path, ["b"])
    with pytest.raises(MedauditError, match="more than a result does"):
        columns(Limits(table_rows=0), path, ["a"])
    with pytest.raises(MedauditError, match="cannot be read"):
        columns(Limits(), tmp_path / "gone.parquet", ["a"])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(MedauditError, match="damaged"):
        columns(Limits(), path, ["a"])


def test_a_small_file_that_holds_far_too_much_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    path = written(tmp_path / "s.parquet", pa.table({"a": pa.repeat(0, 3_000_000)}))
    assert path.stat().st_size < 100_000
    with pytest.raises(MedauditError, match="more than a result does"):
        columns(Limits(table_rows=1_000_000), path, ["a"])
