"""Do readers err more as they tire? Tests that take out how hard each case is, with the power for the published effect.

Worklists are not random: a trend of the errors may be a trend of the cases. So both the error and what is tested (session,
position, hour) are first freed of what the record and the reader explain; what is left compares readings of the *same* records.
Trends are tested by permuting within session, sessions by flipping the two sessions of a reader.

Published effect (Krupinski et al., Journal of the American College of Radiology 2010): AUC .885 before and .852 after a day of
reading, 40 readers, 60 cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.statistics.distributions import kstwobign, norm, t
from auditor.statistics.multiplicity import holm

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
PUBLISHED_AUC = (0.885, 0.852)
PUBLISHED_ERROR = 0.0320
"""The same in errors: of two equal normal distributions with these AUC, the best cut is right in .802 and .770."""
MIN_RATERS = 6
FLIPS = 9_999
PERMUTATIONS = 999
MAX_SHUFFLED = 20_000_000
ROUNDS = 60


@dataclass(frozen=True, kw_only=True)
class DriftTest:
    """One effect on the error.

    Args:
        effect: rise of the error from the earlier to the later session, or from the first to the last position.
        low, high: its 95 % interval.
        p: two-sided.
        power: probability of p ≤ level if the effect were the published one.
        readings: that tell anything.
    """

    effect: float
    low: float
    high: float
    p: float
    power: float
    readings: int


def published_effect(*, auc: bool) -> float:
    """The published rise of the error, in the unit of the error."""
    return PUBLISHED_AUC[0] - PUBLISHED_AUC[1] if auc else PUBLISHED_ERROR


def session_effect(
    error: Doubles, later: Doubles, record: Codes, rater: Codes, *, expected: float, level: float = 0.05, seed: int = 0
) -> DriftTest | None:
    """Effect of `later` (0 or 1, or hours) by flipping its sign within raters.

    Under the null a reader's difference between the sessions, on the same records, is as likely above as below zero.

    Returns:
        None where it cannot be told: fewer than MIN_RATERS raters with both, or no record was read in both.
    """
    e, x = (_freed(v, record, rater) for v in (error, later))
    if _explained(x, later):
        return None
    each = np.bincount(rater, x * e)
    share = np.bincount(rater, x * x)
    each, share = each[share > 1e-9], share[share > 1e-9]
    if len(each) < MIN_RATERS:
        return None
    rng = np.random.default_rng(seed)
    observed = abs(each.sum())
    hits, step = 0, max(1, MAX_SHUFFLED // len(each))
    for start in range(0, FLIPS, step):
        signs = rng.integers(0, 2, (min(step, FLIPS - start), len(each))) * 2 - 1
        hits += int((np.abs(signs @ each) >= observed - 1e-12).sum())
    total = float(share.sum())
    effect = float(each.sum()) / total
    spread = float(np.sqrt(((each - effect * share) ** 2).sum() * len(each) / (len(each) - 1))) / total
    quantile = float(t.ppf(0.975, len(each) - 1))
    return DriftTest(
        effect=effect, low=effect - quantile * spread, high=effect + quantile * spread, p=(hits + 1) / (FLIPS + 1),
        power=_power(expected, spread, float(t.ppf(1 - level / 2, len(each) - 1))), readings=int((np.abs(x) > 1e-9).sum()),
    )  # fmt: skip


def session_trend(
    error: Doubles, position: Doubles, record: Codes, session: Codes, *, expected: float, level: float = 0.05, seed: int = 0
) -> DriftTest | None:
    """Effect of the position (0 first, 1 last) by permuting within session.

    Returns:
        None where it cannot be told: all readers read the records in the same order, or each record was read once.
    """
    known = ~np.isnan(position)
    if known.sum() < 20:
        return None
    error, position, record, session = error[known], position[known], record[known], session[known]
    e, x = (_freed(v, record, session) for v in (error, position))
    freedom = len(e) - len(np.unique(record)) - len(np.unique(session)) + 1
    if _explained(x, position) or freedom < 10:
        return None
    # What record and session explain is gone from the residuals, and with it that share of their variance: what is permuted
    # is scaled up. Divided by its own spread, the sum is not misled by cases that are both late and uncertain.
    whole = e * np.sqrt(len(e) / freedom)
    informative = float((x * x).sum())
    spread = float(np.sqrt((x**2 * whole**2).sum()))
    if spread == 0:
        return None
    observed = abs(float(x @ e)) / spread
    if len(e) * PERMUTATIONS <= MAX_SHUFFLED:
        rng = np.random.default_rng(seed)
        order = np.argsort(session, kind="stable")
        group, xs, es = session[order], x[order], whole[order]
        hits = 0
        for _ in range(PERMUTATIONS):
            drawn = es[np.lexsort((rng.random(len(es)), group))]
            hits += abs(float(xs @ drawn)) >= (observed - 1e-12) * float(np.sqrt((xs**2 * drawn**2).sum()))
        p = (hits + 1) / (PERMUTATIONS + 1)
    else:
        p = float(2 * norm.sf(observed))
    effect, width = float(x @ e) / informative, spread / informative
    return DriftTest(
        effect=effect, low=effect - 1.96 * width, high=effect + 1.96 * width, p=p,
        power=_power(expected, width, float(norm.ppf(1 - level / 2))), readings=len(e),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RaterCusum:
    """Cumulated sum of the errors beyond what the records explain, in the order of reading.

    Args:
        rater: code.
        readings: number.
        peak: largest distance from the straight line, in standard deviations of the sum.
        at: reading after which it is reached.
        p: chance of such a peak without drift (Kolmogorov); q: after Holm over the raters.
        path: the sum after each reading, in excess errors.
    """

    rater: int
    readings: int
    peak: float
    at: int
    p: float
    q: float
    path: Doubles


def cusums(error: Doubles, order: Doubles, record: Codes, rater: Codes, *, least: int = 30) -> list[RaterCusum]:
    """CUSUM of every rater with `least` readings in known order on records that others read too."""
    shared = np.bincount(record)[record] >= 2
    known = ~np.isnan(order) & shared
    if not known.any():
        return []
    residual = error - (np.bincount(record, error) / np.maximum(np.bincount(record), 1))[record]
    found: list[tuple[int, int, float, int, float, Doubles]] = []
    for own in np.unique(rater[known]):
        inside = np.flatnonzero(known & (rater == own))
        if len(inside) < least:
            continue
        r = residual[inside[np.argsort(order[inside], kind="stable")]]
        r = r - r.mean()
        deviation = float(r.std(ddof=1))
        if deviation == 0:
            continue
        path = np.cumsum(r)
        scaled = np.abs(path) / (deviation * np.sqrt(len(r)))
        at = int(scaled.argmax())
        found.append((int(own), len(r), float(scaled[at]), at + 1, float(kstwobign.sf(scaled[at])), path))
    q = holm(np.array([p for *_, p, _ in found])) if found else np.array([])
    return [
        RaterCusum(rater=own, readings=n, peak=peak, at=at, p=p, q=float(corrected), path=path)
        for (own, n, peak, at, p, path), corrected in zip(found, q, strict=True)
    ]


def _freed(values: Doubles, first: Codes, second: Codes) -> Doubles:
    """Residuals of an additive model of two groupings, by alternating projections."""
    one, two = np.maximum(np.bincount(first), 1), np.maximum(np.bincount(second), 1)
    left = values - values.mean()
    for _ in range(ROUNDS):
        before = left
        left = left - (np.bincount(first, left) / one)[first]
        left = left - (np.bincount(second, left) / two)[second]
        if float(np.abs(left - before).max()) < 1e-10:
            break
    return np.asarray(left)


def _explained(residual: Doubles, values: Doubles) -> bool:
    """Record and reader tell the covariate (nearly) exactly: nothing is left to compare."""
    return float((residual**2).sum()) < 1e-3 * float(((values - values.mean()) ** 2).sum()) or float(np.ptp(values)) == 0


def _power(effect: float, error: float, quantile: float) -> float:
    if error <= 0:
        return 1.0
    return float(norm.sf(quantile - effect / error) + norm.cdf(-quantile - effect / error))
