"""IQ006: an image is a negative of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Need, SkipCheck
from auditor.evidence.quality.appearance import likeness, zones
from auditor.evidence.quality.image_check import ImageCheck, Judgement, apart, kinds_of
from auditor.feature import feature_needs
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class InvertedImage(ImageCheck):
    """An image is a negative of the others.

    ## What it does

    Where the pictures of one kind look alike (chest X-rays, retinas: five of six correlate with their median picture, 14 × 14,
    by at least `min_alike`), lists those that correlate negatively with it. A turned-over MONOCHROME1 is undone before,
    so what is found was inverted in the pixels or declared wrongly. Pictures without a common layout (tissue, cells) are not
    judged.

    ## Why is this bad?

    Bone is black in some and white in others. A model learns both badly, and if the negatives come from one site it learns
    the site.

    ## How to fix

    Correct Photometric Interpretation or invert the pixels again.

    ## Options

    * `max_correlation`: at most this correlation with the median picture makes a negative.
    * `min_alike`: five of six pictures of one kind must correlate so much with their median picture.
    * `deviations`: a negative must fit worse than usual by so many robust deviations.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * DICOM PS3.3 C.7.6.3.1.2 (MONOCHROME1, MONOCHROME2).
    """

    code: ClassVar[str] = "IQ006"
    name: ClassVar[str] = "inverted-image"
    needs: ClassVar[frozenset[Need]] = feature_needs("zones")

    max_correlation: float = -0.5
    min_alike: float = 0.4
    deviations: float = 4.0

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        pictures, kinds = zones(dataset), kinds_of(dataset)
        correlation, alike = likeness(pictures, kinds)
        judged = alike >= self.min_alike
        if not judged.any():
            raise SkipCheck("the pictures have no common layout, so a negative cannot be told from a positive")
        turned = np.where(judged, correlation, np.nan)
        with np.errstate(invalid="ignore"):
            odd, _ = apart(correlation, kinds, side="low", deviations=self.deviations, effect=0.5)
            flagged = (turned <= self.max_correlation) & odd
        return Judgement(
            flagged=flagged, value=turned, usual=np.where(judged, alike, np.nan), what="looks like a negative of the others",
            measure="correlation with the median picture", advice="Correct Photometric Interpretation, or invert the pixels",
            unjudged="the pictures of their kind are few or have no common layout",
        )  # fmt: skip
