"""PH008: EXIF, PNG text, TIFF descriptions and NIfTI fields tell of a person or a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.privacy.exposed import headers_read
from auditor.evidence.privacy.holdings import Wording, holdings
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Location, Severity, Verdict

CERTAIN = ("GPS", "Artist", "Owner", "Author", "XPAuthor", "(name", "name)", "record number", "e-mail")
"""Parts of a field's name that make it an error; maker notes, dates and data base names are warnings."""


@dataclass(frozen=True, kw_only=True)
class TellingContainerFields(Check):
    """Fields of image files beside DICOM tell of a person or a place.

    ## What it does
    Looks into EXIF and XMP (position, owner, artist, maker notes, descriptions), PNG text, JPEG and GIF comments, TIFF
    descriptions and the free fields of NIfTI (`descrip`, `db_name`, `aux_file`). A position, an owner, an author, or a text
    that looks like a person's name, an e-mail address or the number of a record is an error; a full date in a text, maker
    notes (whose content nobody documents) and a filled `db_name` are warnings. Texts are never shown.

    ## Why is this bad?
    Conversion to PNG or NIfTI is often taken for de-identification, yet converters copy what they find: names into
    `descrip`, dates into PNG text. A photograph of a skin lesion with its position leads to somebody's house.

    ## How to fix
    Write the files anew without these blocks (image editors say "strip metadata"); for NIfTI empty the three fields.

    ## Options
    None.

    ## References
    CIPA DC-008 (EXIF 3.0); PNG specification 11.3.3; nifti1.h; 45 CFR 164.514 (b)(2).
    """

    code: ClassVar[str] = "PH008"
    name: ClassVar[str] = "telling-container-fields"
    severity: ClassVar[Severity] = Severity.ERROR

    def run(self, dataset: Dataset) -> Verdict:
        """One finding per field."""
        read = headers_read(dataset) & ~headers_read(dataset, "dicom")
        if not read.any():
            raise SkipCheck("no header of a file other than DICOM was read")
        wording = Wording(
            found=lambda files, _: f"{len(files)} fields of image files may tell of a person or a place",
            clean=lambda total: f"No field that tells of a person found in {total:,} image files",
            files="files_looked_at",
            things="fields_telling",
            what="embedded",
            title="Fields",
            gap="DICOM (PH001), or a header that cannot be read",
        )
        return holdings(dataset, "embedded", read, wording, self.finding)

    def finding(self, name: str, files: int, total: int) -> Finding:
        """One field."""
        return Finding(
            code=self.code,
            severity=Severity.ERROR if any(part in name for part in CERTAIN) else Severity.WARNING,
            message=f"{name} is there in {files:,} of {total:,} image files. Write the files without it",
            where=Location(field=name),
            subject=name,
            score=files / total,
            evidence={"files": files, "image_files": total},
        )
