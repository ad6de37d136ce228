"""Reads back what `reports.document` wrote: the parts that result.json and comparison.json share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from auditor.stored import read_json
from auditor.values.errors import MedauditError
from auditor.values.results import SCHEMA_VERSION, Chart, Column, Finding, Location, Severity, Table
from reports.cell import cells


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
    """A finding."""
    where = item.get("where", {})
    return Finding(
        code=item["code"],
        severity=Severity(item["severity"]),
        message=item["message"],
        where=Location(path=where.get("path"), line=where.get("line"), field=where.get("field"), record=where.get("record")),
        subject=item.get("subject", ""),
        score=item.get("score"),
        evidence=item.get("evidence", {}),
        waived=item.get("waived"),
    )


def chart_of(item: dict[str, Any], tables: dict[str, Table]) -> Chart:
    """A chart; `tables` by their keys."""
    return Chart(
        name=item["name"],
        title=item["title"],
        kind=item["kind"],
        table=tables[item["table"]],
        label=item["label"],
        value=item["value"],
        low=item.get("low"),
        high=item.get("high"),
        group=item.get("group"),
        reference=item.get("reference", {}),
    )


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
    return Table(
        name=item.get("name", key),
        title=item.get("title", ""),
        columns=tuple(
            Column(name=column["name"], kind=column["kind"], values=tuple(cell), title=column.get("title", ""))
            for column, cell in zip(columns, values, strict=True)
        ),
    )


def _side_file(path: Path, name: str, columns: list[str]) -> list[list[Any]]:
    # A result may come from elsewhere: it must not make us open a file outside its own folder.
    if Path(name).name != name or name in ("", ".", ".."):
        raise MedauditError(f"{path}: a side file must lie beside the result, not at {name!r}")
    side = path.parent / name
    try:
        with side.open("rb") as stream:
            table = pq.read_table(stream)
    except OSError as error:
        raise MedauditError(
            f"{side}: cannot be read ({error.strerror or error}); {path.name} needs it beside itself"
        ) from error
    except pa.ArrowException as error:
        raise MedauditError(f"{side}: this side file of {path.name} is damaged; scan again") from error
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise MedauditError(f"{side}: column {missing[0]!r} is missing; the file belongs to another scan")
    return [list(cells(table.column(column).combine_chunks())) for column in columns]
