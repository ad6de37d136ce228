"""Delimited text, corrected cell by cell: what no correction touches keeps its bytes, quotes, blanks and line ends."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.tables.csv_table import HEAD_BYTES, first_lines, header_names, is_headless
from auditor.tables.encodings import encoding_of
from auditor.tables.prelude import Prelude, prelude_of
from auditor.values.errors import DatasetError
from trainers.copying.forms.column import CorrectedColumn

MOST_LINES = 10_000
"""A quoted cell that runs over more lines was never closed: its line is taken as it is."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A table of text in lines: each as it stands, its fields as they stand, and how it ends.

    Args:
        mark: between two fields.
        head: position of the header among the rows; their number where there is none.
        names: of the columns. width: cells of a row.
    """

    text: str
    encoding: str
    mark: str
    rows: list[tuple[str, list[str], str]]
    head: int
    names: list[str]
    width: int


def opened(name: str, content: bytes) -> Opened:
    """The text of a table, past what stands above its header."""
    text, encoding = decoded(content)
    above = beginning_of(name, content, encoding)
    rows = list(logical_rows(text, above.delimiter))
    lines = np.cumsum([raw.count("\n") or 1 for raw, _, _ in rows])
    head = next((i for i, (raw, _, _) in enumerate(rows) if lines[i] > above.lines and raw.strip("\r\n\ufeff")), len(rows))
    names = header_names([bare(field) for field in rows[head][1]]) if head < len(rows) else []
    width = width_of(names, [fields for raw, fields, _ in rows[head + 1 :] if raw.strip("\r\n")][:1])
    return Opened(text=text, encoding=encoding, mark=above.delimiter, rows=rows, head=head, names=names, width=width)


def written(name: str, content: bytes, kept: npt.NDArray[np.bool_], columns: Sequence[CorrectedColumn]) -> bytes:
    """The text with the columns added.

    Args:
        kept: rows that stay, of all rows that `auditor.tables.csv_table` reads: not the blank ones, nor those with more cells
            than the header.

    Raises:
        DatasetError: the text has other rows than it had, or its encoding cannot hold a new value.
    """
    table = opened(name, content)
    rows, head, names, width, mark = table.rows, table.head, table.names, table.width, table.mark
    top = [[bare(field) for field in fields] for raw, fields, _ in rows[head : head + 2] if raw.strip("\r\n")]
    if len(top) == 2 and is_headless(top[0], top[1]):
        raise DatasetError(f"{name}: the table has no header line, so no column can be added; write one above the rows")
    parts: list[str] = []
    row = 0
    for i, (raw, fields, end) in enumerate(rows):
        if i == head:
            parts.append(mark.join(with_header(fields, names, columns, mark)) + end)
        elif i < head or not raw.strip("\r\n"):
            parts.append(raw)
        elif not is_row(fields, width):
            # A row of another width stays one: with a cell less than the new header it might be read as a good one.
            parts.append(mark.join(with_cells(fields, names, columns, None, mark)) + end)
        else:
            if row < len(kept) and kept[row]:
                check(name, fields, names, columns, row)
                parts.append(mark.join(with_cells(fields, names, columns, row, mark)) + end)
            row += 1
    if row != len(kept):
        raise DatasetError(f"{name}: the table has other rows than it had; was the file changed meanwhile?")
    try:
        return "".join(parts).encode(table.encoding)
    except UnicodeEncodeError:
        reason = f"its encoding ({table.encoding}) cannot hold a corrected value; save the table as UTF-8"
        raise DatasetError(f"{name}: {reason}") from None


def appended(name: str, content: bytes, copies: Sequence[tuple[int, Mapping[str, str]]]) -> bytes:
    """The text with copies of some rows at its end; nothing else of it changes.

    Args:
        copies: row as in `written`, and column → text of the cells that its copy has otherwise.

    Raises:
        DatasetError: the text has other rows than it had, or its encoding cannot hold a new value.
    """
    table = opened(name, content)
    text, rows, names, mark = table.text, table.rows, table.names, table.mark
    filled = [fields for raw, fields, _ in rows[table.head + 1 :] if raw.strip("\r\n") and is_row(fields, table.width)]
    if any(row >= len(filled) or not set(cells) <= set(names) for row, cells in copies):
        raise DatasetError(f"{name}: the table has other rows than it had; was the file changed meanwhile?")
    end = next((end for _, _, end in rows if end), "\n")
    parts = [text if not text or text.endswith(("\n", "\r")) else text + end]
    for row, cells in copies:
        fields = filled[row] + [""] * (len(names) - len(filled[row]))
        parts.append(mark.join(quoted(cells[n], mark) if n in cells else f for n, f in _paired(names, fields)) + end)
    try:
        return "".join(parts).encode(table.encoding)
    except UnicodeEncodeError:
        raise DatasetError(
            f"{name}: its encoding ({table.encoding}) cannot hold a new value; save the table as UTF-8"
        ) from None


def _paired(names: Sequence[str], fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Column and cell; a cell beyond the header has no column."""
    return ((names[i] if i < len(names) else "", field) for i, field in enumerate(fields))


def width_of(names: list[str], second: list[list[str]]) -> int:
    """How many cells a row has, as the reader of tables takes it: headers and rows may end in a lone delimiter."""
    width = len(names)
    if second:
        while width > len(second[0]) and names[width - 1] == f"column {width}":
            width -= 1
        width += len(second[0]) == width + 1 and not second[0][-1].strip()
    return width


def is_row(fields: list[str], width: int) -> bool:
    """False for a row that is all blank, or has more cells than the header."""
    filled = any(field.strip() and bare(field).strip() for field in fields[:width])
    more = any(field.strip() and bare(field).strip() for field in fields[width:])
    return filled and not more


def check(name: str, fields: list[str], names: list[str], columns: Sequence[CorrectedColumn], row: int) -> None:
    """Refuse to write a value beside another one than it replaces: a wrong row would be a wrong patient."""
    for column in columns:
        source = column.name if column.exists else column.beside
        if source is not None and row in column.was:
            place = names.index(source)
            if (bare(fields[place]).strip() if place < len(fields) else "") != column.was[row]:
                raise DatasetError(f"{name}: a row holds another {source!r} than it did; was the file changed meanwhile?")


def decoded(content: bytes) -> tuple[str, str]:
    """The text, a byte order mark included, and the encoding that gives the same bytes again."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if content.startswith(mark):
            return content.decode(encoding), encoding
    found = encoding_of(content[:HEAD_BYTES], whole=len(content) < HEAD_BYTES)
    encoding = "latin-1" if found is None else "utf-8" if found[0] == "utf-8-sig" else found[0]
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def beginning_of(name: str, content: bytes, encoding: str) -> Prelude:
    """What stands above the header, and the delimiter, told as the reader of tables tells them."""
    head = content[:HEAD_BYTES].decode(encoding, "replace").lstrip("\ufeff")
    return prelude_of(name, first_lines(head, whole=len(content) < HEAD_BYTES))


def logical_rows(text: str, mark: str) -> Iterator[tuple[str, list[str], str]]:
    """Each row as text, its cells as they are written, and its line end; a quoted cell may run over several lines."""
    waiting = io.StringIO(text, newline="")
    for line in waiting:
        raw, start = line, waiting.tell()
        fields = fields_of(raw.rstrip("\r\n"), mark)
        extra = 0
        while fields is None and extra < MOST_LINES and (more := waiting.readline()):
            raw += more
            extra += 1
            fields = fields_of(raw.rstrip("\r\n"), mark)
        if fields is None:
            waiting.seek(start)
            raw = line
            fields = raw.rstrip("\r\n").split(mark)
        yield raw, fields, raw[len(raw.rstrip("\r\n")) :]


def fields_of(line: str, mark: str) -> list[str] | None:
    """The cells of one row as they are written, quotes included; None while a quoted cell is open."""
    if '"' not in line:
        return line.split(mark)
    fields: list[str] = []
    start = 0
    while True:
        stop = start
        if line.startswith('"', start):
            close = line.find('"', start + 1)
            while close >= 0 and line.startswith('"', close + 1):
                close = line.find('"', close + 2)
            if close < 0:
                return None
            stop = close
        stop = line.find(mark, stop)
        if stop < 0:
            fields.append(line[start:])
            return fields
        fields.append(line[start:stop])
        start = stop + 1


def bare(field: str) -> str:
    """The text of a cell without its quotes."""
    field = field.lstrip("\ufeff")
    return next(csv.reader(io.StringIO(field, newline="")), [""])[0] if field.startswith('"') else field


def quoted(text: str, mark: str) -> str:
    """A cell that is read back as `text` (RFC 4180)."""
    plain = not any(sign in text for sign in (mark, '"', "\n", "\r")) and text == text.strip()
    return text if plain else '"' + text.replace('"', '""') + '"'


def with_header(fields: list[str], names: list[str], columns: Sequence[CorrectedColumn], mark: str) -> list[str]:
    """The header with the new names."""
    done = list(fields)
    for place, column in placed(names, columns):
        done.insert(place, quoted(column.name, mark))
    return done


def with_cells(
    fields: list[str], names: list[str], columns: Sequence[CorrectedColumn], row: int | None, mark: str
) -> list[str]:
    """One row with the corrected cells; `row` None: a row that is no record, which gets blank cells."""
    done = list(fields)
    for column in columns:
        if column.exists and row is not None and row in column.changed:
            place = names.index(column.name)
            done += [""] * (place + 1 - len(done))
            done[place] = quoted(column.changed[row], mark)
    for place, column in placed(names, columns):
        done += [""] * (place - len(done))
        if row is None:
            cell = ""
        elif row in column.changed:
            cell = quoted(column.changed[row], mark)
        else:
            cell = fields[place - 1] if column.beside is not None and place <= len(fields) else ""
        done.insert(place, cell)
    return done


def placed(names: list[str], columns: Sequence[CorrectedColumn]) -> list[tuple[int, CorrectedColumn]]:
    """Where the new columns go, the last place first, so that inserting one moves no other."""
    new = [column for column in columns if not column.exists]
    places = [(len(names) if c.beside is None else names.index(c.beside) + 1, c) for c in new]
    return sorted(places, key=lambda pair: -pair[0])
