"""IN005: a record has no label, or an annotation file or mask is empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.groups import location
from auditor.evidence.masks.undrawn import without_mask
from auditor.evidence.quality.integrity import Fault, report
from auditor.values.dataset import Dataset
from auditor.values.results import Location, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class EmptyLabel(Check):
    """A record has no label, or its mask is empty.

    ## What it does

    Lists records of a labelled dataset whose label is blank (of several classes: not one is known), and masks that hold nothing
    but background. Where masks are all there is to learn, images without one are listed, or told in one warning where they are
    many, unless none of their split has one.
    Where boxes are the annotation, images without a box are counted, as an image without an object is common and right.
    "Uncertain" and "not mentioned" are no blanks.

    ## Why is this bad?

    Loaders drop such rows, fail, or take the blank for a class of its own or for "negative". An empty mask beside a picture of
    a lesion teaches that the lesion is background.

    ## How to fix

    Give the label, or take the record out of the labelled part. If a blank means "negative", write the class.

    ## Options

    * `max_unlabelled_fraction`: from this share of blank labels on, the records without one are taken for an unlabelled pool
      and told in one line, as information; from this share of images without a mask on, these are told in one warning.
    * `max_empty_mask_fraction`: the same for masks.
    * `max_findings`: so many records get a finding of their own; the table `files` lists all.

    ## References

    * Irvin et al.: CheXpert. AAAI 2019 (blank, uncertain and negative are three things).
    """

    code: ClassVar[str] = "IN005"
    name: ClassVar[str] = "empty-label"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints"})

    max_unlabelled_fraction: float = 0.3
    max_empty_mask_fraction: float = 0.3
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Look for blanks."""
        labels, masks = dataset.labels, dataset.masks
        if labels.task == "none" and not len(masks):
            raise SkipCheck("the dataset has neither labels nor masks")
        faults: list[Fault] = []
        blank = np.zeros(dataset.size, bool)
        if labels.task == "multi" and labels.states is not None:
            # −3, not assessed, in every class: the row says nothing at all.
            blank = np.asarray((labels.states.to_numpy() == -3).all(axis=1))
        elif labels.task != "none":
            blank = labels.values.isna().to_numpy(dtype=bool)
        pool = blank.mean() >= self.max_unlabelled_fraction if dataset.size else False
        if pool:
            message = f"{int(blank.sum()):,} of {dataset.size:,} records have no label: they are taken for an unlabelled pool"
            faults.append(
                Fault(
                    where=Location(),
                    kind="unlabelled pool",
                    message=message,
                    severity=Severity.INFO,
                    evidence={"records": int(blank.sum())},
                )
            )
        else:
            faults += _each(
                dataset, blank, "blank label", "The record has no label. Give it one, or take it out of the labelled part"
            )
        undrawn = without_mask(dataset)
        if undrawn.sum() >= self.max_unlabelled_fraction * dataset.size:
            faults += _undrawn_part(int(undrawn.sum()), dataset.size)
        else:
            told = "The image has no mask, and nearly all others have one. Draw it, or take the image out"
            faults += _each(dataset, undrawn, "no mask", told)
        read = masks[masks["problem"] == ""] if len(masks) else masks
        empty = read[read["foreground_fraction"] == 0] if len(read) else read
        if len(empty) and len(empty) >= self.max_empty_mask_fraction * len(read):
            message = f"{len(empty):,} of {len(read):,} masks hold background only: many, so this is taken for meant"
            faults.append(Fault(where=Location(), kind="empty masks", message=message, severity=Severity.INFO))
        else:
            faults += (
                [
                    Fault(
                        where=Location(path=path, record=record),
                        kind="empty mask",
                        severity=Severity.WARNING,
                        message="The mask holds background only. Draw it, or say that the image has no object",
                    )
                    for path, record in zip(empty["path"], empty["record"], strict=True)
                ]
                if len(empty)
                else []
            )
        without_box = 0
        if len(dataset.boxes):
            without_box = dataset.size - len(set(dataset.boxes["record"]) & set(dataset.records.index))
        return report(
            self.code,
            faults,
            what="have no label or an empty mask",
            unit="records",
            evaluated=dataset.size,
            total=dataset.size,
            why_not="",
            max_findings=self.max_findings,
            metrics={
                "records_without_label": int(blank.sum()),
                "records_without_mask": int(undrawn.sum()),
                "masks_empty": len(empty),
                "records_without_box": without_box,
            },
        )


def _each(dataset: Dataset, rows: npt.NDArray[np.bool_], kind: str, message: str) -> list[Fault]:
    """The same fault of every such record."""
    return [
        Fault(where=location(dataset, position), kind=kind, severity=Severity.WARNING, message=message)
        for position in np.flatnonzero(rows).tolist()
    ]


def _undrawn_part(without: int, size: int) -> list[Fault]:
    """Many images without a mask, none of them named. A file that is not there says less than a blank cell: whether the image
    waits to be drawn, shows nothing to draw, or has lost its mask, only people know; so it is more than a note."""
    if not without:
        return []
    message = (
        f"{without:,} of {size:,} images have no mask: not drawn yet, without an object, or the masks are lost or called "
        "otherwise. Add the masks, give images without an object an empty one, or put the others into a split of their own"
    )
    return [
        Fault(where=Location(), kind="undrawn part", message=message, severity=Severity.WARNING, evidence={"records": without})
    ]
