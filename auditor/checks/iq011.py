"""IQ011: an image is mostly background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.evidence.quality.image_check import ImageCheck, Judgement, apart, feature, kinds_of
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class MostlyBackground(ImageCheck):
    """An image is mostly background.

    ## What it does

    Where the border of a picture is even (three quarters of it at one level), measures how much of the picture is at that
    level, and flags what is nearly all background or far more than usual for its kind.

    ## Why is this bad?

    After the usual resizing the object is a few pixels, and its area becomes a feature. Tiles of bare glass carry labels that
    nothing in them supports.

    ## How to fix

    Crop, or leave such tiles out with a rule that is the same for all classes.

    ## Options

    * `min_fraction`: from this share on a picture is mostly background whatever the collection.
    * `deviations`, `min_effect`: or so many robust deviations, and so much, above the median of its kind.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * Debeir et al. on tile selection in digital pathology: tiles without tissue are left out by rule.
    """

    code: ClassVar[str] = "IQ011"
    name: ClassVar[str] = "mostly-background"

    min_fraction: float = 0.97
    deviations: float = 6.0
    min_effect: float = 0.3

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        share = feature(dataset, "quality.background_fraction")
        high, normal = apart(share, kinds_of(dataset), side="high", deviations=self.deviations, effect=self.min_effect)
        mode = feature(dataset, "quality.mode_fraction")
        with np.errstate(invalid="ignore"):
            flagged = (high | (share >= self.min_fraction)) & (mode < 1.0)
        return Judgement(
            flagged=flagged, value=share, usual=normal, what="is mostly background",
            measure="share of pixels like the border", advice="Crop it, or leave it out by one rule for all classes",
        )  # fmt: skip
