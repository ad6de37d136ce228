"""How good each reader is: leave-one-out agreement, and a test against the other readers of the same records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.statistics.distributions import norm
from auditor.statistics.multiplicity import holm

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class RaterTest:
    """Each rater against the others, on the units that two or more read; arrays have the shape (raters,).

    Args:
        readings: readings on such units.
        informative: of these, on units with three or more readings that do not all agree: only they can tell who dissents.
        agreement: mean agreement with the other readings of the same unit.
        others: on units with three or more readings, the mean agreement of the others among themselves.
        deficit: by how much the rater's agreement with them falls short of that, on the same units.
        kappa: agreement corrected for chance, from the rater's and the others' margins.
        p: one-sided p-value that the rater agrees no less than the others do; 1 where nothing is informative.
        q: the same after Holm's correction over the raters.
    """

    readings: Codes
    informative: Codes
    agreement: Doubles
    others: Doubles
    deficit: Doubles
    kappa: Doubles
    p: Doubles
    q: Doubles


def compare_raters(unit: Codes, rater: Codes, label: Codes, counts: Doubles, similarity: Doubles, *, raters: int) -> RaterTest:
    """Compare every rater with the others.

    Under the null the readings of a unit are exchangeable between the raters who read it, however hard it is: a rater's
    agreement is a random draw from those of the unit's readings. Mean, variance and skewness of the sum follow exactly, and
    the tail from them (Cornish-Fisher). Two readings of a unit are equally far from each other: they tell nothing.

    Args:
        unit, rater, label: one entry per reading; a rater reads a unit once.
        counts: (units, classes) of all readings.
        similarity: (classes, classes), 1 on the diagonal.
        raters: number of raters.
    """
    readings = counts.sum(axis=1)
    worth = (counts @ similarity - np.diag(similarity)) / np.maximum(readings - 1, 1)[:, None]
    share = counts / np.maximum(readings, 1)[:, None]
    mean = (share * worth).sum(axis=1)
    centred = worth - mean[:, None]
    variance, third = (share * centred**2).sum(axis=1), (share * centred**3).sum(axis=1)
    used = readings[unit] >= 2
    unit, rater, label = unit[used], rater[used], label[used]
    total = np.bincount(rater, minlength=raters)

    def sums(values: Doubles) -> Doubles:
        return np.bincount(rater, values, minlength=raters).astype(np.float64)

    with np.errstate(invalid="ignore", divide="ignore"):
        own = worth[unit, label]
        agreement = sums(own) / total
        spread = np.sqrt(sums(variance[unit]))
        z = sums(own - mean[unit]) / spread
        skewness = sums(third[unit]) / spread**3
    informative = np.bincount(rater, variance[unit] > 1e-12, minlength=raters).astype(np.int64)
    adjusted = z - skewness / 6 * (z**2 - 1)
    p = np.where(informative > 0, norm.cdf(np.nan_to_num(adjusted)), 1.0)
    several = (readings[unit] >= 3).astype(np.float64)
    left = np.maximum(readings[unit] - 2, 1)
    mutual = several * (readings[unit] * mean[unit] - 2 * own) / left
    with np.errstate(invalid="ignore", divide="ignore"):
        others = sums(mutual) / sums(several)
        deficit = sums(mutual - several * own) / sums(several)
    kappa = _kappa_with_others(unit, rater, label, counts, similarity, raters, agreement)
    return RaterTest(
        readings=total.astype(np.int64),
        informative=informative,
        agreement=agreement,
        others=others,
        deficit=deficit,
        kappa=kappa,
        p=p,
        q=holm(p),
    )


def _kappa_with_others(
    unit: Codes, rater: Codes, label: Codes, counts: Doubles, similarity: Doubles, raters: int, agreement: Doubles
) -> Doubles:
    classes = counts.shape[1]
    given = np.bincount(rater * classes + label, minlength=raters * classes).reshape(raters, classes)
    rest: Doubles = counts[unit].astype(np.float64)
    rest[np.arange(len(label)), label] -= 1
    rest = rest / rest.sum(axis=1, keepdims=True)
    others = np.stack([np.bincount(rater, rest[:, c], minlength=raters) for c in range(classes)], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        own, theirs = given / given.sum(axis=1, keepdims=True), others / others.sum(axis=1, keepdims=True)
        chance = ((own @ similarity) * theirs).sum(axis=1)
        return np.asarray(np.where(chance < 1 - 1e-12, (agreement - chance) / (1 - chance), np.nan))
