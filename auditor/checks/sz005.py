"""SZ005: some subgroups have very few patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.quality.sample_size import subgroups
from auditor.values.dataset import Dataset
from auditor.values.fields import spoken
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class RareSubgroups(Check):
    """Some subgroups have very few patients.

    ## What it does

    For each field that describes patients or where they come from (sex, age in decades, site, device, view), counts patients
    per value, and within each class. Values that fewer than `min_patients` patients have are listed; fields of more than
    `max_values` values are no subgroups. A value that fewer than five have is not
    written out, for it could identify them.

    ## Why is this bad?

    What is claimed for all holds for those who were there. Errors in a subgroup of eight patients cannot be seen in a test
    set.

    ## How to fix

    Collect the missing patients, or say in the documentation for whom the data cannot speak.

    ## Options

    * `min_patients`: fewer patients (images, where patients are not known) are rare.
    * `max_values`: fields of more values are left out.
    * `max_findings`: so many get a finding of their own; the tables list all.

    ## References

    * STANDING Together consensus recommendations. Lancet Digital Health 2025.
    """

    code: ClassVar[str] = "SZ005"
    name: ClassVar[str] = "rare-subgroups"
    severity: ClassVar[Severity] = Severity.INFO

    min_patients: int = 10
    max_values: int = 20
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        groups = subgroups(dataset, max_values=self.max_values)
        if not groups:
            raise SkipCheck("no field describes patients, sites or devices")
        unit = "patients" if dataset.has("patient") else "images"
        rare = [g for g in groups if g.count < self.min_patients]
        rare.sort(key=lambda g: (g.count, g.field, g.value, g.of_class))
        findings = tuple(
            Finding(
                code=self.code,
                severity=Severity.INFO,
                where=Location(field=g.field),
                score=float(g.count),
                subject=f"{g.value} {g.of_class}".strip(),
                message=f"{g.count:,} {unit} in one subgroup of {spoken(g.field)}"
                + (f" with class {g.of_class!r}" if g.of_class else "")
                + ": too few to judge it",
                evidence={unit: g.count},
            )
            for g in rare[: self.max_findings]
        )
        table = Table(
            name="subgroups",
            title="Patients per subgroup" if unit == "patients" else "Images per subgroup",
            columns=(
                Column(name="field", kind="text", values=[g.field for g in groups], title="Field"),
                Column(name="value", kind="text", values=[g.value for g in groups], title="Subgroup"),
                Column(name="class", kind="class", values=[g.of_class or None for g in groups], title="Class"),
                Column(name="count", kind="integer", values=[g.count for g in groups], title=unit.capitalize()),
            ),
        )
        fields = len({g.field for g in groups})
        return Verdict(
            summary=f"{len(rare):,} of {len(groups):,} subgroups ({fields:,} fields) have under {self.min_patients} {unit}",
            metrics={"subgroups": len(groups), "subgroups_rare": len(rare), "fields": fields},
            findings=findings,
            tables=(table,),
            coverage=Coverage(evaluated=len(groups), total=len(groups), unit="subgroups"),
        )
