"""PH002: the files do not say that they were de-identified, or say that text is burned into their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.privacy.exposed import coverage, field_table, file_count, headers_read, not_seen
from auditor.evidence.privacy.exposure import holders
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Location, Severity, Verdict

DRAWN_ON: tuple[str, ...] = ("US", "SC", "XA", "RF", "ES", "OT")
"""Modalities whose machines write names into the picture."""


@dataclass(frozen=True, kw_only=True)
class DeidentificationNotStated(Check):
    """DICOM files do not say that they were de-identified.

    ## What it does
    Reads what every DICOM file says of itself. PatientIdentityRemoved (0012,0062) that says NO is an error, one that is
    absent a warning, and so is YES without a DeidentificationMethod (0012,0063) or a code for it (0012,0064).
    BurnedInAnnotation (0028,0301) that says YES is an error; that it is absent is a warning for the modalities whose
    machines write into the picture: ultrasound, secondary capture, angiography, fluoroscopy, endoscopy, other.

    ## Why is this bad?
    Who receives the files cannot tell whether somebody has looked. A method that is not named cannot be judged, and a
    name in the pixels is found by no header check.

    ## How to fix
    De-identify by a named procedure and let it write both elements. Look at the pictures of the modalities named; where
    text is burned in, blank it, and say NO only after looking.

    ## Options
    * `modalities`: where an absent BurnedInAnnotation counts.

    ## References
    DICOM PS3.15 2026c, Annex E.1 and E.3; PS3.3 C.7.6.1.1.6 (Burned In Annotation).
    """

    code: ClassVar[str] = "PH002"
    name: ClassVar[str] = "deidentification-not-stated"
    severity: ClassVar[Severity] = Severity.ERROR

    modalities: tuple[str, ...] = DRAWN_ON

    def run(self, dataset: Dataset) -> Verdict:
        """Count what the headers say, one finding per statement that is missing or bad."""
        read = headers_read(dataset, "dicom")
        if not read.any():
            raise SkipCheck("no DICOM header was read: there are no DICOM files, or none that can be opened")
        total = file_count(dataset, read)
        removed, burned = texts(dataset, "PatientIdentityRemoved"), texts(dataset, "BurnedInAnnotation")
        coded = holders(dataset.exposure, "stated").get("DeidentificationMethodCodeSequence")
        method = (texts(dataset, "DeidentificationMethod") != "") | (False if coded is None else coded)
        drawn = texts(dataset, "Modality").isin(self.modalities)
        cases: list[tuple[str, str, Severity, npt.NDArray[np.bool_], str]] = [
            ("PatientIdentityRemoved", "says no", Severity.ERROR, (removed == "NO").to_numpy(), "De-identify the files"),
            (
                "PatientIdentityRemoved",
                "is absent",
                Severity.WARNING,
                ~removed.isin(["YES", "NO"]).to_numpy(),
                "De-identify the files by a procedure that says so",
            ),
            (
                "DeidentificationMethod",
                "is absent although the identity is said to be removed",
                Severity.WARNING,
                ((removed == "YES") & ~method).to_numpy(),
                "Name the method in the files",
            ),
            ("BurnedInAnnotation", "says yes", Severity.ERROR, (burned == "YES").to_numpy(), "Blank the text in the pixels"),
            (
                "BurnedInAnnotation",
                f"is absent in a modality that writes into the picture ({', '.join(self.modalities)})",
                Severity.WARNING,
                (~burned.isin(["YES", "NO"]) & drawn).to_numpy(),
                "Look at these pictures, blank what is written in them, and let the files say NO",
            ),
        ]
        found = [(f, w, s, m & read, a) for f, w, s, m, a in cases if (m & read).any()]
        return Verdict(
            summary=(
                "; ".join(f"{f} {w} in {file_count(dataset, m):,} of {total:,} DICOM files" for f, w, _, m, _ in found)
                or f"All {total:,} DICOM files say that the identity was removed, and how{not_seen(dataset)}"
            ),
            metrics={"files_dicom": total, "files_not_stated": file_count(dataset, cases[0][3] & read | cases[1][3] & read)},
            findings=tuple(
                Finding(
                    code=self.code,
                    severity=severity,
                    message=f"{field} {what} in {file_count(dataset, mask):,} of {total:,} DICOM files. {advice}",
                    where=Location(field=f"dicom.{field}"),
                    subject=what.split(" (")[0],
                    score=file_count(dataset, mask) / total,
                    evidence={"files": file_count(dataset, mask), "dicom_files": total},
                )
                for field, what, severity, mask, advice in found
            ),
            tables=(
                (
                    field_table(
                        [(f, w, file_count(dataset, m), file_count(dataset, m) / total) for f, w, _, m, _ in found],
                        "What the headers do not say",
                    ),
                )
                if found
                else ()
            ),
            coverage=coverage(dataset, read, "no DICOM, or a header that cannot be read"),
        )


def texts(dataset: Dataset, keyword: str) -> pd.Series:
    """An element as text in capitals; empty where it is absent."""
    name = f"dicom.{keyword}"
    if name not in dataset.metadata:
        return pd.Series("", index=dataset.records.index, dtype=object)
    return dataset.metadata[name].astype(object).where(dataset.metadata[name].notna(), "").astype(str).str.strip().str.upper()
