"""IQ003: highlights or shadows of an image are cut off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.evidence.quality.image_check import ImageCheck, Judgement, apart, feature, kinds_of
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class ClippedImage(ImageCheck):
    """Highlights or shadows of an image are cut off.

    ## What it does

    Measures the share of pixels heaped up at the highest or the lowest stored level: a heap is a level that holds more than
    five times what the next ten levels hold on average. Where the border of the picture lies at that level (black around an
    X-ray, white around a section) it is background and does not count. Stored depth only: nothing is saturated by reading it.

    ## Why is this bad?

    What was cut off cannot be brought back by any window. Saturation that comes with one device or one site is a shortcut;
    cut-off lesions are wrong labels.

    ## How to fix

    Export again with the full range, or from the raw data. If the whole collection is cut off, say so in its documentation.

    ## Options

    * `min_fraction`: share of pixels at one end from which an image counts.
    * `deviations`, `min_effect`: or so many robust deviations, and so much, above the median of its kind.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * DICOM PS3.3 C.11.2 (window and rescale); IEC 62220-1 (dynamic range of detectors).
    """

    code: ClassVar[str] = "IQ003"
    name: ClassVar[str] = "clipped-image"

    min_fraction: float = 0.1
    deviations: float = 6.0
    min_effect: float = 0.05

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        high, low = feature(dataset, "quality.clipped_high_fraction"), feature(dataset, "quality.clipped_low_fraction")
        value = np.maximum(high, low)
        flagged, normal = apart(value, kinds_of(dataset), side="high", deviations=self.deviations, effect=self.min_effect)
        with np.errstate(invalid="ignore"):
            # Two or three levels are a drawing or a mask: they have ends, and nothing between them.
            drawn = dataset.features["quality.span_levels"].to_numpy(dtype=np.float64) < 12
            flagged = (flagged | (value >= self.min_fraction)) & ~drawn
        return Judgement(
            flagged=flagged, value=value, usual=normal, what="is cut off at its brightest or darkest level",
            measure="share of pixels at that level", advice="Export it again with the full range",
        )  # fmt: skip
