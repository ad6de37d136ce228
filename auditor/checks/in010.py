"""IN010: the bits or the scaling that a file declares are impossible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.quality.integrity import Fault, numbers, place, report
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class BitsDeclared(Check):
    """The bits or the scaling that a file declares are impossible.

    ## What it does

    Bits Stored must not be larger than Bits Allocated, and High Bit must be Bits Stored − 1 (samples kept in high bits were
    retired; readers differ on them). Slope and intercept (scl_slope and scl_inter of NIfTI, Rescale Slope and Intercept of
    DICOM) must be finite numbers, and a DICOM slope not 0; a NIfTI slope of 0 or NaN means that nothing is scaled, by the
    standard.

    ## Why is this bad?

    Readers guess: some clip, some wrap, some shift. The same file is another image in another program.

    ## How to fix

    Correct the elements from the source; do not guess.

    ## Options

    * `max_findings`: so many get a finding of their own; the table `files` lists all.

    ## References

    * DICOM PS3.5 section 8.1.1; PS3.3 C.7.6.3.1 and C.11.1.
    * nifti1.h (scl_slope).
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
        bits = np.isfinite(allocated) & np.isfinite(stored)
        scaling = (
            dataset.facts["scaling_fault"] if "scaling_fault" in dataset.facts.columns else pd.Series(None, index=range(n))
        )
        said = scaling.notna().to_numpy(dtype=bool)
        judged = bits | said | _nifti(dataset)
        if not judged.any():
            raise SkipCheck("no file declares bits and scaling (DICOM and NIfTI only)")
        faults = [
            Fault(
                where=place(dataset, position),
                kind="scaling",
                message=f"{scaling.iloc[position]}: readers stop, or see no number. Correct it from the source",
            )
            for position in np.flatnonzero(said).tolist()
        ]
        with np.errstate(invalid="ignore"):
            too_many, shifted = (
                bits & (stored > allocated),
                bits & (stored <= allocated) & np.isfinite(high) & (high != stored - 1),
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
            what="declare impossible bits or an impossible scaling",
            unit="files",
            evaluated=int(judged.sum()),
            total=n,
            why_not="they are neither DICOM nor NIfTI",
            max_findings=self.max_findings,
        )


def _nifti(dataset: Dataset) -> npt.NDArray[np.bool_]:
    name = "container.format"
    if name not in dataset.metadata.columns:
        return np.zeros(dataset.size, bool)
    return np.asarray((dataset.metadata[name] == "nifti").fillna(False).to_numpy(dtype=bool))
