"""IQ007: an image is blurred, or was enlarged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.evidence.quality.image_check import ImageCheck, Judgement, apart, feature, kinds_of
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class BlurredImage(ImageCheck):
    """An image is blurred, or was enlarged.

    ## What it does

    Compares how much neighbouring pixels differ with how much pixels four apart do, in stored resolution. In a sharp picture
    much of the change happens from one pixel to the next; in a blurred or enlarged one it is a quarter. An image is flagged
    when it lies far below its kind, or when next to nothing changes between neighbours. Contrast, brightness and noise level
    of the collection do not enter.

    ## Why is this bad?

    Fine structures are gone. Blur that comes with one device, one site or one class is a shortcut.

    ## How to fix

    Look at the images. Take the pictures again, or leave them out of what is judged on fine detail.

    ## Options

    * `deviations`, `min_effect`: so many robust deviations, and so much (natural logarithm), below the median of its kind.
    * `max_sharpness`: at or below this an image is blurred whatever the collection; −1.386 is a ramp.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * Pech-Pacheco et al., ICPR 2000 (focus measures); CleanVision issue 120 (blur false positives of the variance of the
      Laplacian).
    """

    code: ClassVar[str] = "IQ007"
    name: ClassVar[str] = "blurred-image"

    deviations: float = 4.5
    min_effect: float = 0.15
    max_sharpness: float = -1.34

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        sharpness = feature(dataset, "quality.sharpness")
        low, normal = apart(sharpness, kinds_of(dataset), side="low", deviations=self.deviations, effect=self.min_effect)
        with np.errstate(invalid="ignore"):
            # A drawing of a few levels has nothing between its edges: by this measure it is always a ramp.
            levels = dataset.features["quality.span_levels"].to_numpy(dtype=np.float64)
            # Of a picture that is mostly one level, only what is usual for its kind can judge.
            mode = dataset.features["quality.mode_fraction"].to_numpy(dtype=np.float64)
            flagged = (low | ((sharpness <= self.max_sharpness) & (mode < 0.3))) & ~(levels <= 12)
        return Judgement(
            flagged=flagged, value=sharpness, usual=normal, what="looks blurred or enlarged",
            measure="sharpness (0 = every pixel its own, −1.39 = a ramp)", advice="Look at it; take it again if it matters",
            unjudged="they are smaller than 16 pixels, flat, or their pixels were not read",
        )  # fmt: skip
