"""What is measured on predictions, so that thousands of resamples of patients cost seconds.

A `Panel` (made by the modules beside this one) holds one arm of one seed as sums per patient (counts of classes, hits,
squared errors, calibration bins), and the AUC as ranks; a resample of patients is then a weight per patient, and every
metric a function of weighted sums. The plain value is that of weights of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

BINS = 15
"""Of the calibration error, at most; fewer where a bin would hold less than ten predictions."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric by name.

    Args:
        name: key.
        title: for people.
        more_is_better: its direction; values are never turned, differences are.
        margin_unit: what a margin of 1 means in its units (1 for fractions, the range of grades, ...).
        least, most: values that it can have.
    """

    name: str
    title: str
    more_is_better: bool = True
    margin_unit: float = 1.0
    least: float = 0.0
    most: float = 1.0

    @property
    def sign(self) -> float:
        """1 where more is better, else −1."""
        return 1.0 if self.more_is_better else -1.0


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The pairs of one class, counted at the distinct scores of its cases.

    Args:
        cases: weight of cases at each score; sparse (scores, patients).
        step: what the others add to the count below each score (a tie counts half); sparse (scores, patients).
        positives, negatives: how many there are; (patients,).
        swapped: cases and others changed places because the others have fewer distinct scores.
    """

    cases: csr_matrix
    step: csr_matrix
    positives: Doubles
    negatives: Doubles
    swapped: bool

    def auc(self, weights: Doubles) -> Doubles:
        """AUC under weights (patients, resamples) → (resamples,); NaN where one side is missing."""
        below = np.cumsum(self.step @ weights, axis=0)
        pairs = (self.positives @ weights) * (self.negatives @ weights)
        found = ratio(np.einsum("sr,sr->r", self.cases @ weights, below), pairs)
        return 1 - found if self.swapped else found


@dataclass(frozen=True, kw_only=True)
class Panel:
    """All metrics of one arm and one seed.

    Args:
        sums: (patients, columns): what a resample adds up.
        read: sums (resamples, columns) and AUC per class (resamples, classes) → metrics (resamples, metrics) and the value
            per class (resamples, classes).
        ranks: one per class, where there is an AUC.
    """

    sums: Doubles
    read: Callable[[Doubles, Doubles], tuple[Doubles, Doubles]]
    ranks: tuple[Ranks, ...] = ()

    def values(self, weights: Doubles) -> tuple[Doubles, Doubles]:
        """Metrics and values per class under weights (patients, resamples)."""
        auc = [ranks.auc(weights) for ranks in self.ranks]
        return self.read(weights.T @ self.sums, np.stack(auc, axis=1) if auc else np.empty((weights.shape[1], 0)))

    def plain(self) -> tuple[Doubles, Doubles]:
        """Metrics (metrics,) and values per class (classes,) of all patients."""
        metrics, per_class = self.values(np.ones((len(self.sums), 1)))
        return metrics[0], per_class[0]


def rank_pairs(score: Doubles, positive: npt.NDArray[np.bool_], patients: Longs, count: int) -> Ranks:
    """The pairs of case and other that an AUC counts; all arrays (records,)."""
    swapped = np.unique(score[positive]).size > np.unique(score[~positive]).size
    case = ~positive if swapped else positive
    levels, at = np.unique(score[case], return_inverse=True)
    size = max(1, len(levels))
    other = score[~case]
    left, right = np.searchsorted(levels, other, "left"), np.searchsorted(levels, other, "right")
    # A tie adds half at its own level and the other half from the next level on.
    places, who = np.concatenate([left, right]), np.tile(patients[~case], 2)
    inside = places < len(levels)
    return Ranks(
        cases=csr_matrix((np.ones(len(at)), (at, patients[case])), shape=(size, count)),
        step=csr_matrix((np.full(int(inside.sum()), 0.5), (places[inside], who[inside])), shape=(size, count)),
        positives=np.bincount(patients[case], minlength=count).astype(np.float64),
        negatives=np.bincount(patients[~case], minlength=count).astype(np.float64),
        swapped=bool(swapped),
    )


def matthews(correct: Doubles, support: Doubles, predicted: Doubles) -> Doubles:
    """Gorodkin's coefficient from the margins (resamples, classes) and the number of correct records (resamples,)."""
    total = support.sum(axis=1)
    above = correct * total - (support * predicted).sum(axis=1)
    below = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (support**2).sum(axis=1))
    return np.where(below > 0, above / np.sqrt(np.where(below > 0, below, 1.0)), 0.0)


def binary_mcc(tp: Doubles, fp: Doubles, fn: Doubles, tn: Doubles) -> Doubles:
    """Matthews' coefficient of counts; 0 where a margin is empty."""
    # Roots before the product: four counts of pixels multiplied would lose digits.
    below = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
    return np.where(below > 0, (tp * tn - fp * fn) / np.where(below > 0, below, 1.0), 0.0)


def quadratic_kappa(squared: Doubles, support: Doubles, predicted: Doubles) -> Doubles:
    """1 − observed / expected squared distance; NaN where one grade alone is used.

    Args:
        squared: sum of the squared distances that were seen, (resamples,).
        support, predicted: how often each grade is true and predicted, (resamples, grades).
    """
    grade = np.arange(support.shape[1], dtype=np.float64)
    total = support.sum(axis=1)
    expected = (support @ grade**2 + predicted @ grade**2) - ratio(2 * (support @ grade) * (predicted @ grade), total)
    return 1 - ratio(squared, np.where(expected > 1e-9, expected, 0.0))


def calibration_bins(confidence: Doubles) -> Longs:
    """Bin of each prediction, (predictions,): bins of equal size, equal values in one bin."""
    bins = int(np.clip(len(confidence) // 10, 1, BINS))
    edges = np.unique(np.quantile(confidence, np.arange(1, bins) / bins)) if len(confidence) else np.empty(0)
    return np.searchsorted(edges, confidence, "right").astype(np.int64)


def tally(patients: Longs, code: Longs, count: int, size: int) -> Doubles:
    """How often each patient has each code, (patients, codes)."""
    return np.bincount(patients * size + code, minlength=count * size).reshape(count, size).astype(np.float64)


def patient_sums(patients: Longs, columns: Sequence[Doubles], count: int) -> Doubles:
    """Sums per patient of values per record, (patients, columns)."""
    return np.stack([np.bincount(patients, column, minlength=count) for column in columns], axis=1).astype(np.float64)


def bin_sums(patients: Longs, bins: Longs, confidence: Doubles, right: npt.NDArray[np.bool_], count: int) -> Doubles:
    """Confidence minus truth per patient and bin, then the number of predictions, (patients, 1 + bins)."""
    gap = np.bincount(patients * BINS + bins, confidence - right, minlength=count * BINS).reshape(count, BINS)
    return np.column_stack([gap, np.bincount(patients, minlength=count)])


def calibration_error(sums: Doubles) -> Doubles:
    """From the columns of `bin_sums`, (resamples, 1 + bins) → (resamples,)."""
    return ratio(np.abs(sums[:, :BINS]).sum(axis=1), sums[:, BINS])


def ratio(above: Doubles, below: Doubles) -> Doubles:
    """`above` / `below`, NaN where `below` is 0."""
    out: Doubles = np.full(np.shape(above), np.nan)
    return np.asarray(np.divide(above, below, out=out, where=below != 0), np.float64)


def class_mean(values: Doubles) -> Doubles:
    """Mean over the classes that are there, (resamples, classes) → (resamples,)."""
    known = np.isfinite(values)
    return ratio(np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))
