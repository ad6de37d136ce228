"""IN009: a file holds more pixel bytes than its header declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Check, SkipCheck
from auditor.evidence.quality.integrity import Fault, numbers, place, report
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class PixelLength(Check):
    """A file holds more pixel bytes than its header declares.

    ## What it does

    Compares the length of the uncompressed pixels in DICOM and NIfTI files with what rows, columns, samples, frames and bits
    ask for. One byte that makes the length even is by the rule. Fewer bytes than declared are IN001 (truncated): such a file
    cannot be read.

    ## Why is this bad?

    The header and the pixels are of different images: frames that nobody sees, overlays behind the pixels, or a header that
    was edited by hand. Another reader may place the rows differently.

    ## How to fix

    Export the file again. If it holds several frames, say so in Number of Frames.

    ## Options

    * `max_findings`: so many get a finding of their own; the table `files` lists all.

    ## References

    * DICOM PS3.5 section 8.1.1 and A.4; nifti1.h (vox_offset, dim).
    """

    code: ClassVar[str] = "IN009"
    name: ClassVar[str] = "pixel-length"
    severity: ClassVar[Severity] = Severity.WARNING

    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        n = dataset.size
        have, want = numbers(dataset.facts, "pixel_bytes", n), numbers(dataset.facts, "pixel_bytes_expected", n)
        judged = np.isfinite(have) & np.isfinite(want)
        if not judged.any():
            raise SkipCheck("no file declares the length of uncompressed pixels (DICOM, NIfTI)")
        faults = []
        for position in np.flatnonzero(judged & (have > want)):
            more = int(have[position] - want[position])
            there, asked = int(have[position]), int(want[position])
            message = f"The pixels have {there:,} bytes where the header asks for {asked:,}. Export it again"
            faults.append(
                Fault(
                    where=place(dataset, position),
                    kind="longer than declared",
                    message=message,
                    severity=Severity.WARNING,
                    evidence={"bytes_too_many": more},
                )
            )
        return report(
            self.code,
            faults,
            what="hold more pixel bytes than they declare",
            unit="files",
            evaluated=int(judged.sum()),
            total=n,
            why_not="their pixels are compressed, or of a format that declares no length",
            max_findings=self.max_findings,
        )
