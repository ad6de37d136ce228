"""How sure an AUC is: Obuchowski's clustered variance, the patient bootstrap, and the effect that could have been seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.statistics.association import Association, Counts, Floats, associate, out_of_fold_rates, rank_cells
from auditor.statistics.coding import CodedField
from auditor.statistics.distributions import norm, rankdata
from auditor.statistics.sparse import small_or_sparse

__all__ = ["bootstrap_interval", "clustered_error", "detectable_auc", "logit_interval", "obuchowski_variance", "surest"]

DRAWN_EACH = 10_000
"""So many patients are drawn each for itself, all the same."""
AT_ONCE = 4_000_000
"""Weights that are held at once."""


def obuchowski_variance(score: Floats, positive: npt.NDArray[np.bool_], cluster: npt.NDArray[np.int64]) -> tuple[float, float]:
    """AUC and its variance when records of one patient depend on each other (Obuchowski 1997, Biometrics 53:567).

    Args:
        score: shape (records,), higher = more likely positive.
        positive: shape (records,).
        cluster: patient index, shape (records,).

    Returns:
        (AUC, variance of the AUC).
    """
    ranks = rankdata(score)
    m, n = int(positive.sum()), int((~positive).sum())
    v10 = (ranks[positive] - rankdata(score[positive])) / n
    v01 = 1.0 - (ranks[~positive] - rankdata(score[~positive])) / m
    auc = float(v10.mean())
    count = int(cluster.max()) + 1
    sums10 = np.bincount(cluster[positive], weights=v10 - auc, minlength=count)
    sums01 = np.bincount(cluster[~positive], weights=v01 - auc, minlength=count)
    with10 = np.unique(cluster[positive]).size
    with01 = np.unique(cluster[~positive]).size
    both = np.unique(cluster).size
    s10 = with10 / max(1, (with10 - 1) * m) * float((sums10**2).sum())
    s01 = with01 / max(1, (with01 - 1) * n) * float((sums01**2).sum())
    s11 = both / max(1, both - 1) * float((sums10 * sums01).sum())
    return auc, s10 / m + s01 / n + 2 * s11 / (m * n)


def clustered_error(
    association: Association,
    counts: Counts,
    index: int,
    *,
    positive: npt.NDArray[np.bool_],
    known: npt.NDArray[np.bool_],
    clusters: npt.NDArray[np.int64],
    patients: int,
) -> float:
    """Standard error of the within-fold AUC of class `index`: the patients' influence, summed per patient, squared.

    Obuchowski's variance for the pair-weighted mean over folds, without his factors I/(I−1) per side (one common factor
    instead). The predictor is taken as given.
    """
    cases = counts.positive[index]
    others = counts.total[index] - cases
    weight = association.weight[index]
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = (cases * association.below[index]).sum(-1) / cases.sum(-1)
        up = (association.below[index] - inside[..., None]) * (weight / cases.sum(-1))[..., None]
        down = (association.above[index] - inside[..., None]) * (weight / others.sum(-1))[..., None]
    up, down = np.nan_to_num(up).ravel(), np.nan_to_num(down).ravel()
    value = np.where(positive, up[counts.cell], down[counts.cell])
    value[~known] = 0.0
    sums = np.bincount(clusters, weights=value, minlength=patients)
    return float(np.sqrt(patients / max(1, patients - 1) * (sums**2).sum()))


def surest(patients: int, *, level: float = 0.95) -> float:
    """The highest lower end that so few patients on the smaller side can support: none of m misjudged → α/2^(1/m)."""
    return float(((1 - level) / 2) ** (1 / max(1, patients)))


def logit_interval(auc: float, error: float, *, smaller_side: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of an AUC on the logit scale, inside 0–1; `smaller_side` = patients with, or without, the class."""
    z = float(norm.ppf(0.5 + level / 2))
    if 0 < auc < 1 and error > 0:
        centre, width = np.log(auc / (1 - auc)), z * error / (auc * (1 - auc))
        low, high = (float(1 / (1 + np.exp(-np.clip(v, -700, 700)))) for v in (centre - width, centre + width))
    else:
        low, high = auc, auc
    bound = surest(smaller_side, level=level)
    return min(low, bound), max(high, 1 - bound)


def bootstrap_interval(
    field: CodedField,
    counts: Counts,
    index: int,
    *,
    positive: npt.NDArray[np.bool_],
    known: npt.NDArray[np.bool_],
    clusters: npt.NDArray[np.int64],
    patients: int,
    smaller_side: int,
    resamples: int = 400,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Bootstrap interval of the out-of-fold AUC of class `index`, patients drawn with replacement (Poisson weights).

    Each resample learns the rates anew; a patient stays in its fold, so copies never meet across folds. Of many patients, those
    with one record each are drawn by the cell: the sum of n Poisson weights of mean 1 is one of mean n.
    """
    shape = counts.total.shape[1:]
    length = int(np.prod(shape))
    rows = np.flatnonzero(known)
    entry = counts.cell[rows] + length * positive[rows].astype(np.int64)
    together = np.zeros(2 * length, np.int64)
    who = clusters[rows]
    if patients > DRAWN_EACH:
        alone = np.bincount(who, minlength=patients)[who] == 1
        together = np.bincount(entry[alone], minlength=2 * length)
        entry, who = entry[~alone], np.unique(who[~alone], return_inverse=True)[1]
        patients = int(who.max(initial=-1)) + 1
    table = small_or_sparse(np.ones(len(entry), np.float32), entry, who, (2 * length, patients))
    generator = np.random.default_rng(seed)
    found: list[Floats] = []
    batch = int(max(10, min(resamples, AT_ONCE // max(patients, 2 * length))))
    for start in range(0, resamples, batch):
        size = min(batch, resamples - start)
        weights = generator.poisson(1.0, (patients, size)).astype(np.float32)
        sums = np.asarray(table @ weights, np.float64)
        if together.any():
            sums += generator.poisson(together[:, None], (2 * length, size))
        drawn = sums.T.reshape(-1, 2, *shape)
        negative, cases = drawn[:, 0], drawn[:, 1]
        rates = out_of_fold_rates(cases, cases + negative, field)
        found.append(rank_cells(rates, cases, negative).auc)
    own = Counts(positive=counts.positive[[index]], total=counts.total[[index]], cell=counts.cell)
    estimate = float(associate(own, field).auc[0])
    auc = np.clip(np.concatenate(found), 1e-6, 1 - 1e-6)
    # A resample has fewer different patients to learn from and is a little worse: only its spread is used, on the logit scale.
    logits = np.log(auc / (1 - auc))
    centre = np.clip(estimate, 1e-6, 1 - 1e-6)
    shift = np.log(centre / (1 - centre)) - np.nanmedian(logits)
    low, high = 1 / (1 + np.exp(-(np.nanpercentile(logits, [50 * (1 - level), 50 * (1 + level)]) + shift)))
    bound = surest(smaller_side, level=level)
    return float(min(low, bound, estimate)), float(max(high, 1 - bound, estimate))


def detectable_auc(cases: int, others: int, *, tests: int, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest AUC that a test among `tests` would have seen with this power.

    Normal approximation with the null variance of the rank-sum (Hanley & McNeil 1982); `cases` and `others` are
    patients, so that a property and a label that are constant per patient are covered. Bonferroni, so a little high.
    """
    if min(cases, others) < 1:
        return 1.0
    error = np.sqrt((cases + others + 1) / (12 * cases * others))
    z = norm.ppf(1 - alpha / (2 * max(1, tests))) + norm.ppf(power)
    return float(min(1.0, 0.5 + z * error))
