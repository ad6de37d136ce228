"""LK008: the class drifts with the date or the order of the files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.leakage.column_check import ColumnCheck
from auditor.evidence.leakage.ordering import days_of, hours_of, name_order
from auditor.statistics.clusters import held_by
from auditor.statistics.contingency import SHOWN_FROM_PATIENTS
from auditor.statistics.derived import Answer, Told, drawn
from auditor.statistics.told import (
    coverage_of,
    evidence_of,
    fields_table,
    figures_in_words,
    independence_note,
    intervals_chart,
    none_told,
)
from auditor.values.dataset import Dataset
from auditor.values.fields import Field, words
from auditor.values.results import Chart, Column, Finding, Severity, Table, Verdict

_DATE, _ORDER, _ROW = "record.date", "path.order", "table.row"
_PART = re.compile(r"^dicom\.(Study|Series|Acquisition)(Year|Month|Weekday|Hour)$")
_DATE_WORDS = frozenset(("date", "datetime", "time", "timestamp", "day", "year", "month", "weekday", "hour"))
_ABOUT_PEOPLE = frozenset(("birth", "birthday", "dob", "death", "diagnosis", "diagnosed", "treatment", "surgery", "followup"))
_TITLES = {_DATE: "date", _ORDER: "order of the file names", _ROW: "order of the table's rows"}


@dataclass(frozen=True, kw_only=True)
class Drift(ColumnCheck):
    """The class drifts with the date or the order of the files.

    ## What it does

    Asks how well each of these alone tells every class: the date (the role `time`, dates in the headers, columns of the
    table that hold dates), its year, month, weekday and time of day, the order of the files by the numbers in their names
    (letters, folders and times of modification play no part; numbering that starts anew in every folder is no order), and
    the order of the table's rows. AUC, interval and test are those of LK001; a drift may go up and down. Shows the share of
    the class along the order. A table that is merely sorted by class is told as information.

    ## Why is this bad?

    What changes with time (machines, protocols, referrals, the rules by which labels were given) then goes with the class, and
    a model can learn it from the pictures. Positives collected in one year and controls in another are the plainest case. It
    also means that a split by date has other prevalences than a random one. Drift may be real: epidemics and referral
    patterns do change.

    ## How to fix

    Collect or draw both classes from the same period (fewer records, another prevalence), match them by date, or split by
    date and say so (`[design] splits = "by-time"`); declare a period under `[design] strata`. Never use file order or date
    as an input. If the order is known to be harmless, waive with that reason.

    ## Options

    * `min_auc` (0.60): smallest AUC that is reported. `max_q` (0.05): false discovery rate.
    * `min_records` (10), `min_patients` (3): what a class needs, on either side.
    * `max_records` (100000): whole patients up to about this many records are used.
    * `draws` (2000), `test_records` (30000), `folds` (5), `seed` (0): as in LK001.

    ## References

    Nestor et al. 2019, MLHC (models over calendar time). Finlayson et al. 2021, NEJM 385:283 (dataset shift). Howard et al.
    2021, Nature Communications 12:4423.
    """

    code: ClassVar[str] = "LK008"
    name: ClassVar[str] = "drift"
    severity: ClassVar[Severity] = Severity.WARNING

    max_records: int = 100_000

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every order. Raises SkipCheck: no label, one class, no date and no order."""
        whole, dataset = dataset, drawn(dataset, records=self.max_records, seed=self.seed)
        orders, titles = _orders(dataset)
        if dataset.labels.task != "none" and not orders:
            raise SkipCheck("no dates, and neither file names nor rows give an order: name the column of dates with --time")
        fields = {name: Field(name=name, kind="provenance") for name in orders}
        frame = pd.DataFrame(dict(orders), index=dataset.records.index)
        found = self.answered(dataset, frame, fields)
        question = found.question
        if not found.rows:
            raise SkipCheck("all dates are the same")
        table = fields_table(found, titles, name="orders", title="Every date and order tested")
        told = [row for row in found.told if row.name != _ROW or not _sorted_alike(found)]
        note = question.clusters.sentence
        top = (tuple(told) or found.rows)[0]
        alone = f"{titles[top.name].capitalize()} alone {figures_in_words(found, top)}"
        text = alone if told else none_told(found, "dates and orders")
        return Verdict(
            summary=f"{text}.{note}",
            metrics={
                "orders_tested": len(found.rows),
                "orders_told": len(told),
                "largest_auc": round(found.rows[0].measured.auc, 4),
                "detectable_auc": round(found.detectable, 4),
                "rows_assumed_independent": question.clusters.independent,
            },
            findings=tuple(self._finding(dataset, found, row, titles[row.name]) for row in told),
            tables=(table,),
            charts=(
                intervals_chart(
                    table, {"warning": self.min_auc}, title="How well date and order tell the class (AUC, 95 % interval)"
                ),
                *(chart for row in told[:4] if (chart := _drift_chart(found, row, titles[row.name])) is not None),
            ),
            coverage=coverage_of(whole, question),
        )

    def _finding(self, dataset: Dataset, found: Answer, row: Told, what: str) -> Finding:
        is_row = row.name == _ROW
        message = f"the {what} alone {figures_in_words(found, row)}{independence_note(found.question)}"
        if is_row:
            message += "; shuffle before splitting by position, and never use the row number as an input"
        else:
            declared = dataset.design.kind == "temporal" or dataset.design.splits == "by-time"
            message += (
                "; the design is declared as one over time: report results by period"
                if declared
                else "; draw both classes from the same period (fewer records, another prevalence), or split by date and say "
                "so under [design], and ask what else changed with it"
            )
        severity = Severity.INFO if is_row else Severity.WARNING
        return self.finding_of(row, message, {"order": what, **evidence_of(found, row)}, field=row.name, severity=severity)


def _orders(dataset: Dataset) -> tuple[Mapping[str, pd.Series], Mapping[str, str]]:
    """Columns that say when, as numbers, and what they are in words."""
    orders: dict[str, pd.Series] = {}
    titles: dict[str, str] = {}

    def add(name: str, column: pd.Series | None, title: str) -> None:
        if column is not None and column.notna().any():
            orders[name], titles[name] = column, title

    if dataset.has("time"):
        days = days_of(dataset.records["time"])
        add(_DATE, days, _TITLES[_DATE])
        parts = pd.to_datetime(days, unit="D", origin="unix", errors="coerce")
        dated = days.notna()
        add("record.month", parts.dt.month.where(dated).astype(float), "month")
        add("record.weekday", parts.dt.day_of_week.where(dated).astype(float), "weekday")
        add("record.hour", hours_of(dataset.records["time"]), "time of day")
    for name in dataset.metadata.columns:
        found = _PART.match(str(name))
        said = set(words(str(name).partition(".")[2]))
        if found:
            add(str(name), dataset.metadata[name].astype(float), f"{found[2].lower()} of the {found[1].lower()} in the header")
        elif str(name).startswith("table.") and said & _DATE_WORDS and not said & _ABOUT_PEOPLE:
            column = dataset.metadata[name]
            numeric = pd.api.types.is_numeric_dtype(column.dtype)
            add(str(name), column.astype(float) if numeric else days_of(column), f"column {str(name).partition('.')[2]}")
    if dataset.records["path"].notna().any():
        add(_ORDER, name_order(dataset.records["path"]), _TITLES[_ORDER])
    lines = dataset.records["line"].to_numpy(dtype=np.float64)
    if (lines > 0).all() and np.unique(lines).size == len(lines):
        add(_ROW, pd.Series(lines, index=dataset.records.index), _TITLES[_ROW])
    return orders, titles


def _sorted_alike(found: Answer) -> bool:
    """The table's rows follow the file names, which are told already."""
    by_name = {row.name: row.measured for row in found.rows}
    if _ORDER not in by_name or _ROW not in by_name or not any(row.name == _ORDER and row.told for row in found.rows):
        return False
    return abs(by_name[_ORDER].auc - by_name[_ROW].auc) < 0.02


def _drift_chart(found: Answer, row: Told, what: str) -> Chart | None:
    """Share of the class along the order, in up to 32 steps, those that fewer than five patients hold left out."""
    coded, target = row.measured.coded, row.measured.target
    known, positive = found.question.targets.known[:, target], found.question.targets.positive[:, target]
    seen = np.bincount(coded.codes[known], minlength=coded.size)
    cases = np.bincount(coded.codes[positive], minlength=coded.size)
    enough: npt.NDArray[np.bool_] = held_by(coded.codes, found.question.clusters.index, coded.size, least=SHOWN_FROM_PATIENTS)
    steps = [c for c in range(coded.size) if c != coded.missing and enough[c] and seen[c] > 0]
    if len(steps) < 2:
        return None
    name = found.target(row)
    table = Table(
        name=f"drift:{row.name}",
        title=f"Share of {name} along the {what}",
        columns=(
            Column(name="step", kind="integer", title=f"Step along the {what}", values=list(range(1, len(steps) + 1))),
            Column(name="class_fraction", kind="fraction", title=f"Share of {name}",
                   values=[float(cases[c] / seen[c]) for c in steps]),
            Column(name="records", kind="integer", title="Records", values=[int(seen[c]) for c in steps]),
        ),
    )  # fmt: skip
    return Chart(
        name=table.name,
        title=table.title,
        kind="lines",
        table=table,
        label="step",
        value="class_fraction",
        reference={"all records": float(cases.sum() / max(1, seen.sum()))},
    )
