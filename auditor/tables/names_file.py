"""A file that lists records: a csv with a column of them, or one per line. Runs in the bounded workers."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from auditor.containers.source import read_document
from auditor.tables.extent import bound_csv_cells
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

COLUMNS = ("record", "path")


def names(limits: Limits, path: Path) -> list[str]:
    """Ids or paths: the column `record` or `path` of a csv, else the first cell of every line.

    Raises:
        UnreadableFile: no text in UTF-8, or larger than the limits allow.
    """
    bound_csv_cells(limits)
    try:
        text = read_document(path, limits).decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except (UnicodeDecodeError, csv.Error):
        raise UnreadableFile("malformed", "no list in UTF-8") from None
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = next((head.index(name) for name in COLUMNS if name in head), None)
    body = rows if column is None else rows[1:]
    return [row[column or 0].strip() for row in body if len(row) > (column or 0)]
