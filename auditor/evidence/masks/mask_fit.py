"""How well one drawn mask fits its prediction: a score of its pixels, and the objects that only one of both has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.evidence.masks.mask_form import Pair
from auditor.values.mask_scores import Bools, Floats, Ruler

TEMPERATURE = 0.1
SHARED = 0.1
"""An object of which at most this share lies in the other mask is not in it."""
SURE_QUANTILE = 0.9
SMALL_QUANTILE = 0.1
LEAST_SURE = 0.05


@dataclass(frozen=True, kw_only=True)
class Fit:
    """`score`, `self_confidence` and `dice` are 0-1; `conflicts`: missing, confidence, area, row, column of each object."""

    score: float
    self_confidence: float
    dice: float
    objects: int
    predicted_objects: int
    conflicts: tuple[tuple[bool, float, int, float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Objects:
    """Connected objects: `numbers` per pixel from 1, and per object its `sizes` in pixels."""

    numbers: npt.NDArray[np.int32]
    sizes: npt.NDArray[np.int64]

    def mean(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """Mean of the pixels of each object."""
        sums = np.bincount(self.numbers.ravel(), weights=values.ravel(), minlength=len(self.sizes) + 1)[1:]
        return np.asarray(sums / np.maximum(self.sizes, 1))


def objects_of(mask: Bools) -> Objects:
    """Pixels that share a side (of volumes a face) are one object."""
    from scipy import ndimage  # slow to import, and few scans are given masks of a model

    numbers, count = ndimage.label(mask)
    return Objects(numbers=numbers, sizes=np.bincount(numbers.ravel(), minlength=count + 1)[1:].astype(np.int64))


def ruler_of(pairs: Iterable[Pair]) -> Ruler:
    """Measured on some pairs of the collection."""
    sizes, means = [np.empty(0, np.int64)], [np.empty(0)]
    for pair in pairs:
        drawn = objects_of(pair.drawn)
        sizes.append(drawn.sizes)
        means.append(drawn.mean(pair.predicted))
    if not sum(map(len, sizes)):
        return Ruler()
    return Ruler(
        sure=max(LEAST_SURE, float(np.quantile(np.concatenate(means), SURE_QUANTILE))),
        least_pixels=float(np.quantile(np.concatenate(sizes), SMALL_QUANTILE)),
    )


def softmin(confidence: Floats) -> float:
    """Σ s · softmax((1 − s) / 0.1): near the least of many values, as cleanlab.segmentation scores an image."""
    s = confidence.astype(np.float64)
    weights = np.exp((s.min() - s) / TEMPERATURE)
    return float(np.clip((s @ weights) / weights.sum(), 0, 1))


def fit_of(pair: Pair, ruler: Ruler) -> Fit:
    """Compare; a pixel is predicted as object from half of what the clearest objects reach."""
    said = np.asarray(pair.predicted >= ruler.sure / 2)
    total = int(said.sum()) + int(pair.drawn.sum())
    drawn, predicted = objects_of(pair.drawn), objects_of(said)
    conflicts = [
        *_only_in(predicted, pair.drawn, pair.predicted, ruler, missing=True),
        *_only_in(drawn, said, pair.predicted, ruler, missing=False),
    ]
    return Fit(
        score=softmin(pair.confidence) if pair.confidence.size else 1.0,
        self_confidence=float(pair.confidence.mean(dtype=np.float64)) if pair.confidence.size else 1.0,
        dice=2 * int((said & pair.drawn).sum()) / total if total else 1.0,
        objects=int((drawn.sizes >= ruler.least_pixels).sum()),
        predicted_objects=int((predicted.sizes >= ruler.least_pixels).sum()),
        conflicts=tuple(conflicts),
    )


def _only_in(
    objects: Objects, other: Bools, predicted: Floats, ruler: Ruler, *, missing: bool
) -> list[tuple[bool, float, int, float, float]]:
    """The objects of which nothing, or next to nothing, is in the other mask."""
    alone = np.flatnonzero((objects.sizes >= ruler.least_pixels) & (objects.mean(other) <= SHARED))
    if not len(alone):
        return []
    told = np.minimum(objects.mean(predicted)[alone] / ruler.sure, 1)
    from scipy import ndimage

    middles = ndimage.center_of_mass(objects.numbers > 0, objects.numbers, alone + 1)
    return [
        (missing, float(p if missing else 1 - p), int(objects.sizes[i]), float(middle[-2]), float(middle[-1]))
        for i, p, middle in zip(alone, told, middles, strict=True)
    ]
