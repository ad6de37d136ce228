"""A label table as text: csv, tsv, parquet, jsonl, json records, each also gzipped. `007` is not `7`, the class `NA` stays."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from auditor.dataset import Problem
from auditor.errors import DatasetError

DELIMITERS = (",", "\t", ";", "|")
HEAD_BYTES = 1 << 18
MAX_BYTES = 8 << 30
"""A table may inflate to this much, no more (a gzip bomb ends here)."""

Frame = pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """A table whose cells are all text.

    Args:
        path: the file.
        frame: one categorical column of text per column; a blank cell is the empty string.
        lines: 1-based line of each row in the file, the header being line 1; 0 where the format has no lines.
        rows: rows in the file, the malformed ones too; blank lines are no rows.
        problems: malformed rows.
        notes: what was detected, in words.
    """

    path: Path
    frame: Frame
    lines: npt.NDArray[np.int64]
    rows: int
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def table_format(name: str) -> str | None:
    """`csv`, `parquet`, `jsonl` or `json`, told from the file name; None for anything else."""
    name = name.lower().removesuffix(".gz")
    suffix = name.rpartition(".")[2] if "." in name else ""
    return {
        "csv": "csv", "tsv": "csv", "tab": "csv", "parquet": "parquet", "pq": "parquet",
        "jsonl": "jsonl", "ndjson": "jsonl", "json": "json",
    }.get(suffix)  # fmt: skip


def read_table(path: Path) -> LabelTable:
    """Read a whole table.

    Raises:
        DatasetError: no table, empty, binary, or more than half of its rows malformed.
    """
    return _read(path, preview=False)


def preview_table(path: Path) -> LabelTable:
    """The first rows (about 256 KiB), to judge what the table is.

    Raises:
        DatasetError: as for `read_table`.
    """
    return _read(path, preview=True)


def categorical(values: Iterable[str]) -> pd.Series:
    """Cells as a categorical column of text, without the white space around them."""
    return strip_cells(pd.Series(pd.Categorical(list(values)), dtype="category"))


def strip_cells(column: pd.Series) -> pd.Series:
    """The same column without white space around the cells; equal categories are merged."""
    names = column.cat.categories.astype("str")
    bare = names.str.strip()
    if (bare == names).all():
        return column
    codes, kept = pd.factorize(bare)
    return pd.Series(pd.Categorical.from_codes(codes[column.cat.codes.to_numpy()], categories=kept), index=column.index)


def add_blank_row(frame: Frame) -> Frame:
    """The same table with one more row, all blank: what a record without a row stands on."""
    columns = {}
    for name in frame.columns:
        column = frame[name] if "" in frame[name].cat.categories else frame[name].cat.add_categories("")
        codes = np.append(column.cat.codes.to_numpy(), column.cat.categories.get_loc(""))
        columns[name] = pd.Series(pd.Categorical.from_codes(codes, categories=column.cat.categories))
    return pd.DataFrame(columns)


def merge_tables(tables: Mapping[str, LabelTable], column: str) -> LabelTable:
    """Tables with the same header as one; `column` holds the key of the table that each row came from."""
    parts = list(tables.values())
    frame = pd.DataFrame(
        {
            name: pd.Series(pd.api.types.union_categoricals([part.frame[name] for part in parts]))
            for name in parts[0].frame.columns
        }
    )
    frame[column] = pd.Categorical(np.repeat(list(tables), [len(part.frame) for part in parts]))
    return LabelTable(
        path=parts[0].path,
        frame=frame,
        lines=np.concatenate([part.lines for part in parts]),
        rows=sum(part.rows for part in parts),
        problems=tuple(problem for part in parts for problem in part.problems),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _read(path: Path, *, preview: bool) -> LabelTable:
    kind = table_format(path.name) or "csv"
    try:
        if kind == "parquet":
            return _read_parquet(path, preview=preview)
        if kind == "json":
            return _read_json(path)
        if kind == "jsonl":
            return _read_jsonl(path, preview=preview)
        return _read_csv(path, preview=preview)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DatasetError(f"{path}: a damaged gzip file; fetch it again") from None
    except OSError as error:
        raise DatasetError(f"{path}: the table cannot be opened ({error.strerror or 'unreadable'})") from None


class _Bounded(io.RawIOBase):
    """A stream that ends with an error after `MAX_BYTES`, and may begin with bytes that were read before."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream, self._name, self._seen = stream, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._stream.read(len(buffer))
        self._seen += len(part)
        if self._seen > MAX_BYTES:
            raise DatasetError(f"{self._name}: the table inflates to more than {MAX_BYTES >> 30} GiB; split it")
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _open(path: Path) -> io.BufferedReader:
    raw: BinaryIO = gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")
    return io.BufferedReader(_Bounded(raw, str(path)), 1 << 20)


def _decoding(path: Path, head: bytes) -> tuple[str, str | None]:
    """The encoding of a text that starts with `head`, and a note when it is not UTF-8."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", "the table is UTF-16"
    if b"\0" in head:
        raise DatasetError(f"{path}: not a text table (it holds zero bytes); name a csv, tsv, parquet, jsonl or json file")
    try:
        # A character cut in two by the end of the head is no error.
        head[: max(len(head) - 3, 0)].decode("utf-8") if len(head) == HEAD_BYTES else head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 6 or len(head) < HEAD_BYTES:
            return "latin-1", "the table is not UTF-8: read as Latin-1 (Windows text)"
    return "utf-8-sig", None


def _delimiter(path: Path, lines: list[str]) -> str:
    """The delimiter that splits most lines into the same number of cells; tab for .tsv."""
    if path.name.lower().removesuffix(".gz").endswith((".tsv", ".tab")):
        return "\t"
    best, score = ",", 0.0
    for mark in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=mark) if row]
        if not widths or widths[0] < 2:
            continue
        usual = max(set(widths), key=widths.count)
        agreement = widths.count(usual) / len(widths) if usual > 1 else 0.0
        if agreement > score + 0.05:
            best, score = mark, agreement
    return best


def header_names(cells: list[str]) -> list[str]:
    """Column names from header cells: brackets that a comma tore apart are closed (`Size[Width,Height]`), doubles are numbered.

    A name without text becomes `column 3`. Source of the torn names: NIH ChestX-ray14, both versions of its table.
    """
    names: list[str] = []
    stem: str | None = None
    for number, cell in enumerate(cells, start=1):
        name = cell.strip().lstrip("\ufeff")
        if stem is None and name.count("[") == 1 and "]" not in name:
            stem = name.partition("[")[0]
            name += "]"
        elif stem is not None:
            closing = name.endswith("]")
            name = f"{stem}[{name.removesuffix(']')}]" if name else ""
            stem = None if closing or not name else stem
        name = name or f"column {number}"
        count = 2
        unique = name
        while unique in names:
            unique = f"{name} ({count})"
            count += 1
        names.append(unique)
    return names


def _read_csv(path: Path, *, preview: bool) -> LabelTable:
    with _open(path) as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip():
        raise DatasetError(f"{path}: the table is empty; name a table with a header line and rows")
    encoding, note = _decoding(path, head)
    text = head.decode(encoding, errors="replace")
    start = text.splitlines()[:200]
    if len(head) == HEAD_BYTES and len(start) > 1 and len(start) < 200:
        start = start[:-1]
    delimiter = _delimiter(path, start)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    cells = next((row for row in reader if row), [])
    skipped = reader.line_num
    second = next((row for row in reader if row), None)
    if second is None:
        raise DatasetError(f"{path}: the table has a header line and no rows")
    names = header_names(cells)
    while len(names) > len(second) and not cells[len(names) - 1].strip():
        names.pop()  # NIH's box table ends its header, not its rows, with commas
    if len(second) == len(names) + 1 and not second[-1].strip():
        names.append(f"column {len(names) + 1}")
    source: Any = _open(path)
    if preview and len(head) == HEAD_BYTES:
        source.close()
        source, encoding = io.BytesIO(text[: text.rfind("\n") + 1].encode("utf-8")), "utf-8-sig"
    with source:
        try:
            table, bad = _parse(source, names, skipped, delimiter, encoding)
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise DatasetError(
                    f"{path}: the table cannot be parsed; check its quotes and its delimiter {delimiter!r}"
                ) from None
            table, bad = None, []
    if table is None:
        note = "the table is not UTF-8: read as Latin-1 (Windows text)"
        with _open(path) as again:
            table, bad = _parse(again, names, skipped, delimiter, "latin-1")
    return _assemble(path, table, bad, names, skipped, delimiter, (note,) if note else ())


def _parse(source: Any, names: list[str], skipped: int, delimiter: str, encoding: str) -> tuple[Any, list[tuple[int, str]]]:
    """Arrow table of text dictionaries (4 bytes and a share of the distinct text per cell), and the rows of another width."""
    bad: list[tuple[int, str]] = []

    def keep(row: Any) -> str:
        bad.append((int(row.number), str(row.text)))
        return "skip"

    text = pa.dictionary(pa.int32(), pa.string())
    table = arrow_csv.read_csv(
        source,
        read_options=arrow_csv.ReadOptions(
            column_names=names,
            skip_rows=skipped,
            use_threads=False,
            block_size=8 << 20,
            encoding="utf8" if encoding == "utf-8-sig" else encoding,
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=keep
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, text), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    return table, bad


def _assemble(
    path: Path,
    table: Any,
    bad: list[tuple[int, str]],
    names: list[str],
    skipped: int,
    delimiter: str,
    notes: tuple[str, ...],
) -> LabelTable:
    numbers = np.setdiff1d(np.arange(skipped + 1, skipped + 1 + table.num_rows + len(bad)), [number for number, _ in bad])
    columns: dict[str, pd.Series] = {}
    for name in names:
        column = table.column(name)
        table = table.drop_columns([name])
        columns[name] = strip_cells(column.unify_dictionaries().to_pandas().astype("category"))
    frame = pd.DataFrame(columns)
    mended: list[list[str]] = []
    mended_numbers: list[int] = []
    problems: list[Problem] = []
    for number, text in bad:
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        if len(cells) < len(names) or not any(cell.strip() for cell in cells[len(names) :]):
            mended.append([*(cell.strip() for cell in cells[: len(names)]), *[""] * (len(names) - len(cells))])
            mended_numbers.append(number)
        else:
            reason = f"the row has {len(cells)} cells, the header {len(names)}: not used"
            problems.append(Problem(kind="malformed", path=path.name, reason=reason, line=number))
    if mended:
        extra = pd.DataFrame(mended, columns=names).astype("category")
        frame = pd.DataFrame({name: pd.Series(pd.api.types.union_categoricals([frame[name], extra[name]])) for name in names})
        numbers = np.concatenate([numbers, mended_numbers])
        order = np.argsort(numbers, kind="stable")
        frame, numbers = frame.iloc[order].reset_index(drop=True), numbers[order]
        notes = (*notes, f"{len(mended):,} rows have fewer cells than the header: the rest is taken as blank")
    numbers = numbers + _embedded_newlines(frame)
    blank = np.ones(len(frame), dtype=bool)
    for name in names:
        blank &= (frame[name] == "").to_numpy()
    if blank.any():
        frame, numbers = frame[~blank].reset_index(drop=True), numbers[~blank]
    empty = [name for name in names if re.fullmatch(r"column \d+", name) and (frame[name] == "").all()]
    frame = frame.drop(columns=empty)
    if len(problems) > len(frame):
        raise DatasetError(
            f"{path}: {len(problems):,} of {len(problems) + len(frame):,} rows do not fit the header; not a table"
        )
    if frame.empty:
        raise DatasetError(f"{path}: the table has a header line and no rows")
    return LabelTable(
        path=path,
        frame=frame,
        lines=numbers.astype(np.int64),
        rows=len(frame) + len(problems),
        problems=tuple(problems),
        notes=notes,
    )


def _embedded_newlines(frame: Frame) -> npt.NDArray[np.int64]:
    """Line breaks inside quoted cells of all earlier rows: what a row's line is ahead of its number."""
    ahead = np.zeros(len(frame), dtype=np.int64)
    for name in frame.columns:
        column = frame[name]
        breaks = column.cat.categories.astype("str").str.count("\n").to_numpy(dtype=np.int64)
        if breaks.any():
            ahead[1:] += np.cumsum(breaks[column.cat.codes.to_numpy()])[:-1]
    return ahead


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


def _read_json(path: Path) -> LabelTable:
    import json

    with _open(path) as stream:
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


def _read_jsonl(path: Path, *, preview: bool) -> LabelTable:
    import json

    records: list[Mapping[str, Any]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    with _open(path) as stream:
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
            if preview and len(records) >= 1000:
                break
    if len(problems) > len(records):
        raise DatasetError(
            f"{path}: {len(problems):,} of {len(problems) + len(records):,} lines are no JSON object; not a table"
        )
    return _from_records(path, records, lines, problems)


def _read_parquet(path: Path, *, preview: bool) -> LabelTable:
    import pyarrow.parquet as parquet

    content: Any = path
    if path.name.lower().endswith(".gz"):
        with _open(path) as stream:
            content = pa.BufferReader(stream.read())
    try:
        file = parquet.ParquetFile(content)
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        if size > MAX_BYTES:
            raise DatasetError(f"{path}: the table inflates to more than {MAX_BYTES >> 30} GiB; split it")
        texts = [f.name for f in file.schema_arrow if not (pa.types.is_binary(f.type) or pa.types.is_struct(f.type))]
        left_out = sorted(set(file.schema_arrow.names) - set(texts))
        if preview:
            table = pa.Table.from_batches([next(file.iter_batches(batch_size=1000, columns=texts))])
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
