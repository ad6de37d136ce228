"""Reads result.json back, with its side files. Results of older versions open; unknown keys are passed over."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from auditor.errors import MedauditError
from auditor.types import (
    SCHEMA_VERSION,
    Chart,
    Column,
    Coverage,
    DatasetSummary,
    Finding,
    Gate,
    Guess,
    Location,
    Outcome,
    Run,
    ScanResult,
    Severity,
    Table,
    Verdict,
)
from reports.cell import cells


def load_result(path: Path) -> ScanResult:
    """The scan result that was written to `path`.

    Raises:
        MedauditError: not there, not a result of medaudit, written by a newer medaudit, or a side file is missing or damaged.
    """
    document = _document(path)
    try:
        return _result(document, path)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MedauditError(f"{path}: this result is damaged ({type(error).__name__}: {error}); scan again") from error


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise MedauditError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise MedauditError(f"{path}: this is not JSON; give the result.json that `medaudit scan` wrote") from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise MedauditError(f"{path}: this is not a result of medaudit (no schema_version)")
    if version > SCHEMA_VERSION:
        raise MedauditError(
            f"{path}: written by a newer medaudit (schema {version}, this one reads up to {SCHEMA_VERSION}): "
            "pip install --upgrade medaudit"
        )
    return document  # type: ignore[no-any-return]


def _result(document: dict[str, Any], path: Path) -> ScanResult:
    run, gate, dataset = document.get("run", {}), document["gate"], document["dataset"]
    seconds = run.get("check_seconds", {})
    return ScanResult(
        schema_version=document["schema_version"],
        tool_version=document["tool_version"],
        dataset=DatasetSummary(
            name=dataset["name"],
            layout=dataset["layout"],
            task=dataset["task"],
            classes=tuple(dataset["classes"]),
            counts=dataset["counts"],
            guesses=tuple(_guess(guess) for guess in dataset["guesses"]),
            notes=tuple(dataset.get("notes", ())),
        ),
        records=document["records"],
        outcomes=tuple(_outcome(item, seconds.get(item["code"], 0.0), path) for item in document["outcomes"]),
        gate=Gate(
            verdict=gate["verdict"],
            exit_code=gate["exit_code"],
            fail_on=gate["fail_on"],
            reasons=tuple(gate.get("reasons", ())),
        ),
        configuration=document.get("configuration", {}),
        documentation=document.get("documentation", {}),
        thumbnails={record: base64.b64decode(text) for record, text in document.get("thumbnails", {}).items()},
        run=Run(
            started=run.get("started", ""),
            seconds=run.get("seconds") or 0.0,
            host=run.get("host", ""),
            stages=run.get("stages", {}),
            cache=run.get("cache", {}),
        ),
    )


def _guess(item: dict[str, Any]) -> Guess:
    return Guess(
        role=item["role"],
        value=item["value"],
        confidence=item["confidence"],
        why=item.get("why", ""),
        pinned=item.get("pinned", False),
    )


def _outcome(item: dict[str, Any], seconds: float | None, path: Path) -> Outcome:
    verdict = None
    if item.get("summary") is not None:
        tables = {key: _table(key, table, path) for key, table in item.get("tables", {}).items()}
        coverage = item.get("coverage")
        verdict = Verdict(
            summary=item["summary"],
            metrics=item.get("metrics", {}),
            findings=tuple(_finding(finding) for finding in item.get("findings", ())),
            tables=tuple(tables[key] for key, table in item.get("tables", {}).items() if table.get("listed", True)),
            charts=tuple(_chart(chart, tables) for chart in item.get("charts", ())),
            coverage=coverage
            and Coverage(
                evaluated=coverage["evaluated"],
                total=coverage["total"],
                unit=coverage.get("unit", "records"),
                reason=coverage.get("reason", ""),
            ),
        )
    return Outcome(
        code=item["code"],
        name=item["name"],
        title=item["title"],
        status=item["status"],
        verdict=verdict,
        reason=item.get("reason", ""),
        seconds=seconds or 0.0,
    )


def _finding(item: dict[str, Any]) -> Finding:
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


def _chart(item: dict[str, Any], tables: dict[str, Table]) -> Chart:
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


def _table(key: str, item: dict[str, Any], path: Path) -> Table:
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
