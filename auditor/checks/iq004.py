"""IQ004: an image uses few grey levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.evidence.quality.image_check import ImageCheck, Judgement, apart, feature, kinds_of
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class LowDynamicRange(ImageCheck):
    """An image uses few grey levels.

    ## What it does

    Counts the stored levels between the 1st and the 99th percentile, in units of the smallest step in use. An image is
    flagged when there are fewer than `min_levels`, or fewer than a quarter of what is usual for its kind. Pictures of two to
    four levels (drawings, masks) are left out.

    ## Why is this bad?

    Fine differences are gone: a nodule of ten grey levels vanishes in twenty. If one site exports so and another does not,
    the depth of the grey scale tells the site.

    ## How to fix

    Export again with the full range and depth; do not stretch the histogram, it brings nothing back.

    ## Options

    * `min_levels`: fewer levels than this are few whatever the collection.
    * `max_ratio`: and fewer than this share of what is usual are few among their kind.
    * `deviations`: the second rule also wants so many robust deviations (of the logarithm).
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * DICOM PS3.14 (grey scale standard display function): some 500 to 1,000 just noticeable steps on a medical display.
    """

    code: ClassVar[str] = "IQ004"
    name: ClassVar[str] = "low-dynamic-range"

    min_levels: int = 24
    max_ratio: float = 0.25
    deviations: float = 6.0

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        levels = feature(dataset, "quality.span_levels")
        # Files of 8 bits beside those of 16 hold fewer levels by right: that depths are mixed is told elsewhere.
        with np.errstate(invalid="ignore", divide="ignore"):
            logs = np.where(levels > 0, np.log2(np.maximum(levels, 1e-9)), np.nan)
            effect = float(-np.log2(self.max_ratio))
            few, normal = apart(
                logs, kinds_of(dataset, "container.bit_depth"), side="low", deviations=self.deviations, effect=effect
            )
            mode = feature(dataset, "quality.mode_fraction")
            # A drawing, a mask and a nearly blank picture use few levels by right; the last is IQ001's.
            flagged = (few | (levels < self.min_levels)) & (levels > 4) & (mode < 0.9)
        return Judgement(
            flagged=flagged, value=levels, usual=2.0**normal, what="uses few grey levels",
            measure="levels between the 1st and 99th percentile", advice="Export it again with its full range",
            unjudged="their pixels were not read, or are floats that have no levels",
        )  # fmt: skip
