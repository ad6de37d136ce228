"""Read a label table in a bounded worker: csv, tsv, parquet, jsonl, json records, each also gzipped, and workbooks."""

from __future__ import annotations

import time
from pathlib import Path

from auditor.files import open_regular
from auditor.reading.jobs import run_job, told
from auditor.tables.label_table import LabelTable
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits

_OTHERWISE = "name a csv, tsv, parquet, jsonl or json file, or a workbook, that is whole"

REMEMBERED_SECONDS = 600.0
"""A file that was refused is not read again so long as it is the same: one scan asks for it in several places, and each time
it may cost all that a table may."""
MOST_REMEMBERED = 256
_REFUSED: dict[tuple[object, ...], tuple[float, str]] = {}


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
    limits = limits or Limits()
    place = _placed(how, path, limits)
    known = _REFUSED.get(place) if place is not None else None
    if known is not None and time.monotonic() - known[0] < REMEMBERED_SECONDS:
        raise DatasetError(known[1])
    try:
        table: LabelTable = run_job(f"auditor.tables.opening:{how}", path, limits=limits)
    except UnreadableFile as error:
        raise DatasetError(_remembered(place, f"{path}: {told(error, _OTHERWISE)}")) from None
    except DatasetError as error:
        _remembered(place, str(error))
        raise
    return table


def _placed(how: str, path: Path, limits: Limits) -> tuple[object, ...] | None:
    """What an answer depends on; None where nothing lies there."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return how, path, path.absolute(), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, limits


def _remembered(place: tuple[object, ...] | None, reason: str) -> str:
    if place is not None:
        while len(_REFUSED) >= MOST_REMEMBERED:
            _REFUSED.pop(next(iter(_REFUSED)), None)
        _REFUSED[place] = (time.monotonic(), reason)
    return reason


def content_of(path: Path, limits: Limits) -> bytes:
    """The bytes of a table of the user, as they are.

    Raises:
        DatasetError: it cannot be opened, or is larger than a table may be.
    """
    try:
        with open_regular(path) as stream:
            content = stream.read(limits.table_bytes + 1)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > limits.table_bytes:
        raise DatasetError(f"{path}: larger than {limits.table_bytes >> 20:,} MiB; raise [limits] table-bytes")
    return content
