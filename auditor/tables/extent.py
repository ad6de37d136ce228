"""How much one table may hold: more is refused in a line that names the limit. Runs where tables are read, in the workers."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from auditor.values.errors import DatasetError
from auditor.values.image import Limits

NO_LIST = "a json table is a list of objects, or an object of images and their labels"
"""Words of every refusal of a JSON document that is sound and no table."""


def check_rows(path: Path, rows: int, limits: Limits) -> None:
    """Raise DatasetError where there are too many rows."""
    if rows > limits.table_rows:
        raise DatasetError(f"{path}: it has more than {limits.table_rows:,} rows; raise [limits] table-rows, or split it")


def check_columns(path: Path, columns: int, limits: Limits) -> None:
    """Raise DatasetError where there are too many columns."""
    if columns > limits.table_columns:
        raise DatasetError(
            f"{path}: the table has {columns:,} columns, more than {limits.table_columns:,}; raise [limits] table-columns"
        )


def check_size(path: Path, size: int, limits: Limits) -> None:
    """Raise DatasetError where the text of all cells together is too large."""
    if size > limits.table_bytes:
        raise DatasetError(
            f"{path}: the table inflates to more than {limits.table_bytes >> 20:,} MiB; raise [limits] table-bytes, or split it"
        )


def check_cell(path: Path, size: int, limits: Limits) -> None:
    """Raise DatasetError where a cell is too long."""
    if size > limits.cell_bytes:
        raise long_cell(path, limits)


def long_cell(path: Path, limits: Limits) -> DatasetError:
    """What a cell that is too long is told with."""
    return DatasetError(f"{path}: a cell is longer than {limits.cell_bytes:,} bytes; raise [limits] cell-bytes, or shorten it")


def check_frame(path: Path, frame: pd.DataFrame, limits: Limits) -> None:
    """Raise DatasetError where a table of categorical columns of text goes beyond a limit."""
    check_rows(path, len(frame), limits)
    check_columns(path, len(frame.columns), limits)
    size = 0
    for name in frame.columns:
        column = frame[name]
        lengths = column.cat.categories.astype("str").str.len().to_numpy(dtype="int64")
        check_cell(path, int(max(lengths.max(initial=0), len(str(name)))), limits)
        size += int(lengths[column.cat.codes.to_numpy()].sum()) + len(frame)
        check_size(path, size, limits)


def bound_csv_cells(limits: Limits) -> None:
    """Let Python's csv module read cells of the allowed length in this process; a longer one raises `csv.Error`."""
    csv.field_size_limit(limits.cell_bytes)
