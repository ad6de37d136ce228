"""Reads back what `reports.document` wrote: the parts that result.json and comparison.json share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auditor.reading.jobs import run_job
from auditor.stored import checked, read_json
from auditor.values.errors import MedauditError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.results import SCHEMA_VERSION, Chart, Finding, Table

_NUMERIC = ("integer", "number", "fraction")


def opened(path: Path, name: str) -> dict[str, Any]:
    """The document at `path`; `name` is the file that was meant, for the message.

    Raises:
        MedauditError: not there, not JSON, not written by medaudit, or by a newer one.
    """
    try:
        document = read_json(path)
    except OSError as error:
        raise MedauditError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise MedauditError(f"{path}: {error}; give the {name} that medaudit wrote") from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise MedauditError(f"{path}: this is not a result of medaudit (no schema_version)")
    if version > SCHEMA_VERSION:
        raise MedauditError(
            f"{path}: written by a newer medaudit (schema {version}, this one reads up to {SCHEMA_VERSION}): "
            "pip install --upgrade medaudit"
        )
    return document  # type: ignore[no-any-return]


def finding_of(item: dict[str, Any]) -> Finding:
    """A finding.

    Raises:
        ValueError: it is none.
    """
    return checked(Finding, item)


def chart_of(item: dict[str, Any], tables: dict[str, Table]) -> Chart:
    """A chart; `tables` by their keys."""
    chart = checked(Chart, {**item, "table": tables[item["table"]]})
    kinds = {column.name: column.kind for column in chart.table.columns}
    numbers = [chart.value, *(name for name in (chart.low, chart.high) if name is not None)]
    numbers += [chart.label] if chart.kind == "lines" else []
    if not {chart.label, *([] if chart.group is None else [chart.group])} <= set(kinds):
        raise ValueError("a chart draws columns that its table lacks")
    if any(kinds.get(name) not in _NUMERIC for name in numbers):
        raise ValueError("a chart draws columns that are no numbers")
    return chart


def table_of(key: str, item: dict[str, Any], path: Path) -> Table:
    """A table, its side file beside `path` read in.

    Raises:
        MedauditError: the side file is missing, damaged, of another scan, or not beside it.
    """
    columns = item["columns"]
    if "file" in item:
        values = _side_file(path, item["file"], [column["name"] for column in columns])
    else:
        values = [[row[place] for row in item["rows"]] for place in range(len(columns))]
    if any(len(column) != item.get("row_count", len(column)) for column in values):
        raise MedauditError(f"{path}: table {key} should have {item['row_count']} rows; its side file is of another scan")
    described = [{**column, "values": tuple(cells)} for column, cells in zip(columns, values, strict=True)]
    table = checked(Table, {"name": key, "title": "", **item, "columns": described})
    if any(column.kind in _NUMERIC and not all(map(_is_number, column.values)) for column in table.columns):
        raise ValueError("a column of numbers holds something else")
    return table


def _is_number(cell: object) -> bool:
    return cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool))


def _side_file(path: Path, name: str, columns: list[str]) -> list[list[Any]]:
    # A result may come from elsewhere: it must not make us open a file outside its own folder.
    if Path(name).name != name or name in ("", ".", ".."):
        raise MedauditError(f"{path}: a side file must lie beside the result, not at {name!r}")
    side = path.parent / name
    try:
        found: list[list[Any]] = run_job("reports.side_file:columns", side, columns, limits=Limits())
    except UnreadableFile as error:
        raise MedauditError(f"{side}: this side file of {path.name} cannot be read: {error.reason}; scan again") from error
    return found
