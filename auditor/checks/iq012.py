"""IQ012: an image is far larger or smaller than the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import SkipCheck
from auditor.evidence.quality.image_check import ImageCheck, Judgement, apart, feature, kinds_of
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class OddSize(ImageCheck):
    """An image is far larger or smaller than the others.

    ## What it does

    Compares the number of pixels with the images of the same kind, on a logarithmic scale.

    ## Why is this bad?

    Resizing hides the difference in what is seen and keeps it in how sharp it is. A thumbnail among full images is often the
    wrong file.

    ## How to fix

    Give the right file, or resample all images to one pixel size in millimetres.

    ## Options

    * `deviations`: so many robust deviations from the median of its kind.
    * `min_ratio`: and so many times as many, or as few, pixels.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * Cleanlab, CleanVision documentation: odd size.
    """

    code: ClassVar[str] = "IQ012"
    name: ClassVar[str] = "odd-size"

    deviations: float = 6.0
    min_ratio: float = 4.0

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        pixels = np.log2(feature(dataset, "quality.pixels"))
        flagged, normal = apart(
            pixels, kinds_of(dataset), side="both", deviations=self.deviations, effect=float(np.log2(self.min_ratio))
        )
        if not np.isfinite(normal).any():
            raise SkipCheck("fewer than 20 images of one kind: there is no usual size")
        return Judgement(
            flagged=flagged, value=2.0**pixels, usual=2.0**normal, what="is far larger or smaller than the others",
            measure="pixels", advice="Give the right file, or resample all to one pixel size",
        )  # fmt: skip
