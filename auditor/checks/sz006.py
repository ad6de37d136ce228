"""SZ006: how small a difference the test set can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.kin.groups import is_test, partition, split_names
from auditor.evidence.quality.sample_size import count_cells, labelled, precision
from auditor.values.dataset import Dataset
from auditor.values.results import Chart, Column, Finding, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class DetectableDifference(Check):
    """How small a difference the test set can show.

    ## What it does

    From the number of test patients (images, where patients are not known): the half-width of a 95 % interval of an accuracy
    of `accuracy`, and the smallest difference of two models that a test at 5 % would find with 80 % power, when both are read
    on the same cases and disagree on `disagreement` of them. For each class the same for its recall.

    ## Why is this bad?

    Two models that differ by two points cannot be told apart on 300 patients. A leaderboard that does so ranks noise.

    ## How to fix

    Report intervals. Enlarge the test set by patients, or claim less.

    ## Options

    * `accuracy`: the expected accuracy, 0–1.
    * `disagreement`: share of cases that only one of the two models has right.
    * `max_difference`: a test set that cannot show this difference is named.
    * `max_findings`: so many get a finding of their own; the tables list all.

    ## References

    * Connor: Sample size for testing differences in proportions for the paired-sample design. Biometrics 1987.
    * Wilson: JASA 1927 (interval).
    """

    code: ClassVar[str] = "SZ006"
    name: ClassVar[str] = "detectable-difference"
    severity: ClassVar[Severity] = Severity.INFO

    accuracy: float = 0.9
    disagreement: float = 0.1
    max_difference: float = 0.05
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        if dataset.labels.task not in ("single", "ordinal", "multi"):
            raise SkipCheck("there are no classes to be tested")
        splits = partition(dataset)
        tests = [name for name in (split_names(splits) if splits is not None else ()) if is_test(name)]
        if not tests:
            raise SkipCheck("no split is called a test set")
        unit = "patients" if dataset.has("patient") else "images"
        counts = count_cells(dataset)
        rows: list[tuple[str, str, int, float, float]] = []
        for name in tests:
            inside = (dataset.records["split" if dataset.has("split") else "fold"] == name).to_numpy(dtype=bool)
            total = int(dataset.records["patient"][inside].nunique()) if unit == "patients" else int(inside.sum())
            part = counts[counts["split"] == name]
            for what, n in [("all", total), *zip(part["class"], part[unit], strict=True)]:
                if n > 0:
                    half, difference = precision(int(n), accuracy=self.accuracy, disagreement=self.disagreement)
                    rows.append((name, str(what), int(n), half, difference))
        worst = [r for r in rows if r[4] > self.max_difference]
        findings = tuple(
            Finding(
                code=self.code,
                severity=Severity.INFO,
                subject=f"{r[0]}: {r[1]}",
                score=round(r[4], 6),
                message=f"{r[0]}, {'all classes' if r[1] == 'all' else f'class {r[1]!r}'}: {r[2]:,} {unit} show differences of "
                f"{100 * r[4]:.1f} points or more; an accuracy of {self.accuracy:.0%} is known to ± {100 * r[3]:.1f} points",
                evidence={unit: r[2], "detectable_difference": round(r[4], 6), "interval_half_width": round(r[3], 6)},
            )
            for r in worst[: self.max_findings]
        )
        table = Table(
            name="precision",
            title="What the test set can show",
            columns=(
                Column(name="split", kind="text", values=[r[0] for r in rows], title="Split"),
                Column(name="class", kind="class", values=[r[1] for r in rows], title="Class"),
                Column(name="count", kind="integer", values=[r[2] for r in rows], title=unit.capitalize()),
                Column(
                    name="half_width",
                    kind="fraction",
                    values=[round(r[3], 6) for r in rows],
                    title="Half-width of the 95 % interval",
                ),
                Column(
                    name="difference", kind="fraction", values=[round(r[4], 6) for r in rows], title="Smallest difference seen"
                ),
            ),
        )
        first = rows[0]
        return Verdict(
            summary=f"{first[0]}: {first[2]:,} {unit} can show a difference of {100 * first[4]:.1f} points between two models",
            metrics={
                "test_count": first[2],
                "detectable_difference": round(first[4], 6),
                "interval_half_width": round(first[3], 6),
            },
            findings=findings,
            tables=(table,),
            coverage=labelled(dataset),
            charts=(
                Chart(
                    name="precision",
                    title="Smallest difference that the test set can show",
                    kind="bars",
                    table=table,
                    label="class",
                    value="difference",
                    group="split",
                ),
            ),
        )
