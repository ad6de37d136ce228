"""IQ005: an image of eight bits is stored as sixteen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.quality.image_check import ImageCheck, Judgement, feature, kinds_of
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class EightInSixteen(ImageCheck):
    """An image of eight bits is stored as sixteen.

    ## What it does

    Finds files that declare more than 8 bits per sample and hold no more than 8: values 0 to 255, the same times 256 or 257,
    or any stretch of them that leaves a large picture with at most 256 levels.

    ## Why is this bad?

    The depth was lost before the file was written, and the file says otherwise. If one class or one site went through an
    8-bit step and the other did not, gaps in the histogram tell them apart.

    ## How to fix

    Export from the source with its full depth. If only 8 bits exist, store 8 bits.

    ## Options

    * `min_kind_fraction`: a range of 256 counts when this share of the images of one kind keep to it.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * DICOM PS3.5 section 8.1.1 (bits allocated and bits stored).
    """

    code: ClassVar[str] = "IQ005"
    name: ClassVar[str] = "eight-bits-in-sixteen"

    min_kind_fraction: float = 0.9

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        levels = feature(dataset, "quality.span_levels")
        eight = dataset.features["quality.eight_in_deep"].to_numpy(dtype=np.float64)
        if not np.isfinite(eight).any():
            raise SkipCheck("no image declares more than 8 bits of whole numbers")
        # One dark slice may stay below 256 by right; a kind of which nearly all do was made of bytes.
        kinds = kinds_of(dataset)
        small = pd.Series(np.where(np.isfinite(eight), eight >= 0.5, np.nan)).groupby(kinds).transform("mean").to_numpy(float)
        flagged = (eight == 1) | ((eight == 0.5) & (small >= self.min_kind_fraction))
        return Judgement(
            flagged=flagged, value=np.where(np.isfinite(eight), levels, np.nan), usual=np.full(eight.shape, np.nan),
            what="declares more than 8 bits and holds 8",
            measure="steps between its 1st and 99th percentile", advice="Export it again with its full depth",
            unjudged="they declare 8 bits, or are no whole numbers",
        )  # fmt: skip
