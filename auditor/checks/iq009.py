"""IQ009: an image has bands, or is blurred in one direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import SkipCheck
from auditor.evidence.quality.image_check import ImageCheck, Judgement, apart, feature, kinds_of
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class BandsOrMotion(ImageCheck):
    """An image has bands, or is blurred in one direction.

    ## What it does

    Two measurements, each against the images of the same kind. Bands: how much more the means of whole rows (or columns) jump
    than those of independent pixels would, less the same of the other direction: failing detector lines, interlacing,
    corrupted transfers. Motion: how much sharper the picture is along rows than along columns.

    ## Why is this bad?

    Bands are the signature of a device; motion the signature of patients who cannot hold still. Both may follow the class.

    ## How to fix

    Look at the images; take them again or leave them out, and report which device they come from.

    ## Options

    * `deviations`: so many robust deviations from the median of its kind.
    * `min_bands`: and the bands of the two directions must differ by this much more (natural logarithm) than usual.
    * `min_motion`: or the sharpness of the two directions by this much more.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * Zaitsev et al.: Motion artifacts in MRI. JMRI 2015; IEC 62220-1 (line artefacts of detectors).
    """

    code: ClassVar[str] = "IQ009"
    name: ClassVar[str] = "bands-or-motion"

    deviations: float = 5.0
    min_bands: float = 1.5
    min_motion: float = 0.25

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        bands = feature(dataset, "quality.row_bands") - feature(dataset, "quality.column_bands")
        across, kinds = feature(dataset, "quality.sharpness_across"), kinds_of(dataset)
        banded, usual_bands = apart(bands, kinds, side="both", deviations=self.deviations, effect=self.min_bands)
        moved, usual_across = apart(across, kinds, side="both", deviations=self.deviations, effect=self.min_motion)
        if not np.isfinite(usual_bands).any():
            raise SkipCheck("fewer than 20 images of one kind: there is no usual to compare with")
        return Judgement(
            flagged=banded | moved, value=np.where(moved & ~banded, across, bands),
            usual=np.where(moved & ~banded, usual_across, usual_bands), what="has bands or is blurred in one direction",
            measure="difference between rows and columns", advice="Look at it; take it again if it matters",
            unjudged="they are smaller than 16 pixels, flat, or too few of their kind",
        )  # fmt: skip
