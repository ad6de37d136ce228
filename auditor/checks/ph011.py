"""PH011: ages above 89 years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.values.dataset import Dataset
from auditor.values.fields import words
from auditor.values.results import Coverage, Finding, Location, Severity, Verdict

CODED = 90
"""What stands for all ages of 90 and more."""
PLAUSIBLE = 130
"""Larger numbers are days, months or mistakes."""


@dataclass(frozen=True, kw_only=True)
class HighAge(Check):
    """Ages above 89 years single people out.

    ## What it does
    Counts the records whose age, in the DICOM header (PatientAge) or in a column of the table that is called age, is above
    `max_age` and below 130 years, one finding per field.

    ## Why is this bad?
    There are few people of that age, so that age and region name them. United States law (HIPAA, Safe Harbor) counts ages
    above 89 among the identifiers.

    ## How to fix
    Write 90 for all of them (`090Y` in DICOM; 90 itself is accepted), and say so in the description of the data.

    ## Options
    * `max_age`: highest age in years that may stand as it is.

    ## References
    45 CFR 164.514 (b)(2)(i)(C).
    """

    code: ClassVar[str] = "PH011"
    name: ClassVar[str] = "high-age"
    severity: ClassVar[Severity] = Severity.WARNING

    max_age: float = 89.0

    def run(self, dataset: Dataset) -> Verdict:
        """Count over all fields of ages."""
        names = [str(name) for name in dataset.metadata.columns if is_age(str(name), dataset.metadata[name])]
        if not names:
            raise SkipCheck("no field holds ages in years")
        counts: dict[str, tuple[int, int]] = {}
        for name in names:
            values = dataset.metadata[name].to_numpy(np.float64)
            counts[name] = (
                int(((values > self.max_age) & (values != CODED) & (values < PLAUSIBLE)).sum()),
                int(np.isfinite(values).sum()),
            )
        found = {name: pair for name, pair in counts.items() if pair[0]}
        return Verdict(
            summary=(
                "; ".join(
                    f"{old:,} of {known:,} records above {self.max_age:g} years in {n}" for n, (old, known) in found.items()
                )
                or f"No age above {self.max_age:g} years in {', '.join(names)}"
            ),
            metrics={"age_fields": len(names), "records_above": sum(old for old, _ in found.values())},
            findings=tuple(
                Finding(
                    code=self.code,
                    severity=self.severity,
                    message=f"{old:,} of {known:,} records have an age above {self.max_age:g} years. Write 90 for all of them",
                    where=Location(field=name),
                    subject="age",
                    score=old / known,
                    evidence={"records": old, "known": known},
                )
                for name, (old, known) in found.items()
            ),
            coverage=Coverage(
                evaluated=max(known for _, known in counts.values()), total=dataset.size, reason="records without an age"
            ),
        )


def is_age(name: str, values: pd.Series) -> bool:
    """The field's name says age, of a person, and it holds numbers."""
    if not pd.api.types.is_numeric_dtype(values):
        return False
    spoken = words(name.partition(".")[2])
    return name == "dicom.PatientAge" or (bool(spoken) and "age" in spoken and not {"days", "months", "bone"} & set(spoken))
