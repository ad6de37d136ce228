"""IQ001: an image shows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.evidence.quality.image_check import ImageCheck, Judgement, feature
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class BlankImage(ImageCheck):
    """An image shows nothing.

    ## What it does

    Finds pictures that are not constant and yet hold no structure: nearly all pixels share one stored level, or what varies
    is noise that averages away like white noise does (4 × 4 means vary as little as those of independent pixels).

    ## Why is this bad?

    A slice outside the body, an exposure without an object or a failed export carries a label all the same. The model can
    only learn it by heart.

    ## How to fix

    Look at the images. Remove them, or export them again; if they are meant (a slice outside the organ), give them a label of
    their own.

    ## Options

    * `min_mode_fraction`: from this share of pixels at one level on, a picture is blank.
    * `max_structure`: below this log-ratio a picture is noise; 0 is white noise, photographs lie above 2.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * Cleanlab, CleanVision documentation: low-information images.
    """

    code: ClassVar[str] = "IQ001"
    name: ClassVar[str] = "blank-image"

    min_mode_fraction: float = 0.995
    max_structure: float = 0.3

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        mode = feature(dataset, "quality.mode_fraction")
        structure = dataset.features["quality.structure"].to_numpy(dtype=np.float64)
        constant = mode >= 1.0
        flagged = ((mode >= self.min_mode_fraction) | (structure <= self.max_structure)) & ~constant
        return Judgement(
            flagged=flagged, value=mode, usual=np.full(mode.shape, np.nan), what="is blank or mere noise",
            measure="share of pixels at one level", advice="Remove it, or export it again",
        )  # fmt: skip
