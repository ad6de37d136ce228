"""IN013: two different files have one SOP Instance UID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.quality.integrity import Fault, place, report
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class DoubledInstance(Check):
    """Two different files have one SOP Instance UID.

    ## What it does

    Groups DICOM files by SOP Instance UID, which must be unique in the world. Files of one UID with the same bytes or the
    same pixels are copies (a warning; SP002 lists them as duplicates); with different pixels they are an error: one of them
    was changed and kept its name.

    ## Why is this bad?

    Archives keep one of the two and drop the other without a word; joins by UID give one image the label of the other.

    ## How to fix

    Find out which is the original; give the derived one a new UID (and Source Image Sequence).

    ## Options

    * `max_findings`: so many get a finding of their own; the table `files` lists all.

    ## References

    * DICOM PS3.3 C.12.1 (SOP common), PS3.5 section 9 (unique identifiers).
    """

    code: ClassVar[str] = "IN013"
    name: ClassVar[str] = "doubled-instance"
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints"})

    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        marks = dataset.fingerprints
        if "instance" not in marks.columns or not marks["instance"].notna().any():
            raise SkipCheck("no file has a SOP Instance UID (DICOM only)")
        single = dataset.records["item"].fillna("").eq("")
        known = marks["instance"].notna() & single
        frame = pd.DataFrame({"path": dataset.records["path"], "bytes": marks["bytes"], "pixels": marks["pixels"]})
        frame["group"] = pd.factorize(marks["instance"])[0]
        frame["position"] = np.arange(dataset.size)
        # A file that a table lists twice is one file.
        files = frame[known].drop_duplicates(["group", "path"])
        faults = []
        for _, members in files[files["group"].duplicated(keep=False)].groupby("group", sort=False):
            same = members["bytes"].nunique() == 1 or (members["pixels"].notna().all() and members["pixels"].nunique() == 1)
            told = members["pixels"].notna().all() or same
            level = Severity.ERROR if told and not same else Severity.WARNING
            kind = "copies" if same else "different images" if told else "pixels unknown"
            advice = "Remove the copies" if same else "Keep the original and give the other a UID of its own"
            message = f"{len(members):,} files have one SOP Instance UID: {kind}. {advice}"
            first = int(members["position"].iloc[0])
            faults.append(
                Fault(where=place(dataset, first), kind=kind, message=message, severity=level, evidence={"files": len(members)})
            )
        return report(
            self.code,
            faults,
            what="share their SOP Instance UID with another",
            unit="files",
            evaluated=int(known.sum()),
            total=dataset.size,
            why_not="they have no SOP Instance UID",
            max_findings=self.max_findings,
        )
