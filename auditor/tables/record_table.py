"""JSON records, JSON lines and Parquet as a label table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from auditor.tables.label_table import LabelTable, categorical, strip_cells
from auditor.tables.table_stream import MAX_BYTES, open_table
from auditor.values.dataset import Problem
from auditor.values.errors import DatasetError

PREVIEW_ROWS = 1000


def _as_text(value: Any) -> str:
    """A JSON or Parquet value as the text that a csv would hold; a list is joined with `|`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "|".join(_as_text(part) for part in value)
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return str(value)


def _from_records(path: Path, records: list[Mapping[str, Any]], lines: list[int], problems: list[Problem]) -> LabelTable:
    names = list(dict.fromkeys(str(key) for record in records for key in record))
    if not names:
        raise DatasetError(f"{path}: no records found; a json table is a list of objects with the same keys")
    frame = pd.DataFrame({name: categorical(_as_text(record.get(name)) for record in records) for name in names})
    return LabelTable(
        path=path,
        frame=frame,
        lines=np.asarray(lines, dtype=np.int64),
        rows=len(records) + len(problems),
        problems=tuple(problems),
    )


def read_json(path: Path) -> LabelTable:
    """Read a JSON list of objects, or an object that holds one such list.

    Raises:
        DatasetError: not JSON, or no such list.
    """
    with open_table(path) as stream:
        content = stream.read()
    try:
        # Numbers stay the text they are: 7.10 is not 7.1.
        data = json.loads(content, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise DatasetError(f"{path}: not valid JSON") from None
    if isinstance(data, dict):
        lists = [value for value in data.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
        data = lists[0] if len(lists) == 1 else None
    if not isinstance(data, list) or not data or not all(isinstance(record, dict) for record in data):
        raise DatasetError(f"{path}: not a table; a json table is a list of objects")
    return _from_records(path, data, [0] * len(data), [])


def read_jsonl(path: Path, *, preview: bool) -> LabelTable:
    """Read one JSON object per line.

    Raises:
        DatasetError: most lines are no JSON object.
    """
    records: list[Mapping[str, Any]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    with open_table(path) as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line, parse_int=str, parse_float=str)
            except (ValueError, RecursionError):
                record = None
            if isinstance(record, dict):
                records.append(record)
                lines.append(number)
            else:
                problems.append(Problem(kind="malformed", path=path.name, reason="not a JSON object: not used", line=number))
            if preview and len(records) >= PREVIEW_ROWS:
                break
    if len(problems) > len(records):
        raise DatasetError(
            f"{path}: {len(problems):,} of {len(problems) + len(records):,} lines are no JSON object; not a table"
        )
    return _from_records(path, records, lines, problems)


def read_parquet(path: Path, *, preview: bool) -> LabelTable:
    """Read Parquet; whole numbers stay whole, lists are joined, columns of bytes are left out.

    Raises:
        DatasetError: not Parquet, no rows, or too large.
    """
    content: Any = path
    if path.name.lower().endswith(".gz"):
        with open_table(path) as stream:
            content = pa.BufferReader(stream.read())
    try:
        file = parquet.ParquetFile(content)
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        if size > MAX_BYTES:
            raise DatasetError(f"{path}: the table inflates to more than {MAX_BYTES >> 30} GiB; split it")
        texts = [f.name for f in file.schema_arrow if not (pa.types.is_binary(f.type) or pa.types.is_struct(f.type))]
        left_out = sorted(set(file.schema_arrow.names) - set(texts))
        if preview:
            table = pa.Table.from_batches([next(file.iter_batches(batch_size=PREVIEW_ROWS, columns=texts))])
        else:
            table = file.read(columns=texts)
    except (pa.ArrowException, StopIteration):
        raise DatasetError(f"{path}: not a Parquet file that can be read, or one without rows") from None
    columns: dict[str, pd.Series] = {}
    for name in texts:
        column = table.column(name)
        table = table.drop_columns([name])
        codes = column.combine_chunks() if pa.types.is_nested(column.type) else column.dictionary_encode().unify_dictionaries()
        if pa.types.is_nested(column.type):
            columns[name] = categorical(_as_text(value) for value in codes.to_pylist())
            continue
        column = codes.combine_chunks()
        column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
        values = [_as_text(value) for value in column.dictionary.to_pylist()]
        indices = column.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
        order, kept = pd.factorize(np.asarray([*values, ""], dtype=object))
        columns[name] = strip_cells(
            pd.Series(pd.Categorical.from_codes(order[indices], categories=pd.Index(kept, dtype="str")))
        )
    frame = pd.DataFrame(columns)
    if frame.empty:
        raise DatasetError(f"{path}: the table has no rows")
    note = f"columns without text are not read: {', '.join(left_out)}"
    return LabelTable(
        path=path, frame=frame, lines=np.zeros(len(frame), np.int64), rows=len(frame), notes=(note,) if left_out else ()
    )
