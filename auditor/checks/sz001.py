"""SZ001: how many images and patients each class and split has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.quality.sample_size import count_cells, count_columns, labelled
from auditor.values.dataset import Dataset
from auditor.values.results import Chart, Column, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class Counts(Check):
    """How many images and patients each class and split has.

    ## What it does

    Counts images and patients per class and split (a patient counts in every class and split that he or she is in). Of multi-
    label data, records that are positive for the class. Classes with fewer patients than `min_patients` in a split are named.

    ## Why is this bad?

    The number of patients is what a study rests on: a thousand images of ten patients are ten cases. A class without test
    patients is not tested.

    ## How to fix

    Collect more patients of the small classes, or say in the documentation what cannot be claimed about them.

    ## Options

    * `min_patients`: fewer patients (images, where patients are not known) of a class in one split are named.
    * `max_findings`: so many get a finding of their own; the tables list all.

    ## References

    * Collins et al.: TRIPOD+AI. BMJ 2024, item 10 (participants and outcomes per partition).
    """

    code: ClassVar[str] = "SZ001"
    name: ClassVar[str] = "counts"
    severity: ClassVar[Severity] = Severity.INFO

    min_patients: int = 10
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        if dataset.labels.task not in ("single", "ordinal", "multi"):
            raise SkipCheck("there are no classes to count")
        counts = count_cells(dataset)
        unit = "patients" if dataset.has("patient") else "images"
        few = counts[(counts[unit] < self.min_patients)]
        findings = tuple(
            Finding(
                code=self.code,
                severity=Severity.INFO,
                where=Location(field=dataset.labels.origin or None),
                subject=f"{row['class']} in {row['split']}",
                score=float(row[unit]),
                message=f"Class {row['class']!r} has {int(row[unit]):,} {unit} in {row['split']}: too few to say much about it",
                evidence={"images": int(row["images"]), unit: int(row[unit])},
            )
            for row in few.sort_values(unit, kind="stable").head(self.max_findings).to_dict("records")
        )
        table = Table(
            name="counts",
            title="Images and patients per class and split",
            columns=(
                Column(name="class", kind="class", values=counts["class"].tolist(), title="Class"),
                Column(name="split", kind="text", values=counts["split"].tolist(), title="Split"),
                *count_columns(counts),
            ),
        )
        patients = int(dataset.records["patient"].nunique()) if dataset.has("patient") else None
        classes, splits = counts["class"].nunique(), counts["split"].nunique()
        parts = f" and {splits:,} splits" if splits > 1 else ""
        who = f" of {patients:,} patients" if patients is not None else ""
        return Verdict(
            summary=f"{dataset.size:,} images{who} in {classes:,} classes{parts}; {len(few):,} cells are small",
            metrics={"images": dataset.size, "patients": patients, "classes": classes, "small_cells": len(few)},
            findings=findings,
            tables=(table,),
            coverage=labelled(dataset),
            charts=(
                Chart(
                    name="counts",
                    title="Images per class and split",
                    kind="bars",
                    table=table,
                    label="class",
                    value="images",
                    group="split",
                ),
            ),
        )
