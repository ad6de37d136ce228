"""Delimited text as a label table: encoding and delimiter by content, torn header names mended, short rows filled."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from auditor.naming.suffixes import looks_like_image_name
from auditor.tables.encodings import encoding_of
from auditor.tables.extent import check_columns, long_cell
from auditor.tables.label_table import LabelTable, strip_cells
from auditor.tables.prelude import prelude_of
from auditor.tables.table_stream import open_table
from auditor.values.dataset import Problem
from auditor.values.errors import DatasetError
from auditor.values.image import Limits

HEAD_BYTES = 1 << 18


def is_headless(first: Sequence[str], second: Sequence[str]) -> bool:
    """The first row is a record: one of its cells is a file or a path, as the cell below is (a list of images), or all are
    numbers, the first with zeros in front (`0000,1`)."""
    numbers = len(first) > 1 and len(first) == len(second) and all(cell.strip().isdecimal() for cell in (*first, *second))
    if numbers and re.fullmatch(r"0\d+", first[0].strip()) and len(first[0].strip()) == len(second[0].strip()):
        return True
    return any(
        (looks_like_image_name(one) and looks_like_image_name(other))
        or (one.count("/") >= 2 and one.count("/") == other.count("/") and " " not in one)
        for one, other in zip(first, second, strict=False)
    )


def first_lines(text: str, *, whole: bool) -> list[str]:
    """Up to 200 lines; the last one is left out where the text was cut within it."""
    lines = text.splitlines()[:200]
    return lines[:-1] if not whole and 1 < len(lines) < 200 else lines


def header_names(cells: list[str]) -> list[str]:
    """Column names from header cells: brackets that a comma tore apart are closed (`Size[Width,Height]`), doubles are numbered.

    A name without text becomes `column 3`. Source of the torn names: NIH ChestX-ray14, both versions of its table.
    """
    names: list[str] = []
    taken: set[str] = set()
    counts: dict[str, int] = {}
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
        unique, count = name, counts.get(name, 2)
        while unique in taken:
            unique = f"{name} ({count})"
            count += 1
        counts[name] = count
        taken.add(unique)
        names.append(unique)
    return names


def read_csv(path: Path, limits: Limits, *, preview: bool) -> LabelTable:
    """Read delimited text; `preview` stops after the first 256 KiB.

    Raises:
        DatasetError: empty, binary, no rows, or more than half of the rows malformed.
    """
    return read_delimited(path, lambda: open_table(path, limits), limits, parted_as=path.name, preview=preview)


def read_delimited(
    path: Path, opened: Callable[[], io.BufferedIOBase], limits: Limits, *, parted_as: str, preview: bool = False
) -> LabelTable:
    """Read delimited text that `opened` gives as bytes, each time from its beginning.

    Args:
        path: what it is called.
        parted_as: a name that ends in `.tsv` or `.tab` is parted by tabs; of others the delimiter is found.

    Raises:
        DatasetError: as for `read_csv`.
    """
    with opened() as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip():
        raise DatasetError(f"{path}: the table is empty; name a table with a header line and rows")
    found = encoding_of(head, whole=len(head) < HEAD_BYTES)
    if found is None:
        raise DatasetError(f"{path}: not a text table (it holds zero bytes); name a csv, tsv, parquet, jsonl or json file")
    encoding, note = found
    text = head.decode(encoding, errors="replace")
    above = prelude_of(parted_as, first_lines(text, whole=len(head) < HEAD_BYTES))
    delimiter = above.delimiter
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    cells = next((row for row in reader if row and reader.line_num > above.lines), [])
    skipped = reader.line_num
    second = next((row for row in reader if row), None)
    if second is None:
        raise DatasetError(f"{path}: the table has a header line and no rows")
    if is_headless(cells, second):
        names, skipped = [f"column {number}" for number in range(1, len(cells) + 1)], above.lines
        note = "; ".join(text for text in (note, "the table has no header line") if text)
    else:
        names = header_names(cells)
    while len(names) > len(second) and not cells[len(names) - 1].strip():
        names.pop()  # NIH's box table ends its header, not its rows, with commas
    if len(second) == len(names) + 1 and not second[-1].strip():
        names.append(f"column {len(names) + 1}")
    check_columns(path, len(names), limits)
    source: Any = opened()
    if preview and len(head) == HEAD_BYTES:
        source.close()
        source, encoding = io.BytesIO(text[: text.rfind("\n") + 1].encode("utf-8")), "utf-8-sig"
    with source:
        try:
            table, bad = _parse(source, names, skipped, delimiter, encoding)
        except pa.ArrowInvalid as error:
            if "straddling" in str(error) or "block_size" in str(error):
                raise long_cell(path, limits) from None
            if "UTF8" not in str(error):
                raise DatasetError(
                    f"{path}: the table cannot be parsed; check its quotes and its delimiter {delimiter!r}"
                ) from None
            table, bad = None, []
    if table is None:
        note = "the table is not UTF-8 throughout: read as Latin-1 (Windows text)"
        with opened() as again:
            table, bad = _parse(again, names, skipped, delimiter, "latin-1")
    notes = tuple(f"{path.name}: {text}" for text in (note, above.note) if text)
    return _assemble(path, table, bad, names, skipped, delimiter, notes)


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
        if frame.empty:
            frame = extra
        else:
            frame = pd.DataFrame(
                {name: pd.Series(pd.api.types.union_categoricals([frame[name], extra[name]])) for name in names}
            )
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


def _embedded_newlines(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Line breaks inside quoted cells of all earlier rows: what a row's line is ahead of its number."""
    ahead = np.zeros(len(frame), dtype=np.int64)
    for name in frame.columns:
        column = frame[name]
        breaks = column.cat.categories.astype("str").str.count("\n").to_numpy(dtype=np.int64)
        if breaks.any():
            ahead[1:] += np.cumsum(breaks[column.cat.codes.to_numpy()])[:-1]
    return ahead
