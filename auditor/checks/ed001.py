"""ED001: readers do not agree well enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.raters.agreement import Coefficient
from auditor.evidence.raters.boxes import box_chart, box_pairs, box_table
from auditor.evidence.raters.drawings import judge_masks, judge_points
from auditor.evidence.raters.raters import RaterTest
from auditor.evidence.raters.readings import Readings, collect_readings
from auditor.evidence.raters.scores import collect_scores
from auditor.evidence.raters.summary import Agreement, against_others, measure_agreement, measure_scores
from auditor.evidence.raters.tables import (
    agreement_metrics,
    class_table,
    coefficient_chart,
    coefficient_table,
    number,
    offset_table,
    pair_chart,
    pair_table,
    rater_chart,
    rater_table,
    record_agreement,
    record_table,
)
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Coverage, Finding, Location, Severity, Verdict

REPEATS = 500
SEED = 0
MAX_CLASS_ROWS = 50


@dataclass(frozen=True, kw_only=True)
class ExpertDisagreement(Check):
    """Readers agree too little, or one of them stands apart.

    ## What it does

    Measures how far the readers agree: percent, Fleiss' κ, Krippendorff's α and Gwet's AC1, each with a bootstrap interval
    over patients (records, where there are no ids); for declared grades also the quadratically weighted κ, AC2 and the
    intraclass correlations ICC(2,1) and ICC(3,k), and α is the ordinal one; for sets of findings α counts what they have in
    common (Jaccard); measurements get the interval α and both ICC; boxes and points the F1 of those that match;
    masks of several readers (one folder per reader) the Dice and the Hausdorff distance (95 %) of every two, and STAPLE
    sensitivity and specificity per reader. The same per class and per pair of readers (Cohen's κ), and how often a reader
    repeats the own answer. Every reader is compared with the others who read the same records: if all were equally good,
    each would be the odd one out equally often, however hard the records are. A reader who agrees significantly less (Holm
    over readers) and by `min_deficit` or more is named. The table `raters` shows the readers as they stand in the data:
    they are staff, not patients, and a pseudonym could not be acted on.

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
    * `point_radius`: points of two readers are one where they lie this many pixels apart at most (15).
    * `min_dice`: the floor of the mean Dice of masks (.7); `min_record_dice`: the masks of a record are disputed below (.5).
    * `max_findings`: so many readers are listed as findings (20); the table has them all.

    ## References

    * Krippendorff: Content Analysis. 2004; Computing Krippendorff's alpha-reliability. 2011.
    * Fleiss: Measuring nominal scale agreement among many raters. Psychological Bulletin 1971.
    * Shrout & Fleiss: Intraclass correlations. Psychological Bulletin 1979.
    * Gwet: Computing inter-rater reliability and its variance in the presence of high agreement. BJMSP 2008.
    * Warfield, Zou & Wells: Simultaneous truth and performance level estimation (STAPLE). IEEE TMI 2004.
    * Dawid & Skene: Maximum likelihood estimation of observer error-rates. Applied Statistics 1979.
    """

    code: ClassVar[str] = "ED001"
    name: ClassVar[str] = "expert-disagreement"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"mask agreement"})

    min_alpha: float = 0.667
    min_deficit: float = 0.05
    max_p: float = 0.05
    min_record_agreement: float = 0.5
    point_radius: float = 15.0
    min_dice: float = 0.7
    min_record_dice: float = 0.5
    max_findings: int = 20

    def run(self, dataset: Dataset) -> Verdict:
        """Judge the readings and the masks; raises SkipCheck where there are none to compare."""
        masks = judge_masks(
            dataset, code=self.code, severity=self.severity, max_p=self.max_p, min_deficit=self.min_deficit,
            min_dice=self.min_dice, min_record_dice=self.min_record_dice, max_findings=self.max_findings, seed=SEED,
        )  # fmt: skip
        drawn = _joined(masks, judge_points(dataset, radius=self.point_radius, seed=SEED))
        try:
            said = self._judge_answers(dataset)
        except SkipCheck:
            if drawn is None:
                raise
            return drawn
        whole = _joined(said, drawn)
        assert whole is not None
        return whole

    def _judge_answers(self, dataset: Dataset) -> Verdict:
        """Of readings; raises SkipCheck where there are none to compare."""
        scores = collect_scores(dataset)
        if scores is not None:
            return self._judge_scores(scores.values, scores.raters, scores.cluster)
        readings = collect_readings(dataset)
        counts = readings.counts
        found = measure_agreement(readings, repeats=REPEATS, seed=SEED)
        alpha = found.alpha
        test = against_others(readings, found.similarity, self.max_p)
        poor = (test.q <= self.max_p) & (np.nan_to_num(test.deficit) >= self.min_deficit)
        pairs = record_agreement(counts)
        disputed = pairs < self.min_record_agreement
        read_twice = int((counts.sum(axis=1) >= 2).sum())
        raters = rater_table(readings, test, poor)
        metrics = agreement_metrics(readings, found, int(poor.sum()), int(disputed.sum()), read_twice)
        measures = coefficient_table(found.measures)
        between = pair_table(found.pairs, [str(r) for r in readings.raters])
        ranked = sorted(found.classes, key=lambda row: -row[1])[:MAX_CLASS_ROWS]
        classes = class_table([n for n, *_ in ranked], [r for *_, r in ranked], [k for _, k, _ in ranked])
        charts = [rater_chart(raters, test), coefficient_chart(measures, self.min_alpha)]
        charts += [pair_chart(between)] if between.length else []
        drawings = box_table(box_pairs(dataset, seed=SEED))
        charts += [box_chart(drawings)] if drawings.length else []
        return Verdict(
            summary=_summary(metrics, alpha, self.min_alpha, comparable=bool((counts.sum(axis=1) >= 3).any())),
            metrics=metrics,
            findings=(
                *self._agreement_finding(found, int(disputed.sum()), read_twice),
                *self._rater_findings(readings, test, poor),
            ),
            tables=(raters, record_table(readings, pairs, disputed), measures, between, classes)
            + ((drawings,) if drawings.length else ()),
            charts=tuple(charts),
            coverage=Coverage(
                evaluated=read_twice, total=len(counts), reason="" if read_twice == len(counts) else "read by one rater only"
            ),
        )

    def _judge_scores(self, values: npt.NDArray[np.float64], names: tuple[str, ...], cluster: npt.NDArray[np.int64]) -> Verdict:
        """Of measurements: the interval α and the intraclass correlations."""
        several = (~np.isnan(values)).sum(axis=1) >= 2
        if not several.any():
            raise SkipCheck("no record was measured by two raters")
        measures = measure_scores(values, cluster, repeats=REPEATS, seed=SEED)
        alpha = measures[0][1]
        table = coefficient_table(measures)
        raters = offset_table(np.where(several[:, None], values, np.nan), names)
        low = alpha.value < self.min_alpha
        finding = Finding(
            code=self.code, severity=self.severity, where=Location(), subject="agreement", score=alpha.value,
            message=(
                f"the measurements agree with Krippendorff's α = {alpha.value:.2f} (interval; {alpha.low:.2f} to "
                f"{alpha.high:.2f}), below the floor of {self.min_alpha}: measure the records again that differ most"
            ),
            evidence={"krippendorff_alpha": number(alpha.value)},
        )  # fmt: skip
        spoken = ", ".join(f"{name} {c.value:.2f} ({c.low:.2f} to {c.high:.2f})" for name, c in measures)
        metrics: dict[str, Cell] = {"metric": "interval", "raters": len(names), "records_read_twice": int(several.sum())}
        for key, (_, c) in zip(("krippendorff_alpha", "icc_single", "icc_average"), measures, strict=False):
            metrics |= {key: number(c.value), f"{key}_low": number(c.low), f"{key}_high": number(c.high)}
        return Verdict(
            summary=f"The readings are measurements by {len(names)} raters: {spoken}.",
            metrics=metrics,
            findings=(finding,) if low else (),
            tables=(raters, table),
            charts=(coefficient_chart(table, self.min_alpha),),
            coverage=Coverage(
                evaluated=int(several.sum()), total=len(values), reason="" if several.all() else "measured by one rater only"
            ),
        )

    def _agreement_finding(self, found: Agreement, disputed: int, read_twice: int) -> tuple[Finding, ...]:
        alpha, metric = found.alpha, found.metric
        if not alpha.value < self.min_alpha:
            return ()
        by_name = dict(found.measures)
        percent, ac1 = by_name["percent agreement"].value, by_name["Gwet's AC1"].value
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


def _joined(first: Verdict | None, second: Verdict | None) -> Verdict | None:
    """Both verdicts in one; the coverage is that of the first."""
    if first is None or second is None:
        return first if second is None else second
    return replace(
        first,
        summary=f"{first.summary} {second.summary}",
        metrics={**first.metrics, **second.metrics},
        findings=(*first.findings, *second.findings),
        tables=(*first.tables, *second.tables),
        charts=(*first.charts, *second.charts),
    )


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
