"""The built-in probe: one model fitted on features of one training part, applied to another.

Standardise → principal components → divide by the root of their deviation (half-whitened: between leaving the large
components all the weight and giving noise as much as signal) → the mean of a regularised logistic regression and of the
weighted vote of the nearest neighbours by cosine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.prediction.logistic import fit_logistic

COMPONENTS = 64
COLUMNS = 64
"""So many at least are summed at once."""
AT_ONCE = 512
"""Rows whose neighbours are sorted at once: the order of thousands of references is twice as large as what is sorted."""
NEIGHBOURS = 25
SHARPNESS = 4.0
STRENGTH = 0.01
CLIP = 8.0

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A fitted probe.

    Args:
        mean, scale: per feature, shape (features,); scale 0 = a feature that does not vary.
        rotation: (features, components), half-whitening included.
        weights, offsets: logistic regression, (components, classes) and (classes,).
        references, votes, known: neighbours: unit vectors (references, components), their 0/1 labels and which are labels.
        prior: share of each class in training.
        learnt: which classes the training part could teach; none of them where it held a single class.
        exclusive: one class per record (softmax), or each class on its own (sigmoid).
    """

    mean: Floats
    scale: Floats
    rotation: Floats
    weights: Floats
    offsets: Floats
    references: Floats
    votes: Floats
    known: Floats
    prior: Floats
    learnt: Bools
    exclusive: bool

    def probabilities(self, features: Floats) -> Floats:
        """Class probabilities, shape (rows, classes); rows sum to 1 when the classes are exclusive."""
        linear, near = self.halves(features)
        return np.asarray((linear + near) / 2, dtype=np.float32)

    def halves(self, features: Floats) -> tuple[Floats, Floats]:
        """What the regression and the neighbours say, each (rows, classes); `probabilities` is their mean."""
        inside = standardise(features, self.mean, self.scale) @ self.rotation
        return self._linear(inside), self._neighbours(inside)

    def _linear(self, inside: Floats) -> Floats:
        logits = inside @ self.weights + self.offsets
        if not self.exclusive:
            return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)
        if not self.learnt.any():
            return np.tile(self.prior, (len(inside), 1))
        logits[:, ~self.learnt] = -np.inf
        power = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(power / power.sum(axis=1, keepdims=True), dtype=np.float32)

    def _neighbours(self, inside: Floats) -> Floats:
        similarity = unit_vectors(inside) @ self.references.T
        parts = [self._voted(similarity[start : start + AT_ONCE]) for start in range(0, len(similarity), AT_ONCE)]
        return np.concatenate([np.empty((0, len(self.prior)), dtype=np.float32), *parts])

    def _voted(self, similarity: Floats) -> Floats:
        count = max(1, min(NEIGHBOURS, len(self.references) // 4))
        nearest = np.argpartition(similarity, len(self.references) - count, axis=1)[:, -count:]
        weight = np.exp(SHARPNESS * (np.take_along_axis(similarity, nearest, axis=1) - 1))
        scale = weight.mean(axis=1, keepdims=True)
        ones = np.empty((len(similarity), len(self.prior)), dtype=np.float32)
        total = np.empty_like(ones)
        for c in range(len(self.prior)):
            ones[:, c] = (weight * self.votes[:, c][nearest]).sum(axis=1)
            total[:, c] = (weight * self.known[:, c][nearest]).sum(axis=1)
        return np.asarray((ones + scale * self.prior) / (total + scale), dtype=np.float32)


def fit_probe(
    features: Floats, targets: Floats, known: Bools, *, exclusive: bool, references: int, rng: np.random.Generator
) -> Probe:
    """Fit a probe.

    Args:
        features: (rows, features); NaN counts as the mean.
        targets, known: (rows, classes): 0/1, and which cells are labels.
        exclusive: exactly one class per record.
        references: at most so many rows serve as neighbours.
        rng: draws those.
    """
    mean, scale = moments(features)
    standard = standardise(features, mean, scale)
    rotation = half_whitening(standard)
    inside = standard @ rotation
    positive = (targets * known).sum(axis=0)
    learnt = (positive > 0) & (positive < known.sum(axis=0))
    weights = np.zeros((rotation.shape[1], targets.shape[1]), dtype=np.float32)
    offsets = np.zeros(targets.shape[1], dtype=np.float32)
    if exclusive:
        present = np.flatnonzero(learnt)
        if len(present):
            codes = targets[:, present].argmax(axis=1)
            weights[:, present], offsets[present] = fit_logistic(inside, codes, len(present), strength=STRENGTH)
    else:
        for c in np.flatnonzero(learnt):
            part = known[:, c]
            two, constant = fit_logistic(inside[part], targets[part, c].astype(np.int64), 2, strength=STRENGTH)
            weights[:, c], offsets[c] = two[:, 1] - two[:, 0], constant[1] - constant[0]
    kept = np.sort(rng.choice(len(inside), references, replace=False)) if len(inside) > references else np.arange(len(inside))
    return Probe(
        mean=mean, scale=scale, rotation=rotation, weights=weights, offsets=offsets,
        references=unit_vectors(inside[kept]), votes=(targets * known)[kept].astype(np.float32),
        known=known[kept].astype(np.float32),
        prior=(positive / np.maximum(known.sum(axis=0), 1)).astype(np.float32), learnt=learnt, exclusive=exclusive,
    )  # fmt: skip


def moments(features: Floats) -> tuple[Floats, Floats]:
    """Mean and one over the standard deviation of each feature, 0 where it does not vary; NaN does not count."""
    # some columns at a time: in numbers of 64 bits all of them would be twice as large as the features
    parts = [_moments(part) for part in np.array_split(features, max(1, features.shape[1] // COLUMNS), axis=1)]
    return np.concatenate([mean for mean, _ in parts]), np.concatenate([scale for _, scale in parts])


def _moments(features: Floats) -> tuple[Floats, Floats]:
    finite = np.isfinite(features)
    count = np.maximum(finite.sum(axis=0), 1)
    filled = np.where(finite, features, 0).astype(np.float64)
    mean = filled.sum(axis=0) / count
    variance = np.maximum((np.where(finite, features - mean, 0) ** 2).sum(axis=0) / count, 0)
    deviation = np.sqrt(variance)
    varies = deviation > 1e-6 * np.maximum(1.0, np.abs(mean))
    return mean.astype(np.float32), np.where(varies, 1 / np.where(varies, deviation, 1), 0).astype(np.float32)


def standardise(features: Floats, mean: Floats, scale: Floats) -> Floats:
    """In standard deviations, at most 8; NaN becomes the mean."""
    standard = np.clip((features - mean) * scale, -CLIP, CLIP)
    return np.asarray(np.where(np.isfinite(standard), standard, 0), dtype=np.float32)


def half_whitening(standard: Floats) -> Floats:
    """Principal components over the root of their deviation; shape (features, components)."""
    values, vectors = _spectrum(standard)
    kept = np.argsort(values)[::-1][: min(COMPONENTS, len(standard) - 1)]
    kept = kept[values[kept] > 1e-6 * max(float(values.max(initial=0.0)), 1e-12)]
    if len(kept) == 0:
        return np.zeros((standard.shape[1], 1), dtype=np.float32)
    axes = vectors(kept)
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(len(kept))])
    return np.asarray(axes * signs / values[kept] ** 0.25, dtype=np.float32)


def _spectrum(standard: Floats) -> tuple[Doubles, Callable[[npt.NDArray[np.intp]], Doubles]]:
    """Eigenvalues of the covariance, and what gives the eigenvectors (features, k) of some of them.

    Of fewer rows than features the products of rows have the same eigenvalues but for noughts, and cost the cube of the
    rows: X'X v = s v is X X' u = s u with v = X'u / sqrt(s).
    """
    count = max(1, len(standard))
    if len(standard) >= standard.shape[1]:
        values, vectors = np.linalg.eigh((standard.T @ standard).astype(np.float64) / count)
        return values, lambda kept: vectors[:, kept]
    wide = standard.astype(np.float64)
    values, sides = np.linalg.eigh(wide @ wide.T / count)
    return values, lambda kept: wide.T @ sides[:, kept] / np.sqrt(values[kept] * count)


def unit_vectors(vectors: Floats) -> Floats:
    """Each row at length 1."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)
