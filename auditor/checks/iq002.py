"""IQ002: an image has one value everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Need
from auditor.evidence.quality.image_check import ImageCheck, Judgement, feature
from auditor.feature import feature_needs
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class ConstantImage(ImageCheck):
    """An image has one value everywhere.

    ## What it does

    Lists pictures whose every pixel has the same stored value.

    ## Why is this bad?

    There is nothing to see, and the label is taught all the same. Often it is the trace of a failed export, and failures are
    seldom spread evenly over sites and classes.

    ## How to fix

    Export the file again or remove it together with its row.

    ## Options

    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * Cleanlab, CleanVision documentation: low-information images.
    """

    code: ClassVar[str] = "IQ002"
    name: ClassVar[str] = "constant-image"
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints"}) | feature_needs("quality")

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        mode = feature(dataset, "quality.mode_fraction")
        flagged = dataset.fingerprints["constant"].to_numpy(dtype=bool) & np.isfinite(mode)
        return Judgement(
            flagged=flagged, value=mode, usual=np.full(mode.shape, np.nan), what="has the same value everywhere",
            measure="share of pixels at one level", advice="Export it again, or remove it with its row",
        )  # fmt: skip
