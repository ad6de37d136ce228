"""Parquet: types stay."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from auditor.values.errors import DatasetError
from auditor.values.image import Limits
from trainers.copying.forms.column import CorrectedColumn, Place
from trainers.copying.forms.form import written


def content_of(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def corrected(table: pa.Table, column: str, changed: dict[int, str], leave: tuple[int, ...] = ()) -> pa.Table:
    kept = np.array([row not in leave for row in range(table.num_rows)])
    new = CorrectedColumn(name=f"{column}_corrected", beside=column, changed=changed)
    made = written(Limits(), "t.parquet", content_of(table), Place(lines=np.zeros(table.num_rows, np.int64), kept=kept), [new])
    assert parquet.ParquetFile(io.BytesIO(made)).metadata.row_group(0).column(0).compression == "ZSTD"
    return parquet.read_table(io.BytesIO(made))


@pytest.mark.parametrize(
    ("values", "text", "new"),
    [
        (pa.array(["007", "NA"]), "008", "008"),
        (pa.array([1, 2], pa.int8()), "3", 3),
        (pa.array([1.5, None]), "2.5", 2.5),
        (pa.array([True, False]), "0", False),
        (pa.array([["a"], ["b"]]), "a|b", ["a", "b"]),
        (pa.array(["a", "b"]).dictionary_encode(), "c", "c"),
    ],
)
def test_the_new_column_has_the_type_of_the_old_one(values: pa.Array, text: str, new: object) -> None:
    table = pa.table({"label": values, "end": [1, 2]})
    made = corrected(table, "label", {0: text})
    assert made.column_names == ["label", "label_corrected", "end"]
    assert made.schema.field("label_corrected").type == table.schema.field("label").type
    assert made.column("label_corrected").to_pylist() == [new, values.to_pylist()[1]]
    assert made.column("label").to_pylist() == values.to_pylist()


def test_a_row_that_leaves_is_not_there() -> None:
    assert corrected(pa.table({"label": ["a", "b", "c"]}), "label", {2: "d"}, leave=(0,)).to_pylist() == [
        {"label": "b", "label_corrected": "b"},
        {"label": "c", "label_corrected": "d"},
    ]


def test_a_value_of_another_type_is_refused_without_showing_it() -> None:
    with pytest.raises(DatasetError, match="does not fit the type of 'label_corrected'") as error:
        corrected(pa.table({"label": [1, 2]}), "label", {0: "Miller"})
    assert "Miller" not in str(error.value)
