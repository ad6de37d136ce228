"""The built-in probe of numbers: ridge regression and the nearest neighbours on the features that the probe of classes reads.

Labels far outside the others teach it nothing: they are drawn in to four robust standard deviations from the median first, so
that one typing error does not bend the model that is to find it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.prediction.probe import NEIGHBOURS, SHARPNESS, half_whitening, moments, standardise, unit_vectors

STRENGTHS = np.geomspace(1e-3, 1e3, 13)
"""Ridge penalties per record that are tried; generalised cross-validation chooses (Golub, Heath & Wahba 1979)."""
WINSOR = 4.0
MOST_REFERENCES = 10_000

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class NumberProbe:
    """A fitted probe.

    Args:
        mean, scale: per feature; scale 0 = a feature that does not vary.
        rotation: (features, components).
        weights, offset: ridge regression on the components.
        references, values: neighbours: unit vectors (references, components) and their numbers.
    """

    mean: Floats
    scale: Floats
    rotation: Floats
    weights: Doubles
    offset: float
    references: Floats
    values: Doubles

    def numbers(self, features: Floats) -> Doubles:
        """The mean of what both say; shape (rows,)."""
        inside = standardise(features, self.mean, self.scale) @ self.rotation
        count = max(1, min(NEIGHBOURS, len(self.references) // 4))
        similarity = unit_vectors(inside) @ self.references.T
        nearest = np.argpartition(similarity, len(self.references) - count, axis=1)[:, -count:]
        weight = np.exp(SHARPNESS * (np.take_along_axis(similarity, nearest, axis=1) - 1)).astype(np.float64)
        around = (weight * self.values[nearest]).sum(axis=1) / weight.sum(axis=1)
        return np.asarray((inside @ self.weights + self.offset + around) / 2)


def fit_numbers(features: Floats, numbers: Doubles) -> NumberProbe:
    """Fit a probe.

    Args:
        features: (rows, features); NaN counts as the mean.
        numbers: the labels, finite; shape (rows,).
    """
    middle = float(np.median(numbers))
    spread = 1.4826 * float(np.median(np.abs(numbers - middle)))
    if spread > 0:
        numbers = np.clip(numbers, middle - WINSOR * spread, middle + WINSOR * spread)
    mean, scale = moments(features)
    standard = standardise(features, mean, scale)
    rotation = half_whitening(standard)
    inside = standard @ rotation
    step = max(1, -(-len(inside) // MOST_REFERENCES))
    return NumberProbe(
        mean=mean, scale=scale, rotation=rotation, weights=ridge(inside.astype(np.float64), numbers - numbers.mean()),
        offset=float(numbers.mean()), references=unit_vectors(inside[::step]), values=numbers[::step],
    )  # fmt: skip


def ridge(inside: Doubles, numbers: Doubles) -> Doubles:
    """Weights of the ridge regression whose penalty has the least generalised cross-validation error.

    Args:
        inside: (rows, components), each of mean 0.
        numbers: of mean 0.
    """
    left, values, right = np.linalg.svd(inside, full_matrices=False)
    along, rows = left.T @ numbers, len(numbers)
    best, least = np.zeros(inside.shape[1]), np.inf
    for strength in STRENGTHS * rows:
        kept = values**2 / (values**2 + strength)
        rest = float(numbers @ numbers - 2 * (along * kept) @ along + (along * kept) @ (along * kept))
        error = rest / max(1e-12, (1 - float(kept.sum()) / rows)) ** 2
        if error < least:
            best, least = right.T @ (along * values / (values**2 + strength)), error
    return np.asarray(best)
