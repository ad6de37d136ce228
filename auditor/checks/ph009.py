"""PH009: DICOM files carry parts that a header check does not see into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.dataset import Dataset
from auditor.privacy.exposed import coverage, field_table, file_count, file_table, headers_read, not_seen
from auditor.privacy.exposure import holders
from auditor.types import Finding, Location, Severity, Verdict

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
        total = file_count(dataset, read)
        found = holders(dataset.exposure, "hidden")
        files = {name: file_count(dataset, mask) for name, mask in found.items()}
        grave = ("encapsulated document", "patient photo", "executable preamble")
        return Verdict(
            summary=(
                "; ".join(f"{name} in {n:,}" for name, n in files.items()) + f" of {total:,} DICOM files"
                if found
                else f"No overlay, icon, document or filled preamble in {total:,} DICOM files{not_seen(dataset)}"
            ),
            metrics={"files_dicom": total, "kinds_hidden": len(found)},
            findings=tuple(
                Finding(
                    code=self.code,
                    severity=Severity.ERROR if name in grave else Severity.WARNING,
                    message=f"{name[0].upper()}{name[1:]} in {files[name]:,} of {total:,} DICOM files. {ADVICE[name]}",
                    where=Location(field="dicom"),
                    subject=name,
                    score=files[name] / total,
                    evidence={"files": files[name], "dicom_files": total},
                )
                for name in found
            ),
            tables=(
                (
                    field_table([(name, "hidden part", n, n / total) for name, n in files.items()], "Hidden parts"),
                    file_table(dataset, found, "Files that hold them"),
                )
                if found
                else ()
            ),
            coverage=coverage(dataset, read, "no DICOM, or a header that cannot be read"),
        )
