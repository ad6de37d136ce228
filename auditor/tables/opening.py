"""A label table as it lies on disk → its rows. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path

from auditor.tables.csv_table import read_csv
from auditor.tables.extent import bound_csv_cells, check_frame, long_cell
from auditor.tables.label_table import LabelTable
from auditor.tables.record_table import read_json, read_jsonl, read_parquet
from auditor.tables.tables import table_format
from auditor.values.errors import DatasetError
from auditor.values.image import Limits


def whole(limits: Limits, path: Path) -> LabelTable:
    """All rows.

    Raises:
        DatasetError: no table, empty, binary, more than half of its rows malformed, or larger than the limits allow.
    """
    return _read(path, limits, preview=False)


def preview(limits: Limits, path: Path) -> LabelTable:
    """The first rows (about 256 KiB).

    Raises:
        DatasetError: as for `whole`.
    """
    return _read(path, limits, preview=True)


def _read(path: Path, limits: Limits, *, preview: bool) -> LabelTable:
    kind = table_format(path.name) or "csv"
    bound_csv_cells(limits)
    try:
        if kind == "parquet":
            table = read_parquet(path, limits, preview=preview)
        elif kind == "json":
            table = read_json(path, limits)
        elif kind == "sheets":
            from auditor.tables.workbook import read_workbook  # few tables are

            table = read_workbook(path, limits)
        elif kind == "jsonl":
            table = read_jsonl(path, limits, preview=preview)
        else:
            table = read_csv(path, limits, preview=preview)
    except csv.Error as error:
        if "field larger" in str(error):
            raise long_cell(path, limits) from None
        raise DatasetError(f"{path}: the table cannot be parsed; check its quotes and its delimiter") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DatasetError(f"{path}: a damaged gzip file; fetch it again") from None
    except OSError as error:
        raise DatasetError(f"{path}: the table cannot be opened ({error.strerror or 'unreadable'})") from None
    check_frame(path, table.frame, limits)
    return table
