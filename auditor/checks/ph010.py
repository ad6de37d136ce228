"""PH010: a file that could undo the de-identification lies among the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.values.dataset import Dataset
from auditor.values.results import Coverage, Finding, Location, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class CrosswalkFile(Check):
    """A file that leads from pseudonyms back to people lies among the data.

    ## What it does
    Looks at the tables and at the names of all other files that are no images. A file counts when its name speaks of a
    crosswalk, a linkage, a mapping of ids or a de-identification key, or when a table holds old and new ids side by side
    (`original_id, anon_id`). Hidden files and archives are not looked into.

    ## Why is this bad?
    It makes every pseudonym of the release worthless at once, and it is easily forgotten where it was made.

    ## How to fix
    Take the file out of the folder, and keep it where the clinical data are kept. Where it is none, waive the finding.

    ## Options
    None.

    ## References
    45 CFR 164.514 (c); GDPR article 4 (5): the additional information is kept separately.
    """

    code: ClassVar[str] = "PH010"
    name: ClassVar[str] = "crosswalk-file"
    severity: ClassVar[Severity] = Severity.ERROR

    def run(self, dataset: Dataset) -> Verdict:
        """One finding per file."""
        if not dataset.tables:
            raise SkipCheck("the dataset holds neither tables nor other files beside its images")
        keys = [look for look in dataset.tables if look.key]
        opened = sum(bool(look.rows or look.key) for look in dataset.tables)
        return Verdict(
            summary=(
                f"{len(keys)} files seem to lead from pseudonyms back to people"
                if keys
                else f"No crosswalk found among {len(dataset.tables):,} tables and other files"
            ),
            metrics={"files_looked_at": len(dataset.tables), "crosswalk_files": len(keys)},
            findings=tuple(
                Finding(
                    code=self.code,
                    severity=self.severity,
                    message=f"This file seems to link pseudonyms to people: {look.key}. Keep it out of the folder",
                    where=Location(path=look.name),
                    subject="crosswalk",
                    evidence={"why": look.key},
                )
                for look in keys
            ),
            coverage=Coverage(
                evaluated=opened,
                total=len(dataset.tables),
                unit="files",
                reason="only their names were looked at" if opened < len(dataset.tables) else "",
            ),
        )
