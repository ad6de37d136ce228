"""LN008: label noise that gathers in one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.labels.label_noise import judge_labels, judged_records
from auditor.statistics.distributions import norm
from auditor.statistics.multiplicity import holm
from auditor.values.dataset import Dataset
from auditor.values.judgements import JudgedTask
from auditor.values.results import Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict

DATE_PARTS = 8
MAX_VALUES = 200
_OWN_COLUMNS = ("site", "split", "fold")

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GatheredNoise(Check):
    """Labels disagree with the model far more often in one site, period, label source or reader.

    ## What it does

    For each value of each grouping (site, split, fold; the date in eight periods; the reader, where a record has one; columns
    of the label table with at most 200 values, which may say where a label came from) it compares how many labels disagree with
    an out-of-fold model with how many would if the value had the rate of all others, class by class. A value is reported when
    it has at least `min_records` records, `min_ratio` times the expected disagreement and `min_excess` more of it, and chance
    explains that in less than 1 % over all values tried (variance over patients, Holm's correction).

    ## Why is this bad?

    Wrong labels that are spread evenly cost some accuracy. Wrong labels of one hospital, one month or one reader teach the
    model that place, and fixing the one source is cheap.

    ## How to fix

    Have twenty records of that source read again, blind, with twenty of the others. If the source is at fault, correct it
    there. If its pictures are worse or its patients harder, the labels may be right: then say so and waive the finding.

    ## Options

    * `min_records`: smaller groups are not judged (20).
    * `min_ratio`: so many times the disagreement that is expected (1.5).
    * `min_excess`: and so much more of it, as a fraction (0.05).
    * `max_noise_fraction`: as in LN001 (0.01).

    ## References

    * Northcutt, Jiang & Chuang: Confident learning. JAIR 70, 2021.
    * Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 1979.
    """

    code: ClassVar[str] = "LN008"
    name: ClassVar[str] = "gathered-noise"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"predictions"})

    min_records: int = 20
    min_ratio: float = 1.5
    min_excess: float = 0.05
    max_noise_fraction: float = 0.01

    def run(self, dataset: Dataset) -> Verdict:
        """Compare groups; raises SkipCheck without labels, predictions or anything to group by."""
        tasks = judge_labels(dataset, tolerance=self.max_noise_fraction)
        groupings = _groupings(dataset)
        if not groupings:
            raise SkipCheck("there is no site, split, date, reader or column of the label table to group by")
        rows = _compared(groupings, tasks, self.min_records)
        if rows.empty:
            raise SkipCheck(f"no group by site, date, reader or column has {self.min_records} records, and as many outside it")
        rows["p_adjusted"] = holm(rows["p"].to_numpy())
        loud = (
            (rows["p_adjusted"] < 0.01)
            & (rows["share"] >= self.min_ratio * rows["expected"])
            & (rows["share"] - rows["expected"] >= self.min_excess)
        )
        rows["reported"] = loud
        rows = rows.sort_values(["reported", "p", "field", "value"], ascending=[False, True, True, True], kind="stable")
        judged = judged_records(tasks, dataset.size)
        table = _table(rows)
        return Verdict(
            summary=(
                f"{int(loud.sum())} of {len(rows):,} groups disagree with the model far more than the rest."
                if loud.any()
                else f"None of {len(rows):,} groups disagrees with the model far more than the rest "
                f"({self.min_ratio:g} times and {self.min_excess:.0%} more would have been reported)."
            ),
            metrics={"groups_reported": int(loud.sum()), "groups_compared": len(rows), "groupings": len(groupings)},
            findings=self._findings(rows[rows["reported"]]),
            tables=(table,),
            charts=(
                Chart(
                    name="groups", title="Disagreement between label and model by group", kind="intervals", table=table,
                    label="group", value="disagreement_fraction", low="low", high="high",
                ),
            ),
            coverage=Coverage(
                evaluated=int(judged.sum()), total=dataset.size, reason="" if judged.all() else "no label, or no prediction"
            ),
        )  # fmt: skip

    def _findings(self, rows: pd.DataFrame) -> tuple[Finding, ...]:
        columns = (rows[name].tolist() for name in ("field", "value", "records", "share", "expected"))
        return tuple(
            Finding(
                code=self.code, severity=self.severity, where=Location(field=field), subject=value, score=share - expected,
                message=(
                    f"{field} {value!r}: {share:.1%} of {records:,} labels disagree with the model, {expected:.1%} would be "
                    "expected; have some of its records read again, blind, among others"
                ),
                evidence={"records": records, "disagreement_fraction": share, "expected_fraction": expected},
            )
            for field, value, records, share, expected in zip(*columns, strict=True)
        )  # fmt: skip


def _groupings(dataset: Dataset) -> dict[str, pd.Series]:
    """Field → value per record (text, missing = NA), for fields with two values or more, but not as many as records."""
    found: dict[str, pd.Series] = {}
    for role in _OWN_COLUMNS:
        if dataset.has(role):
            found[role] = dataset.records[role]
    if dataset.has("time"):
        when = pd.to_datetime(dataset.records["time"], errors="coerce", format="mixed", utc=True)
        if when.notna().sum() >= 2 * DATE_PARTS and when.nunique() > DATE_PARTS:
            found["time"] = _periods(when)
    readings = dataset.annotations
    if len(readings) and not readings["record"].duplicated().any():
        found["rater"] = readings.set_index("record")["rater"].reindex(dataset.records.index)
    origins = set(dataset.labels.origin.replace(",", " ").split())
    for name in dataset.metadata.columns:
        values = dataset.metadata[name]
        if not str(name).startswith("table.") or str(name)[6:] in origins or values.nunique() > MAX_VALUES:
            continue
        if not dataset.fields[str(name)].identifying and not pd.api.types.is_numeric_dtype(values):
            found[str(name)] = values.astype("string")
    return {name: values for name, values in found.items() if 1 < values.nunique() <= MAX_VALUES}


def _periods(when: pd.Series) -> pd.Series:
    """Eight periods of about as many records each, named by their first and last month."""
    part = pd.qcut(when.rank(method="first"), DATE_PARTS, labels=False)
    month = when.dt.strftime("%Y-%m")
    first, last = month.groupby(part).min(), month.groupby(part).max()
    names = {p: f"part {int(p) + 1}: {first[p]} to {last[p]}" for p in first.index}
    return part.map(names)


def _compared(groupings: dict[str, pd.Series], tasks: Sequence[JudgedTask], min_records: int) -> pd.DataFrame:
    """One row per value: its share of disagreement, the share expected from the other values' rates of the same classes, p."""
    rows: list[tuple[str, str, int, float, float, float, float]] = []
    for field, values in groupings.items():
        codes, names = pd.factorize(values.to_numpy(dtype=object), sort=True)
        rows.extend((field, str(names[found[0]]), *found[1:]) for found in _by_value(codes, len(names), tasks, min_records))
    return pd.DataFrame(rows, columns=["field", "value", "records", "share", "expected", "error", "p"])


def _by_value(
    codes: npt.NDArray[np.int64], count: int, tasks: Sequence[JudgedTask], min_records: int
) -> Iterator[tuple[int, int, float, float, float, float]]:
    """Value, labels, share of disagreement, expected share, standard error and p, for each value with enough labels.

    Task by task, so that fourteen findings of a million images are never side by side. Classes of all tasks are the strata.

    Args:
        codes: value of each record, −1 = none.
        count: how many values there are.
    """
    starts = np.cumsum([0, *(len(task.classes) for task in tasks)])
    own, hits = np.zeros((count + 1, starts[-1])), np.zeros((count + 1, starts[-1]))
    for task, start, end in zip(tasks, starts, starts[1:], strict=False):
        # Records without a value count among "the others": the last row.
        cell = codes[task.records] % (count + 1) * (end - start) + task.codes[task.label_of]
        shape = (count + 1, end - start)
        own[:, start:end] = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
        hits[:, start:end] = np.bincount(cell, task.differs[task.label_of], minlength=shape[0] * shape[1]).reshape(shape)
    labels = own.sum(axis=1)
    others, overall = own.sum(axis=0) - own, float(hits.sum() / labels.sum())
    # One half of a record of the mean rate, where no other group has the class.
    rate = (hits.sum(axis=0) - hits + 0.5 * overall) / (others + 0.5)
    size = np.maximum(labels, 1)
    expected, share = (own * rate).sum(axis=1) / size, hits.sum(axis=1) / size
    error = _standard_errors(codes % (count + 1), tasks, starts, rate, share - expected, size)
    for value in range(count):
        if labels[value] < min_records or labels.sum() - labels[value] < min_records:
            continue
        part = own[value] / labels[value]
        outside = float(np.sqrt(np.sum(part**2 * rate[value] * (1 - rate[value]) / (others[value] + 0.5))))
        chance = np.sqrt(max(expected[value] * (1 - expected[value]), 1e-9) / labels[value])
        spread = max(np.hypot(error[value], outside), chance)
        p = float(norm.sf((share[value] - expected[value]) / spread))
        yield value, int(labels[value]), float(share[value]), float(expected[value]), float(error[value]), p


def _standard_errors(
    value: npt.NDArray[np.int64],
    tasks: Sequence[JudgedTask],
    starts: npt.NDArray[np.int64],
    rate: Doubles,
    excess: Doubles,
    size: Doubles,
) -> Doubles:
    """Of each value's mean excess, with the records of one patient summed first.

    Args:
        value: of each record.
        rate: expected disagreement by value and stratum.
        excess: mean of observed minus expected, by value.
        size: labels by value.
    """
    residual, patient = np.zeros(len(value)), np.full(len(value), -1, dtype=np.int64)
    for task, start in zip(tasks, starts, strict=False):
        here = value[task.records]
        over = task.differs[task.label_of] - rate[here, start + task.codes[task.label_of].astype(np.int64)] - excess[here]
        residual += np.bincount(task.records, over, minlength=len(value))
        patient[task.records] = task.groups[task.label_of]
    seen = patient >= 0
    cells, compact = np.unique(value[seen] * (int(patient.max()) + 1) + patient[seen], return_inverse=True)
    sums = np.bincount(compact, residual[seen], minlength=len(cells))
    of = cells // (int(patient.max()) + 1)
    squares, count = np.bincount(of, sums**2, minlength=len(size)), np.bincount(of, minlength=len(size))
    return np.asarray(np.sqrt(squares * count / np.maximum(count - 1, 1)) / size)


def _table(rows: pd.DataFrame) -> Table:
    share = rows["share"].to_numpy()
    half = norm.ppf(0.975) * rows["error"].to_numpy()
    return Table(
        name="groups", title="Disagreement between label and model by group",
        columns=(
            Column(name="group", kind="text", values=(rows["field"] + " " + rows["value"]).tolist(), title="Group"),
            Column(name="records", kind="integer", values=rows["records"].tolist(), title="Labels"),
            Column(name="disagreement_fraction", kind="fraction", values=share.tolist(), title="Model disagrees"),
            Column(name="low", kind="fraction", values=np.clip(share - half, 0, 1).tolist(), title="95 % from"),
            Column(name="high", kind="fraction", values=np.clip(share + half, 0, 1).tolist(), title="to"),
            Column(
                name="expected_fraction", kind="fraction", values=np.clip(rows["expected"], 0, 1).tolist(), title="Expected"
            ),
            Column(name="p", kind="number", values=rows["p_adjusted"].tolist(), title="p (Holm)"),
            Column(name="reported", kind="boolean", values=rows["reported"].tolist(), title="Reported"),
        ),
    )  # fmt: skip
