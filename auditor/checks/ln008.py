"""LN008: label noise that gathers in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from auditor.check import Check, Need, SkipCheck
from auditor.dataset import Dataset
from auditor.noise.label_noise import judge_labels
from auditor.statistics.multiplicity import holm
from auditor.types import Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict

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
        records = np.concatenate([task.records for task in tasks])
        stratum, start = [], 0
        differs, patients = [], []
        for task in tasks:
            stratum.append(task.codes[task.label_of] + start)
            start += len(task.classes)
            differs.append((task.probabilities.argmax(axis=1) != task.codes)[task.label_of])
            patients.append(task.groups[task.label_of])
        rows = _compared(
            groupings, records, np.concatenate(stratum), np.concatenate(differs).astype(np.float64),
            np.concatenate(patients), self.min_records,
        )  # fmt: skip
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
        judged = len(np.unique(records))
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
                evaluated=judged, total=dataset.size, reason="" if judged == dataset.size else "no label, or no prediction"
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


def _compared(
    groupings: dict[str, pd.Series],
    records: npt.NDArray[np.int64],
    stratum: npt.NDArray[np.int64],
    differs: Doubles,
    patients: npt.NDArray[np.int64],
    min_records: int,
) -> pd.DataFrame:
    """One row per value: its share of disagreement, the share expected from the other values' rates of the same classes, p."""
    rows = []
    strata = int(stratum.max()) + 1
    everyone = np.bincount(stratum, minlength=strata).astype(np.float64)
    hits = np.bincount(stratum, differs, minlength=strata)
    for field, values in groupings.items():
        codes, names = pd.factorize(values.to_numpy(dtype=object)[records], sort=True)
        for code, name in enumerate(names):
            inside = np.flatnonzero(codes == code)
            if len(inside) < min_records or len(codes) - len(inside) < min_records:
                continue
            own = np.bincount(stratum[inside], minlength=strata)
            own_hits = np.bincount(stratum[inside], differs[inside], minlength=strata)
            # One half of a record of the mean rate, where no other group has the class.
            overall = differs.mean()
            rate = (hits - own_hits + 0.5 * overall) / (everyone - own + 0.5)
            expected = float(own @ rate / own.sum())
            share = float(differs[inside].mean())
            error = _standard_error(differs[inside] - rate[stratum[inside]], patients[inside])
            outside = float(np.sqrt(np.sum((own / own.sum()) ** 2 * rate * (1 - rate) / (everyone - own + 0.5))))
            spread = max(np.hypot(error, outside), np.sqrt(max(expected * (1 - expected), 1e-9) / len(inside)))
            rows.append((field, str(name), len(inside), share, expected, error, float(norm.sf((share - expected) / spread))))
    return pd.DataFrame(rows, columns=["field", "value", "records", "share", "expected", "error", "p"])


def _standard_error(residual: Doubles, patients: npt.NDArray[np.int64]) -> float:
    """Of the mean, with the records of one patient summed first."""
    _, compact = np.unique(patients, return_inverse=True)
    sums = np.bincount(compact, residual - residual.mean())
    count = len(sums)
    return float(np.sqrt(sums @ sums * count / max(count - 1, 1)) / len(residual))


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
