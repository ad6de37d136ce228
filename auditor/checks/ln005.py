"""LN005: masks that are unlike the others of the collection, or miss objects that a model sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.masks.mask_verdict import deviations, judge_masks
from auditor.evidence.masks.shifted_masks import judge_places, with_drawn
from auditor.values.dataset import Dataset
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict

MIN_MASKS = 20
FLOORS = {"components": 0.4, "foreground_fraction": 0.4}
"""Least spread taken for granted, on the logarithm of the number of objects and on the log-odds of the foreground."""


@dataclass(frozen=True, kw_only=True)
class SuspectMasks(Check):
    """Masks miss objects, are unlike the others, or lie beside what they outline.

    ## What it does

    Compares, over the masks that can be read and are not empty, the number of connected objects (logarithm) and the share of
    foreground (log-odds) with their median, in robust standard deviations: more than `max_deviations` is unlike the others. Few
    objects or little foreground may mean that objects were not drawn; very many objects, specks of a careless brush or of a
    lossy format; very much foreground, an inverted mask. Empty masks, masks of another size and undeclared values are told by
    IN005, IN006 and IN012.

    Lays the outlines of every mask of one frame over the edges of its picture, at 96 pixels, and moves them about by up to a
    sixth of the side. Where at least 20 masks, and 70 % of all, fit as they are drawn, one that fits clearly better elsewhere
    (correlation larger by .12) seems to have been shifted. Where outlines follow no edges it says that it cannot tell.

    With predicted masks (`--predictions FOLDER`) every mask is scored by the soft minimum of what the model thinks of its
    pixels, and objects are compared: one that is predicted where nothing is drawn may be missing, one that is drawn where
    nothing is predicted has no support. The latter measure how often the model errs. Only where it sees more missing objects
    than it overlooks drawn ones, with the same confidence, beyond chance (records swapped at random, `max_p`) and by so much
    that at most `max_false` of the list is expected to be wrong, are they findings. This assumes that on complete masks the
    model would invent objects no more often than it overlooks them. A mask that the model doubts far more than the others
    (`max_deviations`) is a finding too. All classes of objects are one here; a swapped class shows in the score. Of
    predictions that are declared in-sample, findings are info: a model overlooks fewer of the objects that it learnt from.

    ## Why is this bad?

    Objects that are missing from masks are the costliest kind of noise in segmentation: with half of them missing a network's
    F1 fell from .84 to .23, where rough outlines cost .03 to .04.

    ## How to fix

    Look at the listed masks beside their images. Complete what is missing, remove specks, turn inverted masks over.

    A missing object is a suggestion of the model: draw it only where you see it. `medaudit fix --strategy weak` trains on masks
    that miss objects.

    ## Options

    * `max_false`: at most this share of the missing objects that are listed is expected to be wrong (0.15).
    * `max_p`: an excess of missing objects that chance gives more often is none (0.01).
    * `max_deviations`: so many robust standard deviations from the median are still like the others (6.0).
    * `max_findings`: so many masks are listed as findings (50); the table has them all.

    ## References

    * Foucart, Debeir & Decaestecker: SNOW: Semi-supervised, noisy and/or weak data for deep learning in digital pathology.
      ISBI 2019.
    * Lad & Mueller: Estimating label quality and errors in semantic segmentation data via any model. ICML workshop 2023.
    * Elias & Gygi: Target-decoy search strategy. Nature Methods 4, 2007; Barber & Candès: Controlling the false discovery rate
      via knockoffs. Annals of Statistics 43, 2015 (share of wrong ones).
    * Rottmann & Reese: Automated detection of label errors in semantic segmentation datasets. WACV 2023.
    """

    code: ClassVar[str] = "LN005"
    name: ClassVar[str] = "suspect-masks"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints", "outlines"})

    max_false: float = 0.15
    max_p: float = 0.01
    max_deviations: float = 6.0
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Compare masks; raises SkipCheck with fewer than 20 that can be compared, and no predictions of them."""
        asked = [self._beside] if dataset.mask_scores is not None else []
        parts, left = [], []
        for ask in (*asked, self._shapes, self._places):
            try:
                parts.append(ask(dataset))
            except SkipCheck as skipped:
                left.append(str(skipped))
        if not parts:
            raise SkipCheck(left[0])
        # what was found goes first: the first sentence stands for the check
        told = [part.summary for part in sorted(parts, key=lambda part: not part.findings)]
        told += [f"Not asked: {why}." for why in left]
        return replace(
            parts[0],
            summary=" ".join(told),
            metrics={name: value for part in reversed(parts) for name, value in part.metrics.items()},
            findings=tuple(finding for part in parts for finding in part.findings),
            tables=tuple(table for part in parts for table in part.tables),
        )

    def _beside(self, dataset: Dataset) -> Verdict:
        assert dataset.mask_scores is not None
        return judge_masks(
            dataset.mask_scores, code=self.code, severity=self.severity, max_false=self.max_false, max_p=self.max_p,
            max_deviations=self.max_deviations, max_findings=self.max_findings,
        )  # fmt: skip

    def _places(self, dataset: Dataset) -> Verdict:
        return judge_places(dataset, code=self.code, severity=self.severity, max_findings=self.max_findings)

    def _shapes(self, dataset: Dataset) -> Verdict:
        masks = with_drawn(dataset)
        usable = masks[(masks["foreground_fraction"] > 0) & (masks["components"] > 0)] if len(masks) else masks
        if len(usable) < MIN_MASKS:
            raise SkipCheck(f"{len(usable)} masks can be compared with each other; at least {MIN_MASKS} are needed")
        share = usable["foreground_fraction"].to_numpy(dtype=np.float64)
        scales = {
            "components": np.log(usable["components"].to_numpy(dtype=np.float64)),
            "foreground_fraction": np.log(share / np.maximum(1 - share, 1e-6)),
        }
        away = {name: deviations(values, FLOORS[name]) for name, values in scales.items()}
        strongest = np.maximum(np.abs(away["components"]), np.abs(away["foreground_fraction"]))
        chosen = np.flatnonzero(strongest > self.max_deviations)
        chosen = chosen[np.argsort(-strongest[chosen], kind="stable")]
        rows = usable.iloc[chosen].assign(
            kind=[_kind(away["components"][i], away["foreground_fraction"][i], self.max_deviations) for i in chosen],
            deviations=strongest[chosen],
        )
        usual = float(usable["components"].median()), float(usable["foreground_fraction"].median())
        return Verdict(
            summary=(
                f"{len(rows):,} of {len(usable):,} masks are unlike the others."
                if len(rows)
                else f"None of {len(usable):,} masks is unlike the others in objects or foreground "
                f"({self.max_deviations:g} robust standard deviations would be)."
            ),
            metrics={
                "suspect_masks": len(rows), "masks": len(usable), "median_objects": usual[0],
                "median_foreground_fraction": usual[1],
            },
            findings=self._findings(rows, usual),
            tables=(_table(rows),) if len(rows) else (),
            coverage=Coverage(
                evaluated=len(usable), total=len(masks), unit="masks",
                reason="" if len(usable) == len(masks) else "empty, or could not be read",
            ),
        )  # fmt: skip

    def _findings(self, rows: pd.DataFrame, usual: tuple[float, float]) -> tuple[Finding, ...]:
        listed = rows.head(self.max_findings)
        columns = (listed[n].tolist() for n in ("path", "record", "kind", "components", "foreground_fraction", "deviations"))
        return tuple(
            Finding(
                code=self.code, severity=self.severity, where=Location(path=path, record=record), subject="shape of the mask",
                score=deviations, evidence={"objects": int(objects), "foreground_fraction": share},
                message=(
                    f"the mask holds {kind}: {int(objects):,} objects and {share:.1%} foreground, where {usual[0]:g} objects "
                    f"and {usual[1]:.1%} are usual; look at it beside its image"
                ),
            )
            for path, record, kind, objects, share, deviations in zip(*columns, strict=True)
        )  # fmt: skip


def _kind(objects: float, foreground: float, most: float) -> str:
    if objects > most:
        return "far more objects than the others (specks?)"
    if objects < -most:
        return "far fewer objects than the others (not drawn?)"
    if foreground > most:
        return "far more foreground than the others (inverted?)"
    return "far less foreground than the others (not drawn?)"


def _table(rows: pd.DataFrame) -> Table:
    return Table(
        name="masks", title="Masks unlike the others",
        columns=(
            Column(name="record", kind="record", values=rows["record"].tolist(), title="Record"),
            Column(name="path", kind="path", values=rows["path"].tolist(), title="Mask"),
            Column(name="kind", kind="text", values=rows["kind"].tolist(), title="What"),
            Column(name="objects", kind="integer", values=[int(v) for v in rows["components"]], title="Objects"),
            Column(
                name="foreground_fraction", kind="fraction", values=rows["foreground_fraction"].tolist(), title="Foreground"
            ),
            Column(name="deviations", kind="number", values=rows["deviations"].tolist(), title="Standard deviations away"),
        ),
    )  # fmt: skip
