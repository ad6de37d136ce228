"""Workbooks (xlsx, xlsm, xlsb, xls, ods) as a label table: each sheet is read as text is, then one table is made of them.

Sheets of one header are one table; a sheet that knows each id of the table's once (patients beside images) is joined; every
other sheet, and every hidden one, is told. Sheets are called by their number: a name may be a patient's. Runs in the workers.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import python_calamine

from auditor.naming.lexicon import words
from auditor.naming.names import split_name
from auditor.naming.suffixes import looks_like_image_name
from auditor.tables.csv_table import read_delimited
from auditor.tables.extent import check_columns, check_rows, check_size
from auditor.tables.label_table import LabelTable, merge_tables
from auditor.tables.record_table import as_text
from auditor.tables.table_stream import open_table
from auditor.values.dataset import Problem
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits

SHEET_COLUMN = "sheet"
"""Column of a table that was made of several sheets: the number of each row's sheet, or the split that its name says."""
NAMING = 0.5
"""A sheet names images where so many cells of a column look like it."""
KNOWN = 0.9
"""A sheet is joined where it knows so many of the ids."""
NEAR = 0.5
"""A sheet of so many of the table's rows may hold labels: it is told as unread."""
MOST_SHEETS = 100
TEXT_BYTES = 64
_TEXTS, _TEXT = "xl/sharedStrings.xml", b"<si"
_UNUSED, _ASIDE = "unused-table", "table-aside"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet that is a table: its place in the book (from 1), the split that its name says, its rows."""

    number: int
    split: str | None
    table: LabelTable

    @property
    def header(self) -> frozenset[str]:
        """Its columns."""
        return frozenset(map(str, self.table.frame.columns))


def read_workbook(path: Path, limits: Limits) -> LabelTable:
    """All sheets of a workbook as one table.

    Raises:
        DatasetError: damaged, behind a password, without a sheet that is a table, or larger than the limits allow.
    """
    sheets, told = _sheets(path, limits)
    if not sheets:
        raise DatasetError(f"{path}: no sheet with a header and rows; save the table as csv and name that")
    main = max(sheets, key=lambda sheet: (_names_images(sheet.table.frame), len(sheet.table.frame), -sheet.number))
    alike = [sheet for sheet in sheets if sheet.header == main.header]
    table, notes = _stacked(alike), list(told)
    if len(alike) > 1:
        notes.append(f"sheets {_numbers(alike)} have one header: read as one table")
    problems: list[Problem] = []
    for sheet in sheets:
        if sheet in alike:
            continue
        key = _key(table.frame, sheet.table.frame)
        if key is not None:
            table = replace(table, frame=_joined(table.frame, sheet.table.frame, *key))
            notes.append(f"sheet {sheet.number} ({len(sheet.table.frame):,} rows) is joined by {key[0]!r}")
        else:
            problems.append(_unread(path, sheet, table))
    notes = [f"{path.name}: {note}" for note in notes]
    return replace(table, notes=(*table.notes, *notes), problems=(*table.problems, *problems))


def _unread(path: Path, sheet: Sheet, table: LabelTable) -> Problem:
    rows = len(sheet.table.frame)
    grave = rows >= NEAR * len(table.frame) and len(sheet.header) > 1
    reason = f"sheet {sheet.number} of the workbook ({rows:,} rows) is not joined: no column of ids; save it as a csv"
    return Problem(kind=_UNUSED if grave else _ASIDE, path=path.name, reason=reason)


def _sheets(path: Path, limits: Limits) -> tuple[list[Sheet], list[str]]:
    """The sheets that are tables, and what is told of the others."""
    with open_table(path, limits) as stream:
        content = stream.read()
    _check_inflated(path, content, limits)
    try:
        book = python_calamine.load_workbook(io.BytesIO(content))
    except python_calamine.PasswordError:
        raise DatasetError(f"{path}: the workbook is behind a password; save it without, or as csv") from None
    except (python_calamine.CalamineError, ValueError, OSError):
        raise DatasetError(f"{path}: not a workbook that can be read; save the sheet as csv") from None
    found: list[Sheet] = []
    told: list[str] = []
    rows = 0
    for number, sheet in enumerate(book.sheets_metadata[:MOST_SHEETS], start=1):
        if sheet.typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        try:
            cells = book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
        except (python_calamine.CalamineError, ValueError):
            told.append(f"sheet {number} is damaged and was not read")
            continue
        if not cells:
            continue
        if sheet.visible != python_calamine.SheetVisibleEnum.Visible:
            told.append(f"sheet {number} is hidden and was not read ({len(cells):,} rows)")
            continue
        rows += len(cells)
        check_rows(path, rows, limits)
        check_columns(path, len(cells[0]), limits)
        table = _as_table(path, cells, limits)
        if table is None:
            told.append(f"sheet {number} is no table and was not read ({len(cells):,} rows)")
        else:
            found.append(Sheet(number=number, split=split_name(sheet.name.strip().lower()), table=table))
    if len(book.sheets_metadata) > MOST_SHEETS:
        told.append(f"only the first {MOST_SHEETS} of {len(book.sheets_metadata):,} sheets were looked at")
    return found, told


def _check_inflated(path: Path, content: bytes, limits: Limits) -> None:
    """What a zip declares to hold, before anything is inflated (xls is no zip)."""
    if content[:2] != b"PK":
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_size(path, sum(entry.file_size for entry in archive.infolist()), limits)
            _check_texts(archive, limits)
    except (zipfile.BadZipFile, ValueError):
        raise DatasetError(f"{path}: a damaged workbook; save it as csv") from None


def _check_texts(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Refuse more texts than memory has room for: the shortest takes 13 bytes of the file, `TEXT_BYTES` where it is read."""
    if _TEXTS not in archive.namelist():
        return
    count, end = 0, b""
    with archive.open(_TEXTS) as stream:
        while part := stream.read(1 << 20):
            count += (end + part).count(_TEXT) - end.count(_TEXT)
            end = part[-len(_TEXT) + 1 :]
    if count * TEXT_BYTES > limits.memory_bytes:
        raise UnreadableFile("memory", f"its {count:,} texts need more than {limits.memory_bytes >> 20:,} MiB of memory")


def _as_table(path: Path, cells: Sequence[Sequence[Any]], limits: Limits) -> LabelTable | None:
    """A sheet, read as the text that it would be as a file; its lines are the rows of the sheet. None where it is no table."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
    for row in cells:
        filled = [_text(cell) for cell in row]
        writer.writerow(filled if any(filled) else [])
    content = stream.getvalue().encode("utf-8", "replace")
    check_size(path, len(content), limits)
    try:
        return read_delimited(path, lambda: io.BytesIO(content), limits, parted_as=".tsv")
    except DatasetError as error:
        if "raise [limits]" in str(error):
            raise
        return None


def _text(cell: Any) -> str:
    """A cell as a csv would hold it: whole numbers without a point, days without an hour, one line."""
    if isinstance(cell, datetime) and cell.time() == time():
        cell = cell.date()
    return " ".join(as_text(cell).split("\n")).replace("\r", "")


def _names_images(frame: pd.DataFrame) -> bool:
    """A column's cells look like names of image files."""
    for name in frame.columns:
        values = [str(value) for value in frame[name].cat.categories[:200] if value]
        if values and sum(map(looks_like_image_name, values)) >= NAMING * len(values):
            return True
    return False


def _stacked(sheets: Sequence[Sheet]) -> LabelTable:
    if len(sheets) == 1:
        return sheets[0].table
    said = all(sheet.split for sheet in sheets)
    parts = [(sheet.split if said else str(sheet.number), sheet.table) for sheet in sheets]
    column = "split" if said else SHEET_COLUMN
    while any(column in sheet.header for sheet in sheets):
        column += " (of the workbook)"
    return replace(merge_tables(parts, column), parts=())


def _key(table: pd.DataFrame, other: pd.DataFrame) -> tuple[str, str] | None:
    """The column of ids that both have, and in which `other` has each id once and knows nearly all of `table`'s."""
    called = {_bare(name): str(name) for name in other.columns}
    for name in map(str, table.columns):
        theirs = called.get(_bare(name))
        if theirs is None or len(other.columns) < 2:
            continue
        ids = other[theirs].astype(str)
        wanted = set(table[name].cat.categories) - {""}
        filled = ids[ids != ""]
        if len(wanted) > 1 and filled.is_unique and len(wanted & set(filled)) >= KNOWN * len(wanted):
            return name, theirs
    return None


def _bare(name: object) -> tuple[str, ...]:
    return tuple(words(str(name)))


def _joined(table: pd.DataFrame, other: pd.DataFrame, name: str, theirs: str) -> pd.DataFrame:
    """The columns of `other` that `table` has not, row by row; blank where it does not know the id."""
    rows = pd.Index(other[theirs].astype(str)).get_indexer(pd.Index(table[name].astype(str)))
    joined = table.copy(deep=False)
    for column in map(str, other.columns):
        if column == theirs or column in joined.columns:
            continue
        cells = np.append(other[column].astype(str).to_numpy(dtype=object), "")
        joined[column] = pd.Series(pd.Categorical(cells[rows]), index=joined.index)
    return joined


def _numbers(sheets: Iterable[Sheet]) -> str:
    return ", ".join(str(sheet.number) for sheet in sheets)
