"""IN012: a mask holds values that are no declared classes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.groups import is_training
from auditor.evidence.masks.split_classes import lacking
from auditor.evidence.quality.integrity import Fault, report
from auditor.values.dataset import Dataset
from auditor.values.results import Location, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class MaskValues(Check):
    """A mask holds values that are no declared classes.

    ## What it does

    Compares the values of every mask with those declared (`values`, or what the dataset itself says of them, as nnU-Net's
    `dataset.json` does), or, where none are declared, with what masks of the collection hold: values that occur in one mask
    of fifty or fewer while a few values cover the rest are strays; of 8 to 50 masks, those that at most a fifth hold and
    that do not follow on the others (7 beside 0, 1, 2). Where some masks write the object as 255 and others with small
    numbers, the rarer way of writing is told. Soft edges (more than `max_values` distinct values in a mask whose neighbours
    have few) come from lossy compression or smooth resizing. Values that are no whole numbers are told too. Values are
    those that readers see, after slope and intercept of the header; a scaling that is impossible is told. A class that most
    masks hold and none of one split is told. Instance masks (numbered objects) are recognised by their many rising values
    in most masks and left out.

    ## Why is this bad?

    A loss function that meets class 7 of 3 crashes or, worse, counts it as background. Smooth resizing invents classes along
    every border.

    ## How to fix

    Write masks as whole numbers in a lossless format, resized by nearest neighbour; map strays to their class.

    ## Options

    * `values`: the values that a mask may hold; empty = told from the collection.
    * `max_values`: more distinct values than this make a mask soft or numbered.
    * `max_stray_fraction`: a value in at most this share of the masks is a stray.
    * `max_findings`: so many get a finding of their own; the table `files` lists all.

    ## References

    * Isensee et al.: nnU-Net dataset format (consecutive labels from 0).
    """

    code: ClassVar[str] = "IN012"
    name: ClassVar[str] = "mask-values"
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints"})

    values: tuple[int, ...] = ()
    max_values: int = 24
    max_stray_fraction: float = 0.02
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        masks = dataset.masks
        values = self.values or tuple(dataset.mask_names)
        read = masks[masks["distinct"].notna()] if len(masks) else masks
        if not len(read):
            raise SkipCheck("there are no masks that could be read")
        held = [
            frozenset(float(v) for v in str(text).split()) if isinstance(text, str) else frozenset() for text in read["values"]
        ]
        distinct = read["distinct"].to_numpy(dtype=np.float64)
        many = distinct > self.max_values
        if many.mean() > 0.5 and not values:
            raise SkipCheck("most masks number their objects or are soft: values are no classes; declare `values` if they are")
        scaled = [text if isinstance(text, str) else "" for text in read["scaling"]]
        plain = [values for values, large, how in zip(held, many, scaled, strict=True) if not large and not how]
        allowed = frozenset(float(v) for v in values) or usual_values(
            plain or [values for values, large in zip(held, many, strict=True) if not large], self.max_stray_fraction
        )
        if not values:
            allowed -= _other_coding(plain)
        fractions = read["fraction_values"].to_numpy(dtype=np.float64)
        faults = []
        listed = ", ".join(f"{v:g}" for v in sorted(allowed)[:12])
        for position, (path, record) in enumerate(zip(read["path"], read["record"], strict=True)):
            strays = held[position] - allowed
            where = Location(path=str(path), record=str(record))
            level = Severity.ERROR if values else Severity.WARNING
            if scaled[position] and not scaled[position].startswith("×"):
                message = (
                    f"The header declares an impossible scaling: {scaled[position]}. Readers differ or stop; mend the header"
                )
                faults.append(Fault(where=where, kind="impossible scaling", message=message))
            elif scaled[position] and (fractions[position] > 0 or (strays and not many[position])):
                seen = ", ".join(f"{v:.4g}" for v in sorted(held[position])[:5])
                message = (
                    f"The header scales the stored values ({scaled[position]}): readers see {seen} where {listed} are "
                    f"{'declared' if values else 'usual'}. Set the slope to 1 and the intercept to 0"
                )
                faults.append(Fault(where=where, kind="scaled", message=message, severity=level))
            elif fractions[position] > 0:
                message = "The mask holds values that are no whole numbers. Write it again, resized by nearest neighbour"
                faults.append(Fault(where=where, kind="not whole", message=message, severity=Severity.WARNING))
            elif many[position]:
                message = f"The mask holds {distinct[position]:,.0f} values where others hold few: lossy or smoothly resized"
                faults.append(Fault(where=where, kind="soft", message=message, severity=Severity.WARNING))
            elif strays:
                shown = ", ".join(f"{v:g}" for v in sorted(strays)[:5])
                source = "declared" if values else "usual"
                message = f"The mask holds {shown}; {source} are {listed}. Map it to its class, or declare it"
                faults.append(
                    Fault(where=where, kind="stray value", message=message, severity=level, evidence={"strays": len(strays)})
                )
        faults += _lacking(dataset, read, held, allowed - {0.0}) if not many.mean() > 0.5 else []
        return report(
            self.code,
            faults,
            what="hold undeclared values",
            unit="masks",
            evaluated=len(read),
            total=len(masks),
            why_not="they could not be read",
            max_findings=self.max_findings,
            metrics={"values_usual": len(allowed)},
        )


def _lacking(dataset: Dataset, read: pd.DataFrame, held: list[frozenset[float]], classes: frozenset[float]) -> list[Fault]:
    """Values of classes that no mask of one split holds."""
    if len(classes) < 2 or not dataset.has("split"):
        return []
    splits = dataset.records["split"].where(dataset.records["split"].notna(), None).reindex(read["record"])
    return [
        Fault(
            where=Location(),
            kind="no such class in a split",
            subject=f"{one.held:g} / {one.split}",
            severity=Severity.WARNING,
            message=(
                f"None of the {one.pictures:,} masks of {one.split} holds {one.held:g}, which {one.holders:,} of "
                f"{one.others:,} others hold: it is not {'learnt' if is_training(one.split) else 'tested'} there. Deal the "
                "splits anew, or see whether it was left undrawn"
            ),
            evidence={"split": one.split, "masks": one.pictures, "masks_elsewhere": one.holders},
        )
        for one in lacking([values & classes for values in held], splits.tolist())
    ]


FEW, ENOUGH = 8, 50
"""With so many masks a value that breaks the run of the others can be told; with so many any rare one."""
RARE_OF_FEW = 0.2
FULL = 128.0
"""From here on a value that is a mask's only one besides nought stands for white, not for a class."""


def usual_values(held: list[frozenset[float]], most: float) -> frozenset[float]:
    """Values that more than the share `most` of the masks hold; where there are fewer than 50 masks to tell by, every value but
    rare ones that do not follow on the others."""
    counts = Counter(value for values in held for value in values)
    if len(held) >= ENOUGH:
        return frozenset(value for value, count in counts.items() if count > most * len(held))
    common = sorted(value for value, count in counts.items() if count > RARE_OF_FEW * len(held))
    if len(held) < FEW or common != [float(number) for number in range(len(common))] or len(common) < 2:
        return frozenset(counts)
    return frozenset(value for value in counts if value <= len(common))


def _other_coding(held: list[frozenset[float]]) -> frozenset[float]:
    """The values of the rarer way of writing one object, where some masks hold 0 and 255 and others 0 and small numbers."""
    drawn = [values - {0.0} for values in held if values - {0.0}]
    white = [values for values in drawn if len(values) == 1 and max(values) >= FULL]
    small = [values for values in drawn if max(values) < FULL]
    if not white or not small or len(white) + len(small) < len(drawn):
        return frozenset()
    return frozenset().union(*min(white, small, key=len))
