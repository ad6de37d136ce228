"""The form of a table, told from its name: one door to all of them. Runs in the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from auditor.tables.extent import check_size
from auditor.tables.tables import table_format
from auditor.values.errors import DatasetError
from auditor.values.image import Limits
from trainers.copying.forms import json_form, parquet_form, text_form
from trainers.copying.forms.column import CorrectedColumn, Place


def written(limits: Limits, name: str, content: bytes, place: Place, columns: Sequence[CorrectedColumn]) -> bytes:
    """The table with the corrected columns in it and without the rows that leave; all other text is what it was.

    Args:
        limits: what the table may hold when it is inflated.
        name: of the file; its suffix tells the form.
        content: of the user's file.
        place: where its rows are.
        columns: what to add, or to fill anew where the column is there already.

    Raises:
        DatasetError: the file is not the one whose rows are in `place`, or cannot hold a new value.
    """
    if name.lower().endswith(".gz"):
        # No time and no name in the header: the same table gives the same bytes.
        return gzip.compress(written(limits, name[:-3], _inflated(limits, name, content), place, columns), mtime=0)
    kind = table_format(name) or "csv"
    if kind == "parquet":
        return parquet_form.written(name, content, place.kept, columns)
    if kind == "json":
        return json_form.list_written(name, content, place.kept, columns)
    if kind == "jsonl":
        return json_form.lines_written(content, place.lines, place.kept, columns)
    return text_form.written(name, content, place.kept, columns)


def appended(limits: Limits, name: str, content: bytes, copies: Sequence[tuple[int, Mapping[str, str]]]) -> bytes:
    """The table with copies of some rows at its end, each with some other cells.

    Args:
        limits, name, content: as for `written`.
        copies: row, and column → text of the cells that its copy has otherwise.

    Raises:
        DatasetError: the form of the table takes no rows.
    """
    if name.lower().endswith(".gz"):
        return gzip.compress(appended(limits, name[:-3], _inflated(limits, name, content), copies), mtime=0)
    if (table_format(name) or "csv") in ("parquet", "json", "jsonl"):
        raise DatasetError(f"{name}: rows are added to tables of delimited text alone; save it as CSV")
    return text_form.appended(name, content, copies)


def _inflated(limits: Limits, name: str, content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            inflated = stream.read(limits.table_bytes + 1)
    except (OSError, EOFError, zlib.error):
        raise DatasetError(f"{name}: a damaged gzip file; was it changed meanwhile?") from None
    check_size(Path(name), len(inflated), limits)
    return inflated
