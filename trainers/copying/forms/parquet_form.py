"""Parquet: a corrected column has the type of the original one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as parquet

from auditor.values.errors import DatasetError
from trainers.copying.forms.column import CorrectedColumn


def written(name: str, content: bytes, kept: npt.NDArray[np.bool_], columns: Sequence[CorrectedColumn]) -> bytes:
    """The table with the columns added, compressed as before.

    Raises:
        DatasetError: a value does not fit the type of its column, or the file has other rows than it had.
    """
    file = parquet.ParquetFile(pa.BufferReader(content))
    table = file.read()
    if table.num_rows != len(kept):
        raise DatasetError(f"{name}: the table has other rows than it had; was the file changed meanwhile?")
    compression = file.metadata.row_group(0).column(0).compression if file.metadata.num_row_groups else "SNAPPY"
    for column in columns:
        source = column.name if column.exists else column.beside
        old = table.column(source) if source is not None else pa.nulls(table.num_rows, pa.string())
        values = old.to_pylist()
        for row, text in column.changed.items():
            values[row] = value_of(text, old.type, name, column.name)
        field = pa.field(column.name, old.type)
        new = pa.array(values, type=old.type)
        if column.exists:
            table = table.set_column(table.schema.get_field_index(column.name), field, new)
        elif column.beside is not None:
            table = table.add_column(table.schema.get_field_index(column.beside) + 1, field, new)
        else:
            table = table.append_column(field, new)
    stream = io.BytesIO()
    kind = "none" if compression == "UNCOMPRESSED" else compression
    parquet.write_table(table.take(pa.array(np.flatnonzero(kept))), stream, compression=kind)
    return stream.getvalue()


def value_of(text: str, kind: Any, table: str, column: str) -> Any:
    """The text as a value of an Arrow type.

    Raises:
        DatasetError: it is none.
    """
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    try:
        if text == "" and not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            return None
        if pa.types.is_integer(kind):
            return int(text)
        if pa.types.is_floating(kind):
            return float(text)
        if pa.types.is_boolean(kind):
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    except (ValueError, KeyError):
        raise DatasetError(f"{table}: a corrected value does not fit the type of {column!r} ({kind})") from None
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [part for part in text.split("|") if part]
    return text
