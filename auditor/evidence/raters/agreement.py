"""How far readers agree: percent, Cohen's, Fleiss' and weighted κ, Krippendorff's α, Gwet's AC1 and AC2, each with an interval.

Everything works on a matrix of counts, units × classes: how many readings of a unit chose a class. All coefficients have the
form (A − E) / (1 − E): observed agreement A, a mean over units, and E, what chance alone would give, from the margins.
Disagreement may be graded: `similarity` (classes, classes) is 1 on the diagonal and says how much of an agreement a pair is.
Intervals are by bootstrap over units, or over clusters of units (`cluster`: patient of each unit, indices from 0), corrected
for bias and skewness (BCa, Efron 1987; the acceleration is that of the jackknife).

Sources: Cohen 1960, 1968; Fleiss 1971; Krippendorff, Computing Krippendorff's alpha-reliability, 2011; Gwet 2008, 2014.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from auditor.statistics.distributions import norm

Metric = Literal["nominal", "ordinal", "interval", "ratio"]
Weights = Literal["none", "linear", "quadratic"]
Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
BOOTSTRAP_CELLS = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """One coefficient of agreement, with its 95 % interval by bootstrap over units. NaN where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What a coefficient needs of each unit, so that a resample of units is a weighted sum.

    Args:
        weight: (units,): the unit's share in the observed agreement.
        agreement: (units,): the same, times the unit's agreement.
        margins: (units, classes): what the unit adds to the margins.
    """

    weight: Doubles
    agreement: Doubles
    margins: Doubles


def count_readings(unit: Codes, label: Codes, *, units: int, classes: int) -> Doubles:
    """Counts (units, classes) of readings; negative labels are missing."""
    known = label >= 0
    flat = np.bincount(unit[known] * classes + label[known], minlength=units * classes)
    return flat.reshape(units, classes).astype(np.float64)


def similarity_matrix(counts: Doubles, metric: Metric, values: Doubles | None = None) -> Doubles:
    """1 − δ² / max δ² of Krippendorff's metrics, shape (classes, classes).

    Args:
        counts: (units, classes); ordinal distances depend on how often each grade was given.
        metric: nominal, ordinal, interval, ratio.
        values: the number behind each class (interval, ratio).

    Raises:
        ValueError: interval or ratio without values.
    """
    classes = counts.shape[1]
    if metric == "nominal":
        return np.eye(classes)
    if metric == "ordinal":
        margins = counts[counts.sum(axis=1) >= 2].sum(axis=0)
        middle = np.cumsum(margins) - margins / 2
        distance = np.abs(middle[:, None] - middle[None, :])
    else:
        if values is None:
            raise ValueError(f"the {metric} metric needs the number behind each class")
        distance = np.abs(values[:, None] - values[None, :])
        if metric == "ratio":
            total = np.abs(values[:, None] + values[None, :])
            distance = np.divide(distance, total, out=np.zeros_like(distance), where=total > 0)
    return np.asarray(1 - distance**2 / max(float(distance.max()), 1e-300) ** 2)


def weight_matrix(classes: int, weights: Weights) -> Doubles:
    """Weights of weighted κ: 1 − |i − j| / (k − 1), or squared."""
    if weights == "none" or classes < 2:
        return np.eye(classes)
    distance = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes))) / (classes - 1)
    return np.asarray(1 - (distance if weights == "linear" else distance**2))


def percent_agreement(counts: Doubles, similarity: Doubles | None = None) -> float:
    """Share of agreeing pairs of readings, mean over units with two or more."""
    return percent(counts, similarity).value


def percent(
    counts: Doubles, similarity: Doubles | None = None, *, cluster: Codes | None = None, repeats: int = 0, seed: int = 0
) -> Coefficient:
    """`percent_agreement` with its interval."""
    return _with_interval(_unit_sums(counts, _or_identity(counts, similarity)), _no_chance, repeats, seed, cluster)


def cohen_kappa(first: Codes, second: Codes, *, classes: int, weights: Weights = "none") -> float:
    """Cohen's κ of two raters over the units that both read (negative = missing); linear or quadratic weights."""
    both = (first >= 0) & (second >= 0)
    if not both.any():
        return float("nan")
    table = np.bincount(first[both] * classes + second[both], minlength=classes**2).reshape(classes, classes) / both.sum()
    similarity = weight_matrix(classes, weights)
    expected = float((np.outer(table.sum(axis=1), table.sum(axis=0)) * similarity).sum())
    return _corrected(float((table * similarity).sum()), expected)


def fleiss_kappa(
    counts: Doubles, *, weights: Weights = "none", cluster: Codes | None = None, repeats: int = 0, seed: int = 0
) -> Coefficient:
    """Fleiss' κ, also with graded weights and with differing numbers of readings (units with one are left out)."""
    similarity = weight_matrix(counts.shape[1], weights)
    return _with_interval(_unit_sums(counts, similarity), partial(_fleiss_chance, similarity), repeats, seed, cluster)


def krippendorff_alpha(
    counts: Doubles,
    metric: Metric = "nominal",
    *,
    values: Doubles | None = None,
    similarity: Doubles | None = None,
    cluster: Codes | None = None,
    repeats: int = 0,
    seed: int = 0,
) -> Coefficient:
    """Krippendorff's α; missing readings are simply absent. The distances of the metric stay fixed in the bootstrap.

    `similarity` (classes, classes) replaces that of `metric` (sets of labels: Jaccard).
    """
    alike = similarity_matrix(counts, metric, values) if similarity is None else similarity
    return _with_interval(_pairable_sums(counts, alike), partial(_alpha_chance, alike), repeats, seed, cluster)


def gwet_ac1(counts: Doubles, *, cluster: Codes | None = None, repeats: int = 0, seed: int = 0) -> Coefficient:
    """Gwet's AC1, which does not collapse where one class is nearly always right."""
    return gwet_ac2(counts, np.eye(counts.shape[1]), cluster=cluster, repeats=repeats, seed=seed)


def gwet_ac2(
    counts: Doubles, similarity: Doubles, *, cluster: Codes | None = None, repeats: int = 0, seed: int = 0
) -> Coefficient:
    """Gwet's AC2: AC1 with graded agreement (`weight_matrix(classes, "quadratic")` for grades)."""
    sums = _unit_sums(counts, similarity)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    read = counts.sum(axis=1) > 0
    kept = Sums(weight=sums.weight[read], agreement=sums.agreement[read], margins=share[read])
    inside = None if cluster is None else cluster[read]
    return _with_interval(kept, partial(_gwet_chance, similarity), repeats, seed, inside)


def _or_identity(counts: Doubles, similarity: Doubles | None) -> Doubles:
    return np.eye(counts.shape[1]) if similarity is None else similarity


def _agreeing_pairs(counts: Doubles, similarity: Doubles) -> Doubles:
    """Ordered pairs of different readings of a unit, each counted by its similarity; shape (units,)."""
    return np.asarray(((counts @ similarity) * counts).sum(axis=1) - counts @ np.diag(similarity))


def _unit_sums(counts: Doubles, similarity: Doubles) -> Sums:
    """Every unit counts once (Fleiss, Gwet)."""
    readings = counts.sum(axis=1)
    paired = readings >= 2
    agreement = np.divide(
        _agreeing_pairs(counts, similarity), readings * (readings - 1), out=np.zeros(len(counts)), where=paired
    )
    return Sums(weight=paired.astype(np.float64), agreement=agreement, margins=counts * paired[:, None])


def _pairable_sums(counts: Doubles, similarity: Doubles) -> Sums:
    """Every pairable reading counts once (Krippendorff)."""
    readings = counts.sum(axis=1)
    paired = readings >= 2
    agreement = np.divide(_agreeing_pairs(counts, similarity), readings - 1, out=np.zeros(len(counts)), where=paired)
    return Sums(weight=readings * paired, agreement=agreement, margins=counts * paired[:, None])


def _fleiss_chance(similarity: Doubles, margins: Doubles) -> Doubles:
    share = margins / np.maximum(margins.sum(axis=-1, keepdims=True), 1e-300)
    return np.asarray(((share @ similarity) * share).sum(axis=-1))


def _alpha_chance(similarity: Doubles, margins: Doubles) -> Doubles:
    total = margins.sum(axis=-1)
    pairs = ((margins @ similarity) * margins).sum(axis=-1) - margins @ np.diag(similarity)
    return np.asarray(pairs / np.maximum(total * (total - 1), 1e-300))


def _gwet_chance(similarity: Doubles, margins: Doubles) -> Doubles:
    share = margins / np.maximum(margins.sum(axis=-1, keepdims=True), 1e-300)
    classes = margins.shape[-1]
    graded = similarity.sum() / max(classes * (classes - 1), 1)
    return np.asarray(graded * (share * (1 - share)).sum(axis=-1))


def _no_chance(margins: Doubles) -> Doubles:
    return np.zeros(margins.shape[:-1])


def _with_interval(
    sums: Sums, chance: Callable[[Doubles], Doubles], repeats: int, seed: int, cluster: Codes | None = None
) -> Coefficient:
    total = float(sums.weight.sum())
    if total == 0:
        return Coefficient(value=float("nan"), low=float("nan"), high=float("nan"))
    value = _corrected(float(sums.agreement.sum()) / total, float(chance(sums.margins.sum(axis=0))))
    if repeats == 0 or np.isnan(value):
        return Coefficient(value=value, low=float("nan"), high=float("nan"))
    columns = np.column_stack([sums.weight, sums.agreement, sums.margins])

    def coefficient(resampled: Doubles) -> Doubles:
        expected = chance(resampled[:, 2:])
        usable = (resampled[:, 0] > 0) & (expected < 1 - 1e-12)
        observed = resampled[:, 1] / np.maximum(resampled[:, 0], 1e-300)
        return np.where(usable, (observed - expected) / np.where(usable, 1 - expected, 1), np.nan)

    low, high = bootstrap_interval(columns, coefficient, value=value, cluster=cluster, repeats=repeats, seed=seed)
    return Coefficient(value=value, low=low, high=high)


def bootstrap_interval(
    columns: Doubles,
    statistic: Callable[[Doubles], Doubles],
    *,
    value: float,
    cluster: Codes | None = None,
    repeats: int,
    seed: int,
    level: float = 0.95,
) -> tuple[float, float]:
    """BCa interval of a statistic that depends on column sums over units alone.

    Args:
        columns: (units, columns).
        statistic: column sums of resamples, shape (resamples, columns) → (resamples,); NaN where it is not defined.
        value: the statistic of all units.
        cluster: index of the cluster of each unit; units of a cluster are drawn together.
        repeats: resamples.
        seed: of the resampling.
    """
    if cluster is not None:
        names, inverse = np.unique(cluster, return_inverse=True)
        columns = np.stack([np.bincount(inverse, c, minlength=len(names)) for c in columns.T], axis=1)
    rng = np.random.default_rng(seed)
    # Units with the same sums are drawn together: few different patterns stand for many units.
    patterns, times = np.unique(columns, axis=0, return_counts=True)
    units = int(times.sum())
    step = max(1, BOOTSTRAP_CELLS // len(patterns))
    drawn: list[Doubles] = []
    for start in range(0, repeats, step):
        rows = min(step, repeats - start)
        counts = rng.multinomial(units, times / units, size=rows)
        drawn.append(statistic(counts.astype(np.float64) @ patterns))
    found = np.concatenate(drawn)
    found = found[~np.isnan(found)]
    if len(found) < max(20, repeats // 4):
        return float("nan"), float("nan")
    left_out = statistic(columns.sum(axis=0) - patterns)
    known = ~np.isnan(left_out)
    weight = times[known] / times[known].sum()
    centred = (weight * left_out[known]).sum() - left_out[known]
    spread = float((times[known] * centred**2).sum())
    skewness = float((times[known] * centred**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    below = (np.sum(found < value) + 0.5 * np.sum(found == value)) / len(found)
    bias = float(norm.ppf(np.clip(below, 1 / len(found), 1 - 1 / len(found))))
    ends = bias + norm.ppf([(1 - level) / 2, (1 + level) / 2])
    places = norm.cdf(bias + ends / np.maximum(1 - skewness * ends, 1e-6))
    low, high = np.quantile(found, places)
    return float(min(low, value)), float(max(high, value))


def _corrected(observed: float, expected: float) -> float:
    """(A − E) / (1 − E); undefined when only one class was ever used."""
    return (observed - expected) / (1 - expected) if expected < 1 - 1e-12 else float("nan")
