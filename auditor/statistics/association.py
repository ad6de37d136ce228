"""How well one field tells a class from the rest: grouped out-of-fold prediction, AUC from counts, Cramér's V.

Everything is computed from the counts of (stratum, fold, code, class), never from rows: 1,000,000 records cost one
`bincount`. The AUC is taken inside each fold and averaged by the number of pairs: pooling scores over folds would
push a null field below .5, because a fold with many cases leaves few to train on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.statistics.coding import CodedField
from auditor.statistics.targets import Targets

Floats = npt.NDArray[np.float64]

PRIOR_CASES = 1.0
NEIGHBOUR_REACH = 5.0
SMOOTHED_BINS = 8


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Counts of one field.

    Args:
        positive, total: float64, shape (classes, strata, folds, codes): records of the class, and of known label.
        cell: int64, shape (records,): index into the last three axes, flattened.
    """

    positive: Floats
    total: Floats
    cell: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Association:
    """Out-of-fold prediction of every class by one field.

    Args:
        rates: predicted rate, shape (classes, strata, folds, codes).
        auc: one against the rest, shape (classes,); NaN where no fold has both sides.
        below, above: for each cell, the share of negatives of its fold that score lower (ties half) and of positives
            that score higher; the placements of DeLong. Shape of `rates`.
        weight: share of a fold's pairs among all pairs, shape (classes, strata, folds).
    """

    rates: Floats
    auc: Floats
    below: Floats
    above: Floats
    weight: Floats


def count_cells(
    field: CodedField,
    targets: Targets,
    fold: npt.NDArray[np.int8],
    *,
    folds: int,
    strata: npt.NDArray[np.int64] | None = None,
) -> Counts:
    """Count records by class, stratum, fold and code.

    Args:
        fold: fold of each record, shape (records,).
        strata: stratum of each record; None is one stratum.
    """
    groups = 1 if strata is None else int(strata.max()) + 1
    block = fold.astype(np.int64) if strata is None else strata * folds + fold
    cell = block * field.size + field.codes
    length = groups * folds * field.size
    shape = (groups, folds, field.size)
    uniform = targets.uniform
    positive = np.empty((len(targets.names), *shape))
    total = np.empty_like(positive)
    for c in range(len(targets.names)):
        positive[c] = np.bincount(cell[targets.positive[:, c]], minlength=length).reshape(shape)
        if c == 0 or not uniform:
            total[c] = np.bincount(cell[targets.known[:, c]], minlength=length).reshape(shape)
        else:
            total[c] = total[0]
    return Counts(positive=positive, total=total, cell=cell)


def out_of_fold_rates(positive: Floats, total: Floats, field: CodedField) -> Floats:
    """Rate of the class per code, learnt from the other folds and shrunk; shape (…, folds, codes).

    Categories shrink to the class's prevalence in the other folds, so a code that they do not know predicts nothing.
    Bins of a number shrink to their neighbours, and keep their own rate as far as the bins scatter more than chance allows.
    """
    cases = positive.sum(axis=-2, keepdims=True) - positive
    seen = total.sum(axis=-2, keepdims=True) - total
    prior = cases.sum(axis=-1, keepdims=True) / np.maximum(seen.sum(axis=-1, keepdims=True), 1.0)
    bins = field.size - (field.missing >= 0)
    if not field.ordered or bins <= SMOOTHED_BINS:
        return np.asarray((cases + PRIOR_CASES * prior) / (seen + PRIOR_CASES))
    position = np.arange(field.size)
    kernel = np.exp(-0.5 * ((position[:, None] - position[None, :]) / NEIGHBOUR_REACH) ** 2)
    if field.missing >= 0:
        kernel[field.missing, :] = 0.0
        kernel[:, field.missing] = 0.0
    near = (cases @ kernel + PRIOR_CASES * prior) / (seen @ kernel + PRIOR_CASES)
    # Beta-binomial by moments: how much more the bins scatter around their neighbours than chance would make them.
    spread = near * (1 - near)
    surplus = ((cases - seen * near) ** 2 - seen * spread).sum(axis=-1, keepdims=True)
    scatter = np.clip(surplus / np.maximum((seen * (seen - 1) * spread).sum(axis=-1, keepdims=True), 1e-12), 1e-4, 0.5)
    strength = 1 / scatter - 1
    return np.asarray((cases + strength * near) / (seen + strength))


def associate(counts: Counts, field: CodedField) -> Association:
    """Predict out of fold and rank inside each fold."""
    return rank_cells(out_of_fold_rates(counts.positive, counts.total, field), counts.positive, counts.total - counts.positive)


def rank_cells(rates: Floats, positive: Floats, negative: Floats) -> Association:
    """AUC of scores given per cell, ties half; all arrays (classes, strata, folds, codes)."""
    order = np.argsort(rates, axis=-1, kind="stable")
    score = np.take_along_axis(rates, order, axis=-1)
    first = np.ones(score.shape, np.bool_)
    # Rates that differ by rounding alone are ties: sums in another order must not break them.
    first[..., 1:] = np.diff(score, axis=-1) > 1e-12
    last = np.ones(score.shape, np.bool_)
    last[..., :-1] = first[..., 1:]

    def middle(amount: Floats) -> Floats:
        """Amount below each cell plus half of its ties, in sorted order."""
        upto = np.cumsum(amount, axis=-1)
        start = np.maximum.accumulate(np.where(first, upto - amount, 0.0), axis=-1)
        end = np.where(last, upto, np.inf)[..., ::-1]
        end = np.minimum.accumulate(end, axis=-1)[..., ::-1]
        return np.asarray((start + end) / 2)

    lower = np.take_along_axis(negative, order, axis=-1)
    upper = np.take_along_axis(positive, order, axis=-1)
    negatives, positives = negative.sum(axis=-1), positive.sum(axis=-1)
    below, above = np.empty_like(rates), np.empty_like(rates)
    np.put_along_axis(below, order, middle(lower) / np.maximum(negatives, 1.0)[..., None], axis=-1)
    np.put_along_axis(above, order, 1.0 - middle(upper) / np.maximum(positives, 1.0)[..., None], axis=-1)
    pairs = positives * negatives
    every = pairs.sum(axis=(-2, -1))
    with np.errstate(invalid="ignore"):
        weight = pairs / every[:, None, None]
    inside = (positive * below).sum(axis=-1) / np.maximum(positives, 1.0)
    auc = np.where(every > 0, np.nansum(weight * inside, axis=(-2, -1)), np.nan)
    return Association(rates=rates, auc=auc, below=below, above=above, weight=np.nan_to_num(weight))


def cramers_v(table: npt.NDArray[np.int64] | Floats) -> float:
    """Bias-corrected Cramér's V of a contingency table (Bergsma 2013, J. Korean Stat. Soc. 42:323); 0–1."""
    observed = np.asarray(table, np.float64)
    observed = observed[observed.sum(axis=1) > 0][:, observed.sum(axis=0) > 0]
    size, (rows, columns) = observed.sum(), observed.shape
    if size <= 1 or rows < 2 or columns < 2:
        return 0.0
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / size
    phi2 = float(((observed - expected) ** 2 / expected).sum() / size)
    phi2 = max(0.0, phi2 - (rows - 1) * (columns - 1) / (size - 1))
    rows_c = rows - (rows - 1) ** 2 / (size - 1)
    columns_c = columns - (columns - 1) ** 2 / (size - 1)
    smaller = min(rows_c, columns_c) - 1
    return float(min(1.0, np.sqrt(phi2 / smaller))) if smaller > 0 else 0.0
