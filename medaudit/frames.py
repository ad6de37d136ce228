"""Findings, checks and tables of a result as data frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from auditor.values.errors import MedauditError
from auditor.values.results import Cell, Chart, Column, ColumnKind, Finding, Outcome, ScanResult, Table
from auditor.values.suggestion import suggestion
from reports.document import keyed

DTYPES: Mapping[ColumnKind, str] = {"integer": "Int64", "number": "float64", "fraction": "float64", "boolean": "boolean"}
"""Of all other kinds: text. What is missing stays missing."""
TEXT = pd.StringDtype("python", na_value=np.nan)
"""Holds names with bytes that are not UTF-8 too, which pyarrow's text refuses."""


def findings_frame(findings: Iterable[Finding], names: Mapping[str, str], **more: Sequence[str]) -> pd.DataFrame:
    """One row per finding, most severe first, with the columns of findings.csv.

    Args:
        findings: in their order.
        names: code → name of the check.
        more: further columns, put first; one value per finding.
    """
    rows = list(findings)
    columns: dict[str, tuple[Any, list[Cell]]] = {
        "code": (TEXT, [f.code for f in rows]),
        "name": (TEXT, [names.get(f.code, "") for f in rows]),
        "severity": (TEXT, [f.severity.value for f in rows]),
        "path": (TEXT, [f.where.path for f in rows]),
        "line": ("Int64", [f.where.line for f in rows]),
        "field": (TEXT, [f.where.field for f in rows]),
        "record": (TEXT, [f.where.record for f in rows]),
        "subject": (TEXT, [f.subject for f in rows]),
        "score": ("float64", [f.score for f in rows]),
        "waived": (TEXT, [f.waived for f in rows]),
        "message": (TEXT, [f.message for f in rows]),
        "fingerprint": (TEXT, [f.fingerprint for f in rows]),
    }
    first = {name: pd.Series(list(values), dtype=TEXT) for name, values in more.items()}
    return pd.DataFrame(first | {name: pd.Series(values, dtype=kind) for name, (kind, values) in columns.items()})


def checks_frame(outcomes: Iterable[Outcome]) -> pd.DataFrame:
    """One row per check: what became of it, and why; what was not evaluated is told apart from what passed."""
    rows = list(outcomes)
    columns: dict[str, list[str]] = {
        "code": [o.code for o in rows],
        "name": [o.name for o in rows],
        "status": [o.status for o in rows],
        "summary": [o.verdict.summary if o.verdict is not None else "" for o in rows],
        "reason": [o.reason for o in rows],
    }
    frame = pd.DataFrame({name: pd.Series(values, dtype=TEXT) for name, values in columns.items()})
    frame["findings"] = pd.Series([len(o.verdict.findings) if o.verdict else 0 for o in rows], dtype="int64")
    return frame


def table_frame(table: Table) -> pd.DataFrame:
    """A table as a check measured it, typed by the kinds of its columns."""
    return pd.DataFrame({column.name: _series(column) for column in table.columns})


def _series(column: Column) -> pd.Series:
    """A column in the type of its kind; one whose values are of another kind keeps them as they are."""
    values = list(column.values)
    kind: Any = DTYPES.get(column.kind)
    if kind is None:
        kind = TEXT if all(value is None or isinstance(value, str) for value in values) else object
    try:
        return pd.Series(values, dtype=kind)
    except (TypeError, ValueError):
        return pd.Series(values, dtype=object)


def table_in(result: ScanResult, code: str, name: str) -> Table:
    """The table `name` of the check `code`, under the key that it has in result.json.

    Raises:
        MedauditError: there is no such check or table in the result, or the check measured nothing; it says what there is.
    """
    outcome = next((o for o in result.outcomes if o.code == code), None)
    if outcome is None:
        codes = [o.code for o in result.outcomes]
        raise MedauditError(f"the result holds no check {code!r}{suggestion(code, codes)}")
    if outcome.verdict is None:
        raise MedauditError(f"{code} holds no tables: it {outcome.status} ({outcome.reason})")
    return named_table(name, outcome.verdict.tables, outcome.verdict.charts, code)


def named_table(name: str, tables: Sequence[Table], charts: Sequence[Chart], owner: str) -> Table:
    """The table `name` of a check or a strategy, those of its charts too.

    Raises:
        MedauditError: there is none of this name.
    """
    known = {key: table for key, table, _ in keyed(tables, charts)}
    if name not in known:
        raise MedauditError(f"{owner} has no table {name!r}{suggestion(name, list(known)) or '; it has none'}")
    return known[name]
