"""ED001: readers do not agree well enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from auditor.experts.agreement import (
    Coefficient,
    Metric,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    percent_agreement,
    similarity_matrix,
)
from auditor.check import Check
from auditor.dataset import Dataset
from auditor.experts.raters import RaterTest, compare_raters, dawid_skene
from auditor.experts.readings import Readings, collect_readings
from auditor.types import Cell, Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict

REPEATS = 500
SEED = 0


@dataclass(frozen=True, kw_only=True)
class ExpertDisagreement(Check):
    """Readers agree too little, or one of them stands apart.

    ## What it does

    Measures how far the readers agree: percent, Fleiss' κ, Krippendorff's α and Gwet's AC1, each with a bootstrap interval over
    records; for declared grades also the quadratically weighted κ, and α is the ordinal one. Every reader is compared with the
    others who read the same records: if all were equally good, each would be the odd one out equally often, however hard the
    records are. A reader who agrees significantly less (Holm over readers) and by `min_deficit` or more is named. The table
    `raters` shows the readers as they stand in the data: they are staff, not patients, and a pseudonym could not be acted on.

    ## Why is this bad?

    Labels cannot be better than the agreement they come from, and a model cannot be measured more finely than that. One poor
    reader among three spoils a third of the labels and every majority that hangs on it.

    ## How to fix

    Have the disputed records adjudicated first; where they share a trait, it is the definition of the label that is disputed.
    Keep soft labels for records that stay ambiguous. Talk to a reader who stands apart, and weigh the readings (`medaudit fix
    --strategy consensus`). Disagreement alone is no error.

    ## Options

    * `min_alpha`: the floor of Krippendorff's α (.667: below it, no conclusion should rest on the labels; .8 is good).
    * `min_deficit`: by how much a reader's agreement must fall short of the others' to be named (.05).
    * `max_p`: significance over all readers (.05).
    * `min_record_agreement`: a record is disputed when fewer of its pairs of readings agree (.5).
    * `max_findings`: so many readers are listed as findings (20); the table has them all.

    ## References

    * Krippendorff: Content Analysis. 2004; Computing Krippendorff's alpha-reliability. 2011.
    * Fleiss: Measuring nominal scale agreement among many raters. Psychological Bulletin 1971.
    * Gwet: Computing inter-rater reliability and its variance in the presence of high agreement. BJMSP 2008.
    * Dawid & Skene: Maximum likelihood estimation of observer error-rates. Applied Statistics 1979.
    """

    code: ClassVar[str] = "ED001"
    name: ClassVar[str] = "expert-disagreement"
    severity: ClassVar[Severity] = Severity.WARNING

    min_alpha: float = 0.667
    min_deficit: float = 0.05
    max_p: float = 0.05
    min_record_agreement: float = 0.5
    max_findings: int = 20

    def run(self, dataset: Dataset) -> Verdict:
        """Judge the readings; raises SkipCheck where there are none to compare."""
        readings = collect_readings(dataset)
        counts = readings.counts
        metric: Metric = "ordinal" if readings.ordinal else "nominal"
        alpha = krippendorff_alpha(counts, metric, repeats=REPEATS, seed=SEED)
        similarity = similarity_matrix(counts, metric)
        test = compare_raters(readings.unit, readings.rater, readings.label, counts, similarity, raters=len(readings.raters))
        poor = (test.q <= self.max_p) & (np.nan_to_num(test.deficit) >= self.min_deficit)
        pairs = _record_agreement(counts)
        disputed = pairs < self.min_record_agreement
        read_twice = int((counts.sum(axis=1) >= 2).sum())
        raters = _rater_table(readings, test, poor)
        metrics = _metrics(readings, alpha, int(poor.sum()), int(disputed.sum()), read_twice)
        return Verdict(
            summary=_summary(metrics, alpha, self.min_alpha, comparable=bool((counts.sum(axis=1) >= 3).any())),
            metrics=metrics,
            findings=(
                *self._agreement_finding(alpha, counts, metric, int(disputed.sum()), read_twice),
                *self._rater_findings(readings, test, poor),
            ),
            tables=(raters, _record_table(readings, pairs, disputed)),
            charts=(_rater_chart(raters, test),),
            coverage=Coverage(
                evaluated=read_twice, total=len(counts), reason="" if read_twice == len(counts) else "read by one rater only"
            ),
        )

    def _agreement_finding(
        self, alpha: Coefficient, counts: npt.NDArray[np.float64], metric: str, disputed: int, read_twice: int
    ) -> tuple[Finding, ...]:
        if not alpha.value < self.min_alpha:
            return ()
        percent, ac1 = percent_agreement(counts), gwet_ac1(counts).value
        rare = (
            f"; one label dominates, which lowers α: {percent:.0%} of the pairs of readings agree (AC1 {ac1:.2f})"
            if percent >= 0.9 and ac1 >= 0.8
            else ""
        )
        return (
            Finding(
                code=self.code, severity=self.severity, where=Location(), subject="agreement", score=alpha.value,
                message=(
                    f"the readers agree with Krippendorff's α = {alpha.value:.2f} ({metric}; interval {alpha.low:.2f} to "
                    f"{alpha.high:.2f}), below the floor of {self.min_alpha}{rare}; {disputed:,} of {read_twice:,} records are "
                    "disputed: have them adjudicated first"
                ),
                evidence={"krippendorff_alpha": alpha.value, "disputed_records": disputed, "records_read_twice": read_twice},
            ),
        )  # fmt: skip

    def _rater_findings(self, readings: Readings, test: RaterTest, poor: npt.NDArray[np.bool_]) -> list[Finding]:
        order = [int(r) for r in np.argsort(-test.deficit, kind="stable") if poor[r]]
        hidden = len(order) - self.max_findings
        found = []
        for place, r in enumerate(order[: self.max_findings]):
            more = f" ({hidden:,} more such raters are in the table)" if place == 0 and hidden > 0 else ""
            found.append(
                Finding(
                    code=self.code, severity=self.severity, where=Location(), subject=f"rater {readings.raters[r]}",
                    score=float(test.agreement[r]),
                    message=(
                        f"rater {readings.raters[r]} agrees with the others in {test.agreement[r]:.0%} of pairs; these "
                        f"agree among themselves in {test.others[r]:.0%} (p = {test.q[r]:.1g} over all raters); "
                        f"look at these readings before they become labels{more}"
                    ),
                    evidence={"rater": str(readings.raters[r]), "readings": int(test.readings[r]), "q": float(test.q[r])},
                )
            )  # fmt: skip
        return found


def _summary(metrics: dict[str, Cell], alpha: Coefficient, floor: float, *, comparable: bool) -> str:
    poor, raters = metrics["poor_raters"], metrics["raters"]
    if np.isnan(alpha.value):
        level = "α is not defined: every reading gives the same label"
    else:
        level = f"Krippendorff's α is {alpha.value:.2f} ({alpha.low:.2f} to {alpha.high:.2f}; floor {floor})"
    if poor:
        apart = f"{poor} of {raters} raters agree clearly less than the others"
    elif comparable:
        apart = f"none of {raters} raters stands apart"
    else:
        apart = f"which of {raters} raters is right cannot be told from two readings of a record"
    return (
        f"{level}; {apart}; {metrics['disputed_records']:,} of {metrics['records_read_twice']:,} records with "
        "two or more readings are disputed."
    )


def _metrics(readings: Readings, alpha: Coefficient, poor: int, disputed: int, read_twice: int) -> dict[str, Cell]:
    counts = readings.counts
    coefficients = {
        "krippendorff_alpha": alpha,
        "fleiss_kappa": fleiss_kappa(counts, repeats=REPEATS, seed=SEED),
        "gwet_ac1": gwet_ac1(counts, repeats=REPEATS, seed=SEED),
    }
    if readings.ordinal:
        coefficients["weighted_kappa"] = fleiss_kappa(counts, weights="quadratic", repeats=REPEATS, seed=SEED)
    metrics: dict[str, Cell] = {"percent_agreement_fraction": _number(percent_agreement(counts))}
    for name, coefficient in coefficients.items():
        metrics[name] = _number(coefficient.value)
        metrics[f"{name}_low"], metrics[f"{name}_high"] = _number(coefficient.low), _number(coefficient.high)
    metrics |= {
        "scale": "ordinal" if readings.ordinal else "nominal",
        "raters": len(readings.raters),
        "poor_raters": poor,
        "readings": len(readings.unit),
        "incomplete_readings": readings.incomplete,
        "repeated_readings": readings.repeats,
        "repeat_agreement_fraction": _number(readings.repeat_agreement),
        "records_read_twice": read_twice,
        "disputed_records": disputed,
        "disputed_fraction": disputed / read_twice,
    }
    return metrics


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _numbers(values: npt.NDArray[np.float64]) -> list[Cell]:
    return [_number(value) for value in values.tolist()]


def _record_agreement(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Share of agreeing pairs of readings per record, NaN with one reading."""
    n = counts.sum(axis=1)
    pairs = (counts * (counts - 1)).sum(axis=1) / np.maximum(n * (n - 1), 1)
    return np.asarray(np.where(n >= 2, pairs, np.nan))


def _rater_table(readings: Readings, test: RaterTest, poor: npt.NDArray[np.bool_]) -> Table:
    fitted = dawid_skene(
        readings.unit, readings.rater, readings.label,
        units=len(readings.records), raters=len(readings.raters), classes=len(readings.classes),
    )  # fmt: skip
    return Table(
        name="raters", title="Raters against the others who read the same records",
        columns=(
            Column(name="rater", kind="text", values=[str(r) for r in readings.raters], title="Rater"),
            Column(name="readings", kind="integer", values=test.readings.tolist(), title="Readings shared with others"),
            Column(name="informative", kind="integer", values=test.informative.tolist(), title="That tell who dissents"),
            Column(name="agreement", kind="fraction", values=_numbers(test.agreement), title="Agreement with the others"),
            Column(name="others", kind="fraction", values=_numbers(test.others), title="The others among themselves"),
            Column(name="kappa", kind="number", values=_numbers(test.kappa), title="κ with the others"),
            Column(name="accuracy", kind="fraction", values=_numbers(fitted.accuracy), title="Accuracy (Dawid-Skene)"),
            Column(name="q", kind="number", values=test.q.tolist(), title="p over all raters"),
            Column(name="flagged", kind="boolean", values=poor.tolist(), title="Stands apart"),
        ),
    )  # fmt: skip


def _rater_chart(table: Table, test: RaterTest) -> Chart:
    usual = float(np.nanmean(test.agreement))
    return Chart(
        name="rater_agreement", title="Agreement of each rater with the others", kind="bars", table=table,
        label="rater", value="agreement", reference={"mean": usual},
    )  # fmt: skip


def _record_table(readings: Readings, pairs: npt.NDArray[np.float64], disputed: npt.NDArray[np.bool_]) -> Table:
    counts = readings.counts
    n = counts.sum(axis=1)
    share = counts / n[:, None]
    entropy = -(share * np.log2(np.where(share > 0, share, 1))).sum(axis=1)
    top = counts.max(axis=1)
    tied = (counts == top[:, None]).sum(axis=1) > 1
    names = np.array(readings.classes, dtype=object)[counts.argmax(axis=1)]
    names[tied] = None
    return Table(
        name="records", title="Records and what their readers say",
        columns=(
            Column(name="record", kind="record", values=[str(r) for r in readings.records], title="Record"),
            Column(name="readings", kind="integer", values=n.astype(np.int64).tolist(), title="Readings"),
            Column(name="labels", kind="integer", values=(counts > 0).sum(axis=1).tolist(), title="Different labels"),
            Column(name="majority", kind="class", values=names.tolist(), title="Most frequent label (empty: tie)"),
            Column(name="agreement", kind="fraction", values=_numbers(pairs), title="Agreeing pairs"),
            Column(name="entropy_bits", kind="number", values=np.abs(entropy).round(6).tolist(), title="Entropy in bits"),
            Column(name="disputed", kind="boolean", values=disputed.tolist(), title="Disputed"),
        ),
    )  # fmt: skip
