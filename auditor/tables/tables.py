"""Read a label table in a bounded worker: csv, tsv, parquet, jsonl, json records, each also gzipped, and workbooks."""

from __future__ import annotations

from pathlib import Path

from auditor.reading.jobs import run_job, told
from auditor.tables.label_table import LabelTable
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits

_OTHERWISE = "name a csv, tsv, parquet, jsonl or json file, or a workbook, that is whole"


def table_format(name: str) -> str | None:
    """`csv`, `parquet`, `jsonl`, `json` or `sheets` (a workbook), told from the file name; None for anything else."""
    name = name.lower().removesuffix(".gz")
    suffix = name.rpartition(".")[2] if "." in name else ""
    return {
        "csv": "csv", "tsv": "csv", "tab": "csv", "parquet": "parquet", "pq": "parquet",
        "jsonl": "jsonl", "ndjson": "jsonl", "json": "json",
        "xlsx": "sheets", "xlsm": "sheets", "xlsb": "sheets", "xls": "sheets", "ods": "sheets",
    }.get(suffix)  # fmt: skip


def read_table(path: Path, limits: Limits | None = None) -> LabelTable:
    """Read a whole table.

    Raises:
        DatasetError: no table, empty, binary, more than half of its rows malformed, or beyond the limits.
    """
    return _asked("whole", path, limits)


def preview_table(path: Path, limits: Limits | None = None) -> LabelTable:
    """The first rows (about 256 KiB), to judge what the table is.

    Raises:
        DatasetError: as for `read_table`.
    """
    return _asked("preview", path, limits)


def _asked(how: str, path: Path, limits: Limits | None) -> LabelTable:
    try:
        table: LabelTable = run_job(f"auditor.tables.opening:{how}", path, limits=limits or Limits())
    except UnreadableFile as error:
        raise DatasetError(f"{path}: {told(error, _OTHERWISE)}") from None
    return table
