"""IN015: a file says that its picture is to be turned before it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Check, SkipCheck
from auditor.evidence.kin.turned import ORIENTATION, TURNS, orientations
from auditor.evidence.quality.integrity import numbers
from auditor.values.dataset import Dataset
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class TurnedByTag(Check):
    """A file says that its picture is to be turned before it is shown.

    ## What it does

    Names the files whose EXIF orientation (in TIFF the tag Orientation) is not 1. Cameras and scanners store the picture as
    the sensor lay and say in this tag how to turn it. It is a warning where a mask or a box is drawn on such a picture: it
    fits either the stored pixels or the turned ones. Elsewhere it is information. This audit looks at the stored pixels, as
    they lie, in every check.

    ## Why is this bad?

    Programs disagree. OpenCV's `imread`, browsers and viewers turn the picture; Pillow's `Image.open`, torchvision's
    `decode_image` and TensorFlow's `decode_jpeg` do not unless told to (Pillow turns TIFF files). So who draws the mask and
    who trains may see two pictures, and training and deployment too.

    ## How to fix

    Turn the pixels once and for all and remove the tag, with one program for all files (`ImageOps.exif_transpose` of Pillow,
    `jpegtran` without loss); then look at the masks and boxes again.

    ## Options

    None.

    ## References

    * CIPA DC-008 (EXIF 3.0), 4.6.5.1.5 Orientation. TIFF 6.0, tag 274.
    """

    code: ClassVar[str] = "IN015"
    name: ClassVar[str] = "turned-by-tag"
    severity: ClassVar[Severity] = Severity.WARNING

    def run(self, dataset: Dataset) -> Verdict:
        """Read the tags. Raises SkipCheck: no file was read."""
        read = np.isfinite(numbers(dataset.metadata, "container.width", dataset.size))
        if not read.any():
            raise SkipCheck("no file was read that could say how its picture is to be turned")
        tags = orientations(dataset)
        turned = np.flatnonzero(tags > 1)
        drawn = _drawn(dataset)[turned]
        count = len(turned)
        findings = [
            self._finding(dataset, turned[part], tags[turned[part]], severity)
            for part, severity in ((drawn, Severity.WARNING), (~drawn, Severity.INFO))
            if part.any()
        ]
        table = Table(
            name="files",
            title="Files that say that their picture is to be turned",
            columns=(
                Column(name="record", kind="record", values=dataset.records.index[turned].tolist(), title="Record"),
                Column(name="orientation", kind="integer", values=[int(tag) for tag in tags[turned]], title="Orientation"),
                Column(name="turn", kind="text", values=[TURNS[int(tag)] for tag in tags[turned]], title="To be shown"),
                Column(name="drawn", kind="text", values=["yes" if one else "no" for one in drawn], title="Mask or box"),
            ),
        )
        return Verdict(
            summary=f"{count:,} of {int(read.sum()):,} files say that the picture is to be turned before it is shown"
            if count
            else f"None of {int(read.sum()):,} files says that its picture is to be turned",
            metrics={"turned": count, "turned_with_mask_or_box": int(drawn.sum())},
            findings=tuple(findings),
            tables=(table,) if count else (),
            coverage=Coverage(
                evaluated=int(read.sum()),
                total=dataset.size,
                reason="" if read.all() else "files that were not read",
            ),
        )

    def _finding(self, dataset: Dataset, rows: np.ndarray, tags: np.ndarray, severity: Severity) -> Finding:
        ids = [str(dataset.records.index[row]) for row in rows[:3].tolist()]
        more = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""
        kinds = ", ".join(f"{int(tag)} ({TURNS[int(tag)]})" for tag in np.unique(tags))
        why = (
            "masks and boxes on them fit either the stored pixels or the turned ones"
            if severity is Severity.WARNING
            else "programs disagree on whether to do it"
        )
        message = (
            f"{len(rows):,} of {dataset.size:,} pictures have an EXIF orientation other than 1: {kinds}; {why}. Turn the "
            f"pixels, remove the tag and look again: record {', '.join(ids)}{more}"
        )
        return Finding(
            code=self.code,
            severity=severity,
            message=message,
            where=Location(field=ORIENTATION),
            subject="with mask or box" if severity is Severity.WARNING else "others",
            score=len(rows) / dataset.size,
            evidence={"records": len(rows)},
        )


def _drawn(dataset: Dataset) -> np.ndarray:
    """Which records have a mask or boxes; shape (records,)."""
    ids = dataset.records.index
    found = dataset.records["mask"].notna().to_numpy(dtype=bool) if dataset.has("mask") else np.zeros(len(ids), np.bool_)
    for frame in (dataset.boxes, dataset.rater_masks):
        if len(frame):
            found = found | ids.isin(frame["record"].unique())  # of a million boxes on a few pictures
    return np.asarray(found)
