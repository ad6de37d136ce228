"""SZ002: some classes are far rarer than others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Check, SkipCheck
from auditor.evidence.quality.sample_size import count_cells, count_columns, labelled
from auditor.values.dataset import Dataset
from auditor.values.results import Chart, Column, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class Imbalance(Check):
    """Some classes are far rarer than others.

    ## What it does

    Compares the largest with the smallest class, in images and in patients, and tells how many equally large classes would
    hold as much information (the exponential of the entropy).

    ## Why is this bad?

    Accuracy looks good when the rare class is never found. Rare classes are learned from few patients, and their errors are
    estimated from fewer.

    ## How to fix

    Report balanced accuracy and recall per class; weight or resample in training, never in the test set; collect more of the
    rare classes.

    ## Options

    * `max_ratio`: largest over smallest class from which it is told.
    * `max_findings`: so many get a finding of their own; the tables list all.

    ## References

    * He & Garcia: Learning from imbalanced data. IEEE TKDE 2009.
    """

    code: ClassVar[str] = "SZ002"
    name: ClassVar[str] = "imbalance"
    severity: ClassVar[Severity] = Severity.INFO

    max_ratio: float = 10.0
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        if dataset.labels.task not in ("single", "ordinal", "multi"):
            raise SkipCheck("there are no classes to compare")
        counts = count_cells(dataset, by_split=False)
        if len(counts) < 2:
            raise SkipCheck("there is one class")
        images = counts["images"].to_numpy(dtype=np.float64)
        share = images / images.sum()
        effective = float(np.exp(-(share[share > 0] * np.log(share[share > 0])).sum()))
        ratio = float(images.max() / max(images.min(), 1))
        findings = []
        if ratio > self.max_ratio:
            rare, common = str(counts["class"].iloc[int(images.argmin())]), str(counts["class"].iloc[int(images.argmax())])
            findings.append(
                Finding(
                    code=self.code,
                    severity=Severity.INFO,
                    where=Location(field=dataset.labels.origin or None),
                    score=round(ratio, 4),
                    message=f"Class {common!r} has {ratio:,.0f} times as many images as {rare!r}. Report recall per class",
                    evidence={"images_largest": int(images.max()), "images_smallest": int(images.min())},
                )
            )
        table = Table(
            name="classes",
            title="Images and patients per class",
            columns=(
                Column(name="class", kind="class", values=counts["class"].tolist(), title="Class"),
                *count_columns(counts),
                Column(name="fraction", kind="fraction", values=[round(float(v), 6) for v in share], title="Share"),
            ),
        )
        return Verdict(
            summary=f"The largest class has {ratio:,.1f} times as many images as the smallest; "
            f"{len(counts):,} classes are worth {effective:.1f} equal ones",
            metrics={"imbalance_ratio": round(ratio, 4), "classes": len(counts), "classes_effective": round(effective, 4)},
            findings=tuple(findings[: self.max_findings]),
            tables=(table,),
            coverage=labelled(dataset),
            charts=(Chart(name="classes", title="Images per class", kind="bars", table=table, label="class", value="images"),),
        )
