"""IQ010: an image is turned, mirrored upside down, or distorted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Need, SkipCheck
from auditor.evidence.quality.appearance import aspects, best_turn, likeness, zones
from auditor.evidence.quality.image_check import ImageCheck, Judgement, apart, kinds_of
from auditor.feature import feature_needs
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class OrientationOrAspect(ImageCheck):
    """An image is turned, mirrored upside down, or distorted.

    ## What it does

    Where the pictures of one kind look alike, turns each by quarters and mirrors it; it is flagged when another position fits
    the median picture far better than its own. A left-right mirror is not judged by pixels: bodies are nearly symmetric.
    Besides, when nine tenths of a kind have one ratio of width to height, those that differ by more than a fifth are flagged.

    ## Why is this bad?

    A rotated chest X-ray is a different task. A distorted one changes the size of the heart, which is what is read.

    ## How to fix

    Turn the picture back (and its mask and boxes); export it again without stretching.

    ## Options

    * `min_alike`: five of six pictures of one kind must correlate so much with their median picture.
    * `deviations`: a turned picture must fit worse than usual by so many robust deviations.
    * `min_gain`: the better position must correlate by this much more.
    * `min_correlation`: and at least so much.
    * `max_aspect_change`: change of the ratio of width to height that counts.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * DICOM PS3.3 C.7.6.1.1.1 (patient orientation).
    """

    code: ClassVar[str] = "IQ010"
    name: ClassVar[str] = "orientation-or-aspect"
    needs: ClassVar[frozenset[Need]] = feature_needs("zones")

    min_alike: float = 0.4
    deviations: float = 3.0
    min_gain: float = 0.4
    min_correlation: float = 0.6
    max_aspect_change: float = 0.2

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        pictures, kinds = zones(dataset), kinds_of(dataset)
        own, alike = likeness(pictures, kinds)
        best = best_turn(pictures, kinds)
        judged = alike >= self.min_alike
        odd, _ = apart(own, kinds, side="low", deviations=self.deviations, effect=self.min_gain)
        with np.errstate(invalid="ignore"):
            turned = judged & odd & (best - own >= self.min_gain) & (best >= self.min_correlation)
        aspect, normal = aspects(dataset, kinds)
        with np.errstate(invalid="ignore", divide="ignore"):
            stretched = np.abs(np.log(aspect / normal)) > np.log1p(self.max_aspect_change)
        if not judged.any() and not np.isfinite(normal).any():
            raise SkipCheck("the pictures have neither a common layout nor a common shape")
        return Judgement(
            flagged=turned | stretched, value=np.where(turned, own, aspect), usual=np.where(turned, alike, normal),
            what="is turned, upside down or distorted against the others",
            measure="width over height, or correlation with the median picture", advice="Turn it back, or export it again",
        )  # fmt: skip
