"""Read a label table: csv, tsv, parquet, jsonl, json records, each also gzipped."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from auditor.tables.csv_table import read_csv
from auditor.tables.label_table import LabelTable
from auditor.tables.record_table import read_json, read_jsonl, read_parquet
from auditor.values.errors import DatasetError


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


def _read(path: Path, *, preview: bool) -> LabelTable:
    kind = table_format(path.name) or "csv"
    try:
        if kind == "parquet":
            return read_parquet(path, preview=preview)
        if kind == "json":
            return read_json(path)
        if kind == "jsonl":
            return read_jsonl(path, preview=preview)
        return read_csv(path, preview=preview)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DatasetError(f"{path}: a damaged gzip file; fetch it again") from None
    except OSError as error:
        raise DatasetError(f"{path}: the table cannot be opened ({error.strerror or 'unreadable'})") from None
