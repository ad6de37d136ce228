"""IQ013: an image is unlike all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Need
from auditor.evidence.quality.appearance import isolation
from auditor.evidence.quality.image_check import ImageCheck, Judgement, apart
from auditor.feature import feature_needs
from auditor.prediction.predict import MODULES
from auditor.values.dataset import Dataset

MODE, BLANK = "quality.mode_fraction", 0.995


@dataclass(frozen=True, kw_only=True)
class OffTopic(ImageCheck):
    """An image is unlike all others.

    ## What it does

    Looks at each image from its neighbours in the feature space of the built-in probe (principal components, grey levels,
    edges, texture, layout; never how the file was written). An image is flagged when even its fifth nearest neighbour is far
    away, compared with how far that is for the others.

    ## Why is this bad?

    A photo of the ward, a report scanned as an image, another body part, a test pattern: each has a label and is taught.

    ## How to fix

    Look at the images, most isolated first; remove what does not belong. Rare findings are isolated too: do not remove by
    score alone.

    ## Options

    * `deviations`: the logarithm of the distance must lie so many robust deviations above the median.
    * `min_ratio`: and the distance be so many times the median.
    * `neighbours`: which neighbour is looked at.
    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * Ramaswamy, Rastogi & Shim: Efficient algorithms for mining outliers. SIGMOD 2000.
    * Gröger et al.: SelfClean. NeurIPS 2024 (off-topic samples).
    """

    code: ClassVar[str] = "IQ013"
    name: ClassVar[str] = "off-topic"
    needs: ClassVar[frozenset[Need]] = feature_needs("quality", *MODULES)

    deviations: float = 6.0
    min_ratio: float = 1.8
    neighbours: int = 5

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image."""
        distance = isolation(dataset, neighbours=self.neighbours)
        # A picture without anything in it is IQ001's and IQ002's.
        if MODE in dataset.features.columns:
            distance = np.where(dataset.features[MODE].to_numpy(dtype=np.float64) >= BLANK, np.nan, distance)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(distance)
        effect = float(np.log(self.min_ratio))
        flagged, normal = apart(
            logs,
            np.zeros(dataset.size, np.int64),
            side="high",
            deviations=self.deviations,
            effect=effect,
        )
        return Judgement(
            flagged=flagged, value=distance, usual=np.exp(normal), what="is unlike all others",
            measure="distance to its neighbours", advice="Look at it; remove it if it does not belong",
        )  # fmt: skip
