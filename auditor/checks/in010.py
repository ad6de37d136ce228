"""IN010: the bits that a DICOM file declares are impossible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Check, SkipCheck
from auditor.evidence.quality.integrity import Fault, numbers, place, report
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class BitsDeclared(Check):
    """The bits that a DICOM file declares are impossible.

    ## What it does

    Bits Stored must not be larger than Bits Allocated, and High Bit must be Bits Stored − 1 (samples kept in high bits were
    retired; readers differ on them).

    ## Why is this bad?

    Readers guess: some clip, some wrap, some shift. The same file is another image in another program.

    ## How to fix

    Correct the three elements from the source; do not guess.

    ## Options

    * `max_findings`: so many get a finding of their own; the table `files` lists all.

    ## References

    * DICOM PS3.5 section 8.1.1; PS3.3 C.7.6.3.1.
    """

    code: ClassVar[str] = "IN010"
    name: ClassVar[str] = "bits-declared"
    severity: ClassVar[Severity] = Severity.ERROR

    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        n = dataset.size
        allocated, stored = numbers(dataset.facts, "bits_allocated", n), numbers(dataset.facts, "bits_stored", n)
        high = numbers(dataset.facts, "high_bit", n)
        judged = np.isfinite(allocated) & np.isfinite(stored)
        if not judged.any():
            raise SkipCheck("no file declares Bits Allocated and Bits Stored (DICOM only)")
        faults = []
        with np.errstate(invalid="ignore"):
            too_many, shifted = (
                judged & (stored > allocated),
                judged & (stored <= allocated) & np.isfinite(high) & (high != stored - 1),
            )
        for position in np.flatnonzero(too_many | shifted):
            if too_many[position]:
                kind, level = "bits stored", Severity.ERROR
                message = f"Bits Stored {stored[position]:.0f} is more than Bits Allocated {allocated[position]:.0f}"
            else:
                kind, level = "high bit", Severity.WARNING
                message = f"High Bit {high[position]:.0f} is not Bits Stored {stored[position]:.0f} − 1"
            faults.append(
                Fault(
                    where=place(dataset, position), kind=kind, message=f"{message}. Correct it from the source", severity=level
                )
            )
        return report(
            self.code,
            faults,
            what="declare impossible bits",
            unit="files",
            evaluated=int(judged.sum()),
            total=n,
            why_not="they are no DICOM images",
            max_findings=self.max_findings,
        )
