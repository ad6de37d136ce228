"""PH003: private DICOM elements that nobody has allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.privacy.exposed import headers_read
from auditor.evidence.privacy.holdings import Wording, holdings
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Location, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class PrivateElements(Check):
    """Private DICOM elements are there that nobody has allowed.

    ## What it does
    Counts the files with private elements (odd group numbers) that hold a value, at any depth, by their private creator.
    Creators that `[privacy] private-allowed` in `medaudit.toml` names are left out. A creator is shown by its name when it
    is one of the several hundred that are publicly known, else by its group: anything could stand in an unknown one.

    ## Why is this bad?
    Makers of scanners put what they like there: whole copies of the patient module, names of operators, addresses of
    servers, often in formats that no de-identification tool reads. The basic profile of DICOM removes all of them.

    ## How to fix
    Remove them. Where a few are needed (diffusion gradients, slopes of quantitative PET), keep those alone and name their
    creators in `[privacy] private-allowed`.

    ## Options
    None of its own; the allow-list is `[privacy] private-allowed`.

    ## References
    DICOM PS3.15 2026c, Annex E.3.10 (Retain Safe Private Option); PS3.5 7.8.
    """

    code: ClassVar[str] = "PH003"
    name: ClassVar[str] = "private-elements"
    severity: ClassVar[Severity] = Severity.WARNING

    def run(self, dataset: Dataset) -> Verdict:
        """One finding per private creator."""
        read = headers_read(dataset, "dicom")
        if not read.any():
            raise SkipCheck("no DICOM header was read: there are no DICOM files, or none that can be opened")
        wording = Wording(
            found=lambda files, _: f"Private elements of {len(files)} creators outside the allow-list",
            clean=lambda total: f"No private element outside the allow-list in {total:,} DICOM headers",
            files="files_dicom",
            things="private_creators",
            what="private",
            title="Private creators",
            gap="no DICOM, or a header that cannot be read",
        )
        return holdings(dataset, "private", read, wording, self.finding)

    def finding(self, name: str, files: int, total: int) -> Finding:
        """One creator."""
        return Finding(
            code=self.code,
            severity=self.severity,
            message=f"Private elements of {name!r} hold values in {files:,} of {total:,} DICOM files. "
            "Remove them, or allow this creator",
            where=Location(field="dicom.PrivateCreators"),
            subject=name,
            score=files / total,
            evidence={"files": files, "dicom_files": total},
        )
