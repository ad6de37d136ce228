"""JSON records, JSON lines and Parquet as a label table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from auditor.tables.csv_table import header_names
from auditor.tables.extent import NO_LIST, check_columns, check_rows, check_size
from auditor.tables.json_forms import NamedTwice, named_once, records_of
from auditor.tables.label_table import LabelTable, categorical, strip_cells
from auditor.tables.table_stream import open_table
from auditor.values.dataset import Problem
from auditor.values.errors import DatasetError
from auditor.values.image import Limits

PREVIEW_ROWS = 1000
BATCH_ROWS = 1 << 14
MOST_VALUES = 60_000_000
"""Of a JSON document, which is held whole: each takes 8 bytes at least where it is listed, and more while the list grows."""
_BEGIN = re.compile(rb"\s*\[\s*([^\s])\s*(.?)")


def as_text(value: Any) -> str:
    """A value of JSON, Parquet or a sheet as the text that a csv would hold; a list is joined with `|`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _sound(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "|".join(as_text(part) for part in value)
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return str(value)


def _sound(text: str) -> str:
    """The text; halves of a character, which JSON can name and nothing can write, become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _from_records(
    path: Path, records: list[Mapping[str, Any]], lines: list[int], problems: list[Problem], limits: Limits
) -> LabelTable:
    names = list(dict.fromkeys(_sound(key) for record in records for key in record))
    if not names:
        raise DatasetError(f"{path}: no records found; {NO_LIST} with the same keys")
    check_columns(path, len(names), limits)
    check_rows(path, len(records), limits)
    frame = pd.DataFrame({name: categorical(as_text(record.get(name)) for record in records) for name in names})
    return LabelTable(
        path=path,
        frame=frame,
        lines=np.asarray(lines, dtype=np.int64),
        rows=len(records) + len(problems),
        problems=tuple(problems),
    )


def read_json(path: Path, limits: Limits) -> LabelTable:
    """Read a JSON list of objects, or one of the other forms that `auditor.tables.json_forms` knows.

    Raises:
        DatasetError: not JSON, or no such list.
    """
    with open_table(path, limits) as stream:
        content = stream.read()
    _check_begin(path, content)
    try:
        # Numbers stay the text they are: 7.10 is not 7.1.
        once = named_once if content.lstrip()[:1] == b"{" else None
        data = json.loads(content, parse_int=str, parse_float=str, object_pairs_hook=once)
    except NamedTwice:
        raise DatasetError(f"{path}: it names an image twice, and JSON keeps the last alone: write a list of objects") from None
    except (ValueError, RecursionError):
        raise DatasetError(f"{path}: not valid JSON") from None
    records = records_of(data)
    if not records:
        raise DatasetError(f"{path}: not a table; {NO_LIST}")
    return _from_records(path, records, [0] * len(records), [], limits)


def _check_begin(path: Path, content: bytes) -> None:
    """Refuse, before it is parsed, what its first signs say to be no table, and more values than a table can have cells.

    Raises:
        DatasetError: it is such a file.
    """
    begin = _BEGIN.match(content)
    if begin is not None and begin[1] != b"{" and begin[1] + begin[2] != b'["':
        raise DatasetError(f"{path}: not a table; {NO_LIST}")
    if content.count(b",") > MOST_VALUES:
        raise DatasetError(f"{path}: it holds more than {MOST_VALUES:,} values; save it as csv, Parquet or one object a line")


def read_jsonl(path: Path, limits: Limits, *, preview: bool) -> LabelTable:
    """Read one JSON object per line.

    Raises:
        DatasetError: most lines are no JSON object.
    """
    records: list[Mapping[str, Any]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    with open_table(path, limits) as stream:
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
    return _from_records(path, records, lines, problems, limits)


def read_parquet(path: Path, limits: Limits, *, preview: bool) -> LabelTable:
    """Read Parquet; whole numbers stay whole, lists are joined, columns of bytes are left out.

    Raises:
        DatasetError: not Parquet, no rows, or too large.
    """
    content: Any = path
    if path.name.lower().endswith(".gz"):
        with open_table(path, limits) as stream:
            content = pa.BufferReader(stream.read())
    try:
        # Text stays the dictionary that it is in the file: few bytes that say one long text many times would be many gigabytes.
        plain = parquet.ParquetFile(content).schema_arrow
        check_columns(path, len(plain), limits)
        file = parquet.ParquetFile(content, read_dictionary=[f.name for f in plain if pa.types.is_string(f.type)])
        check_rows(path, file.metadata.num_rows, limits)
        table = _rows_of(path, file, limits, preview=preview)
    except pa.ArrowMemoryError:
        raise MemoryError from None
    except (pa.ArrowException, StopIteration, OSError, UnicodeDecodeError):
        raise DatasetError(f"{path}: not a Parquet file that can be read, or one without rows") from None
    texts = [place for place, field in enumerate(table.schema) if not _is_left_out(field.type)]
    names = header_names([table.schema.names[place] for place in texts])
    left_out = sorted(table.schema.names[place] for place in range(table.num_columns) if place not in set(texts))
    frame = pd.DataFrame({name: _cells(table.column(place)) for name, place in zip(names, texts, strict=True)})
    if frame.empty:
        raise DatasetError(f"{path}: the table has no rows")
    note = f"columns without text are not read: {', '.join(left_out)}"
    pictures = [name for name in left_out if _may_be_pictures(plain.field(name).type)]
    problems = [
        Problem(
            kind="unread",
            path=path.name,
            reason=f"pictures lie as bytes in {len(pictures)} columns of it, not read: write each as a file",
        )
    ]
    return LabelTable(
        path=path, frame=frame, lines=np.zeros(len(frame), np.int64), rows=len(frame), notes=(note,) if left_out else (),
        problems=tuple(problems) if pictures else (),
    )  # fmt: skip


def _rows_of(path: Path, file: Any, limits: Limits, *, preview: bool) -> Any:
    """The rows batch by batch, so that a file of few bytes and much content ends at the limit and not in memory."""
    batches: list[Any] = []
    size = 0
    for batch in file.iter_batches(batch_size=PREVIEW_ROWS if preview else BATCH_ROWS):
        size += sum(_text_bytes(column) for column in batch.columns)
        check_size(path, size, limits)
        batches.append(batch)
        if preview:
            break
    if not batches:
        raise StopIteration
    return pa.Table.from_batches(batches)


def _text_bytes(column: Any) -> int:
    """What the cells of a column take when each stands for itself."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = compute.binary_length(column.dictionary).take(column.indices)
    return int(compute.sum(lengths).as_py() or 0) + len(column)


def _may_be_pictures(kind: Any) -> bool:
    """Bytes, or bytes beside the path that they had (`datasets.Image` of Hugging Face)."""
    if pa.types.is_struct(kind):
        return any(_is_binary(kind.field(place).type) for place in range(kind.num_fields))
    return _is_binary(kind)


def _is_left_out(kind: Any) -> bool:
    return pa.types.is_struct(kind) or _is_binary(kind)


def _is_binary(kind: Any) -> bool:
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
    return any(is_kind(kind) for is_kind in binary)


def _cells(column: Any) -> pd.Series:
    """A column of Parquet as a categorical column of text."""
    if pa.types.is_nested(column.type) or pa.types.is_null(column.type):
        return categorical(as_text(value) for value in _values(column.combine_chunks()))
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries().combine_chunks()
    column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    values = [as_text(value) for value in _values(column.dictionary)]
    indices = column.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    order, kept = pd.factorize(np.asarray([*values, ""], dtype=object))
    return strip_cells(pd.Series(pd.Categorical.from_codes(order[indices], categories=pd.Index(kept, dtype="str"))))


def _values(cells: Any) -> list[Any]:
    """The values; a date or a duration that Python has no word for as the number that it is in the file."""
    try:
        return list(cells.to_pylist())
    except (OverflowError, ValueError, LookupError):
        return [_value(cell) for cell in cells]


def _value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except (OverflowError, ValueError, LookupError):
        value = getattr(cell, "value", None)
        return value if isinstance(value, int) else ""
