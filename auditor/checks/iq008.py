"""IQ008: an image is noisy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.evidence.quality.image_check import ImageCheck, Judgement, apart, feature, kinds_of
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class NoisyImage(ImageCheck):
    """An image is noisy.

    ## What it does

    Estimates the standard deviation of the noise from second differences in both directions, as a share of the range between
    the 1st and the 99th percentile of the stored values, and compares it with the images of the same kind.

    ## Why is this bad?

    Noise hides detail, and a noise level that follows the class (a low-dose protocol, a high gain, an old detector) is
    learned in its place.

    ## How to fix

    Look at the images; if they come from one device or protocol, say so and balance or harmonise.

    ## Options

    * `deviations`, `min_effect`: so many robust deviations, and so much, above the median of its kind.
    * `max_noise_fraction`: above this an image is noisy whatever the collection.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * Immerkær: Fast noise variance estimation. Computer Vision and Image Understanding 1996.
    """

    code: ClassVar[str] = "IQ008"
    name: ClassVar[str] = "noisy-image"

    deviations: float = 5.0
    min_effect: float = 0.03
    max_noise_fraction: float = 0.15

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        noise = feature(dataset, "quality.noise_fraction")
        high, normal = apart(noise, kinds_of(dataset), side="high", deviations=self.deviations, effect=self.min_effect)
        with np.errstate(invalid="ignore"):
            flagged = high | (noise > self.max_noise_fraction)
        return Judgement(
            flagged=flagged, value=noise, usual=normal, what="is noisy",
            measure="noise over the range in use", advice="Look at it, and at the device it comes from",
            unjudged="they are smaller than 16 pixels, flat, or their pixels were not read",
        )  # fmt: skip
