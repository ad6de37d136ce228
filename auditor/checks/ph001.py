"""PH001: DICOM elements that name a person hold real values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.privacy.exposed import coverage, field_table, file_count, file_table, headers_read, not_seen
from auditor.evidence.privacy.exposure import Kind, holders
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Location, Severity, Verdict

REMOVED = "dicom.PatientIdentityRemoved"
SHIFTED = "dicom.LongitudinalTemporalInformationModified"
WORDS: dict[Kind, str] = {
    "person": "names a person, a place or a record of a person",
    "date": "tells a day",
    "text": "is typed by people, or names one machine",
}


@dataclass(frozen=True, kw_only=True)
class IdentifyingElements(Check):
    """DICOM elements that identify a person hold real values.

    ## What it does
    Looks, in every DICOM header and in all of its nested sequences, at the elements that the Basic Application Level
    Confidentiality Profile removes or replaces (DICOM PS3.15 Annex E, table E.1-1, edition 2026c, 655 entries), and counts
    the files where one holds a real value: not empty, no placeholder such as `ANONYMOUS`, no pseudonym that
    `[privacy] pseudonyms` in `medaudit.toml` declares. Three groups: elements that name a person, a place or a record are
    errors; days are warnings, unless the file says that its times were shifted or removed; free texts and names of single
    machines are for information, because they may, and mostly do not, hold more than they should; one whose content names
    somebody or gives a record number, as the text of a structured report does, is of the first group. A patient id is a warning
    only, where the file says that the identity was removed: it is a pseudonym that nobody has declared. Values are never
    shown. UIDs, sex, weight and height are not judged here.

    ## Why is this bad?
    A published name cannot be called back. Most leaks are no accidents of hackers but headers that nobody looked at: a
    nested sequence, a referring physician, an accession number that any hospital system turns into a person. An exact date
    of examination with age, sex and hospital is often enough.

    ## How to fix
    De-identify the files (empty or replace these elements, shift the dates of each patient alike), or, where the values
    are pseudonyms, declare their pattern: `[privacy] pseudonyms = "CASE-[0-9]{4}"`.

    ## Options
    * `dates`: False leaves days out, for a collection that may keep them.
    * `texts`: False leaves free texts and machines out.

    ## References
    DICOM PS3.15 2026c, Annex E; the MIDI-B challenge (the best of ten teams scored 99.93 %); 45 CFR 164.514 (b).
    """

    code: ClassVar[str] = "PH001"
    name: ClassVar[str] = "identifying-elements"
    severity: ClassVar[Severity] = Severity.ERROR

    dates: bool = True
    texts: bool = True

    def run(self, dataset: Dataset) -> Verdict:
        """Judge which elements the pass found, one finding per element."""
        read = headers_read(dataset, "dicom")
        if not read.any():
            raise SkipCheck("no DICOM header was read: there are no DICOM files, or none that can be opened")
        total = file_count(dataset, read)
        wanted: dict[Kind, bool] = {"person": True, "date": self.dates, "text": self.texts}
        kinds = [kind for kind, chosen in wanted.items() if chosen]
        found: list[tuple[Kind, str, pd.Series]] = [
            (kind, name, mask) for kind in kinds for name, mask in holders(dataset.exposure, kind).items()
        ]
        rows = [(name, kind, file_count(dataset, mask), file_count(dataset, mask) / total) for kind, name, mask in found]
        findings = tuple(self.finding(dataset, kind, name, mask, total) for kind, name, mask in found)
        persons = sum(kind == "person" for kind, _, _ in found)
        hit = file_count(dataset, any_of(dataset, [m for kind, _, m in found if kind == "person"]))
        summary = (
            f"{persons} elements that name a person, a place or a record hold real values, in {hit:,} of {total:,} DICOM files"
            if persons
            else f"No element that names a person holds a real value in {total:,} DICOM headers{not_seen(dataset)}"
        )
        return Verdict(
            summary=summary,
            metrics={
                "files_dicom": total,
                "files_identifying": hit,
                "files_identifying_fraction": hit / total,
                "elements_person": persons,
                "elements_date": sum(kind == "date" for kind, _, _ in found),
                "elements_text": sum(kind == "text" for kind, _, _ in found),
            },
            findings=findings,
            tables=(
                (
                    field_table(rows, "Elements with real values"),
                    file_table(dataset, {f"{k} {n}": m for k, n, m in found}, "Files that hold them"),
                )
                if found
                else ()
            ),
            coverage=coverage(dataset, read, "no DICOM, or a header that cannot be read"),
        )

    def finding(self, dataset: Dataset, kind: Kind, name: str, mask: pd.Series, total: int) -> Finding:
        """One element in all files."""
        files = file_count(dataset, mask)
        return Finding(
            code=self.code,
            severity=level(dataset, kind, name, mask),
            message=f"{name} {WORDS[kind]}, and holds a real value in {files:,} of {total:,} DICOM files. "
            + ("Remove it, or declare its pseudonyms" if kind == "person" else "Remove it, or see that it may stay"),
            where=Location(field=f"dicom.{name}"),
            subject=name,
            score=files / total,
            evidence={"kind": kind, "files": files, "dicom_files": total},
        )


def level(dataset: Dataset, kind: Kind, name: str, mask: pd.Series) -> Severity:
    """Error, warning or information, by the element and by what the files say of themselves."""
    if kind == "text":
        return Severity.INFO
    if kind == "date":
        return Severity.INFO if says(dataset, mask, SHIFTED, ("MODIFIED", "REMOVED")) else Severity.WARNING
    declared = name == "PatientID" and says(dataset, mask, REMOVED, ("YES",))
    return Severity.WARNING if declared else Severity.ERROR


def says(dataset: Dataset, mask: pd.Series, field: str, values: tuple[str, ...]) -> bool:
    """All records of the mask say one of the values in that field."""
    if field not in dataset.metadata:
        return False
    return bool(dataset.metadata.loc[mask, field].isin(values).all())


def any_of(dataset: Dataset, masks: list[pd.Series]) -> pd.Series:
    """Records that are in one mask at least."""
    whole = np.any([m.to_numpy() for m in masks], axis=0) if masks else np.zeros(dataset.size, bool)
    return pd.Series(whole, index=dataset.records.index)
