"""IN011: pixels are larger than Bits Stored allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.quality.integrity import Fault, numbers, place, report
from auditor.feature import feature_needs
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class PixelOverflow(Check):
    """Pixels are larger than Bits Stored allows.

    ## What it does

    Looks at the stored samples before anything is cleared: bits beyond Bits Stored that are neither a continued sign (signed
    pixels) nor an embedded overlay (60xx,0102) are an overflow; of unsigned pixels these are values from 2^BitsStored on.
    Files whose samples lie in high bits are IN010.

    ## Why is this bad?

    One reader clears those bits, another keeps them: the brightest pixels (metal, contrast, calcium) come out black or white.

    ## How to fix

    Correct Bits Stored, or export again. If the extra bits are an overlay, declare it, or move it into its own element.

    ## Options

    * `max_findings`: so many get a finding of their own; the table `files` lists all.

    ## References

    * DICOM PS3.5 section 8.1.1 (unused high bits), PS3.3 C.9.2 (overlay bit position, retired).
    """

    code: ClassVar[str] = "IN011"
    name: ClassVar[str] = "pixel-overflow"
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[frozenset[Need]] = feature_needs("quality")

    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        share = numbers(dataset.features, "quality.overflow_fraction", dataset.size)
        stored = numbers(dataset.facts, "bits_stored", dataset.size)
        judged = np.isfinite(share) & np.isfinite(stored)
        if not judged.any():
            raise SkipCheck("no DICOM pixels were read")
        faults = []
        for position in np.flatnonzero(judged & (share > 0)):
            message = (
                f"{share[position]:.2%} of the samples have bits beyond Bits Stored {stored[position]:.0f}. Export it again"
            )
            faults.append(
                Fault(
                    where=place(dataset, position),
                    kind="overflow",
                    message=message,
                    evidence={"fraction": round(float(share[position]), 6), "bits_stored": int(stored[position])},
                )
            )
        return report(
            self.code,
            faults,
            what="hold values beyond their declared bits",
            unit="files",
            evaluated=int(judged.sum()),
            total=dataset.size,
            why_not="they are no DICOM images, or were not decoded",
            max_findings=self.max_findings,
        )
