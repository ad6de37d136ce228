"""Agreement of measurements: intraclass correlations, Krippendorff's α of intervals, and who measures high or low.

A matrix (rows, raters) holds the values, NaN where a rater did not measure. A row is a unit, unless `unit` says which unit it
measures (a rater may then measure a unit several times).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.evidence.raters.agreement import Coefficient, bootstrap_interval

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
MAX_FIXED_RATERS = 40


@dataclass(frozen=True, kw_only=True)
class Variances:
    """Components of the two-way model value = mean + unit + rater + error: variances, not below 0."""

    unit: float
    rater: float
    error: float


def variances(values: Doubles, unit: Codes | None = None) -> Variances:
    """Variance components with raters at random (Henderson's method I; balanced data: the analysis of variance)."""
    sums = _unit_columns(values, unit).sum(axis=0)[None, :]
    found = np.maximum(_random_raters(sums, values.shape[1])[0], 0)
    return Variances(unit=float(found[0]), rater=float(found[1]), error=float(found[2]))


def icc_single(
    values: Doubles, *, unit: Codes | None = None, cluster: Codes | None = None, repeats: int = 0, seed: int = 0
) -> Coefficient:
    """ICC(2,1) of Shrout & Fleiss 1979: how far one reading by any rater agrees absolutely with another's.

    Missing readings are allowed (Gwet, Handbook of Inter-Rater Reliability, 2014, equation 9.5.2).
    """

    def single(sums: Doubles) -> Doubles:
        parts = np.maximum(_random_raters(sums, values.shape[1]), 0)
        return np.asarray(parts[:, 0] / np.where(parts.sum(axis=1) > 0, parts.sum(axis=1), np.nan))

    return _coefficient(_unit_columns(values, unit), single, cluster, repeats, seed)


def icc_average(
    values: Doubles,
    *,
    unit: Codes | None = None,
    readings: float | None = None,
    cluster: Codes | None = None,
    repeats: int = 0,
    seed: int = 0,
) -> Coefficient:
    """ICC(3,k) of Shrout & Fleiss 1979: consistency of a mean of k readings, with these raters fixed.

    Missing readings are allowed (Henderson's method III). `readings` is k; default: the harmonic mean of the readings per unit.
    Not defined (NaN) for more than MAX_FIXED_RATERS raters, who are hardly fixed.
    """
    raters = values.shape[1]
    if raters > MAX_FIXED_RATERS:
        return Coefficient(value=float("nan"), low=float("nan"), high=float("nan"))
    columns = _unit_columns(values, unit)
    times = columns[:, 0][columns[:, 0] > 0]
    k = readings if readings is not None else float(len(times) / (1 / times).sum())
    m, s = columns[:, 6 : 6 + raters], columns[:, 6 + raters : 6 + 2 * raters]
    share = m / np.maximum(columns[:, :1], 1)
    crossed = (share[:, :, None] * m[:, None, :]).reshape(len(m), -1)
    adjusted = s - share * columns[:, 3:4]

    def average(sums: Doubles) -> Doubles:
        unit_part, error = _fixed_raters(sums, raters)
        whole = unit_part + error / k
        return np.asarray(unit_part / np.where(whole > 0, whole, np.nan))

    return _coefficient(np.column_stack([columns, adjusted, crossed]), average, cluster, repeats, seed)


def interval_alpha(values: Doubles, *, cluster: Codes | None = None, repeats: int = 0, seed: int = 0) -> Coefficient:
    """Krippendorff's α with squared differences of the values themselves, however many different ones there are."""
    there = ~np.isnan(values)
    times = there.sum(axis=1)
    paired = times >= 2
    if not paired.any():
        return Coefficient(value=float("nan"), low=float("nan"), high=float("nan"))
    x = np.where(there, values - np.nanmean(values), 0.0)[paired]
    n = times[paired].astype(np.float64)
    total, squares = x.sum(axis=1), (x**2).sum(axis=1)
    columns = np.column_stack([n, total, squares, 2 * (n * squares - total**2) / (n - 1)])

    def alpha(sums: Doubles) -> Doubles:
        pairable = sums[:, 0]
        expected = 2 * (pairable * sums[:, 2] - sums[:, 1] ** 2) / np.maximum(pairable - 1, 1e-300)
        return np.asarray(np.where(expected > 0, 1 - sums[:, 3] / np.where(expected > 0, expected, 1), np.nan))

    inside = None if cluster is None else cluster[paired]
    return _coefficient(columns, alpha, inside, repeats, seed)


def _unit_columns(values: Doubles, unit: Codes | None) -> Doubles:
    """What the quadratic forms of the model need of each unit; shape (units, 7 + 3 raters).

    n, n², Σ(n per rater)²/n, total, Σ squares, total²/n, per rater: n, total, n²; and whether it was read.
    """
    there = (~np.isnan(values)).astype(np.float64)
    x = np.where(there > 0, values - np.nanmean(values), 0.0)
    squares = (x**2).sum(axis=1)
    if unit is not None:
        units = int(unit.max()) + 1
        there, x = (_added(part, unit, units) for part in (there, x))
        squares = np.bincount(unit, squares, minlength=units)
    n, total = there.sum(axis=1), x.sum(axis=1)
    safe = np.maximum(n, 1)
    own = (there**2).sum(axis=1) / safe
    return np.column_stack([n, n**2, own, total, squares, total**2 / safe, there, x, there**2, n > 0])


def _added(rows: Doubles, unit: Codes, units: int) -> Doubles:
    return np.stack([np.bincount(unit, column, minlength=units) for column in rows.T], axis=1)


def _random_raters(sums: Doubles, raters: int) -> Doubles:
    """Column sums (resamples, columns) → variances of unit, rater, error; NaN where they cannot be told."""
    n, squared, within, total, squares, by_unit = (sums[:, i] for i in range(6))
    times, per_rater, repeated = (sums[:, 6 + k * raters : 6 + (k + 1) * raters] for k in range(3))
    units, active, safe = sums[:, 6 + 3 * raters], (times > 0).sum(axis=1), np.maximum(n, 1)
    by_rater, inside = _over(per_rater**2, times), _over(repeated, times)
    mean, u0, r0 = total**2 / safe, squared / safe, (times**2).sum(axis=1) / safe
    # Expectations of Σy², Σ unit totals²/n and Σ rater totals²/n, each less T²/N, in the three variances.
    left = np.stack(
        [
            np.stack([n - u0, n - r0, n - 1], axis=1),
            np.stack([n - u0, within - r0, units - 1], axis=1),
            np.stack([inside - u0, n - r0, active - 1.0], axis=1),
        ],
        axis=1,
    )
    right = np.stack([squares - mean, by_unit - mean, by_rater - mean], axis=1)
    solvable = np.abs(np.linalg.det(left)) > 1e-9
    found = np.full((len(sums), 3), np.nan)
    found[solvable] = np.linalg.solve(left[solvable], right[solvable][:, :, None])[:, :, 0]
    return found


def _fixed_raters(sums: Doubles, raters: int) -> tuple[Doubles, Doubles]:
    """Column sums with the adjusted totals and the crossed numbers appended → variances of unit and error, not below 0."""
    n, squares, by_unit = sums[:, 0], sums[:, 4], sums[:, 5]
    times, per_rater, repeated = (sums[:, 6 + k * raters : 6 + (k + 1) * raters] for k in range(3))
    units, active = sums[:, 6 + 3 * raters], (times > 0).sum(axis=1)
    adjusted = sums[:, 7 + 3 * raters : 7 + 4 * raters]
    crossed = sums[:, 7 + 4 * raters :].reshape(len(sums), raters, raters)
    normal = np.einsum("br,rs->brs", times, np.eye(raters)) - crossed
    fitted = by_unit + np.einsum("br,brs,bs->b", adjusted, np.linalg.pinv(normal, hermitian=True), adjusted)
    freedom = n - units - active + 1
    error = np.where(freedom > 0, (squares - fitted) / np.maximum(freedom, 1), np.nan)
    left = n - _over(repeated, times)
    unit = (fitted - _over(per_rater**2, times) - (units - 1) * error) / np.where(left > 0, left, np.nan)
    return np.maximum(unit, 0), np.maximum(error, 0)


def _over(part: Doubles, times: Doubles) -> Doubles:
    return np.asarray(np.divide(part, times, out=np.zeros_like(part), where=times > 0).sum(axis=1))


def _coefficient(
    columns: Doubles, statistic: Callable[[Doubles], Doubles], cluster: Codes | None, repeats: int, seed: int
) -> Coefficient:
    value = float(statistic(columns.sum(axis=0)[None, :])[0])
    if repeats == 0 or np.isnan(value):
        return Coefficient(value=value, low=float("nan"), high=float("nan"))
    low, high = bootstrap_interval(columns, statistic, value=value, cluster=cluster, repeats=repeats, seed=seed)
    return Coefficient(value=value, low=low, high=high)
