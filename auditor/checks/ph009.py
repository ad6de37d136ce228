"""PH009: DICOM files carry parts that a header check does not see into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.privacy.exposed import headers_read
from auditor.evidence.privacy.holdings import Wording, holdings
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Location, Severity, Verdict

ADVICE = {
    "curve": "Remove the retired curve groups (50xx)",
    "encapsulated document": "Read the document as a person would, or remove the file",
    "executable preamble": "Write zeros into the first 128 bytes; do not run the file",
    "icon image": "Remove the icon: it is a copy of the picture before anything in it was blanked",
    "overlay": "Look at the overlay planes, where machines write names, or remove them (60xx)",
    "part that cannot be read": "Write the file anew: nobody can say what is in that part",
    "patient photo": "Remove the photograph",
    "preamble": "Write zeros into the first 128 bytes",
}
GRAVE = ("encapsulated document", "patient photo", "executable preamble")


@dataclass(frozen=True, kw_only=True)
class HiddenParts(Check):
    """DICOM files carry overlays, icons, documents or a filled preamble.

    ## What it does
    Counts files with overlay planes, retired curves, icon images, encapsulated documents, photographs of the patient, a
    preamble that is not all zeros, and nested parts that cannot be read. An encapsulated document, a photograph and a
    preamble that starts like a program are errors, the others warnings.

    ## Why is this bad?
    Names are drawn into overlays; an icon is a small copy of the picture from before its text was blanked; a PDF report
    names everybody. A file whose preamble is a program runs as one and opens as an image (CVE-2019-11687).

    ## How to fix
    See each finding. Overlays and icons can nearly always be removed without loss.

    ## Options
    None.

    ## References
    DICOM PS3.15 2026c, Annex E.3.1–E.3.3; PS3.10 7.1; CVE-2019-11687.
    """

    code: ClassVar[str] = "PH009"
    name: ClassVar[str] = "hidden-parts"
    severity: ClassVar[Severity] = Severity.ERROR

    def run(self, dataset: Dataset) -> Verdict:
        """One finding per kind of part."""
        read = headers_read(dataset, "dicom")
        if not read.any():
            raise SkipCheck("no DICOM header was read: there are no DICOM files, or none that can be opened")
        wording = Wording(
            found=lambda files, total: (
                "; ".join(f"{name} in {n:,}" for name, n in files.items()) + f" of {total:,} DICOM files"
            ),
            clean=lambda total: f"No overlay, icon, document or filled preamble in {total:,} DICOM files",
            files="files_dicom",
            things="kinds_hidden",
            what="hidden part",
            title="Hidden parts",
            gap="no DICOM, or a header that cannot be read",
        )
        return holdings(dataset, "hidden", read, wording, self.finding)

    def finding(self, name: str, files: int, total: int) -> Finding:
        """One kind of part."""
        return Finding(
            code=self.code,
            severity=Severity.ERROR if name in GRAVE else Severity.WARNING,
            message=f"{name[0].upper()}{name[1:]} in {files:,} of {total:,} DICOM files. {ADVICE[name]}",
            where=Location(field="dicom"),
            subject=name,
            score=files / total,
            evidence={"files": files, "dicom_files": total},
        )
