"""Every tail and quantile against scipy.stats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from auditor.statistics import distributions as own

Z = np.concatenate([np.linspace(-9, 9, 37), [-38.0, 38.0]])
P = np.array([1e-300, 1e-12, 1e-4, 0.025, 0.3, 0.5, 0.9, 0.975, 1 - 1e-9])


def same(found: object, expected: object, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=0)


def test_normal() -> None:
    same(own.norm.cdf(Z), stats.norm.cdf(Z))
    same(own.norm.sf(Z), stats.norm.sf(Z))
    same(own.norm.ppf(P), stats.norm.ppf(P))
    assert np.isnan(own.norm.sf(np.nan))
    for z in Z[np.abs(Z) < 38].tolist():  # single numbers go another way; at 38 SciPy says nought of 3e-316
        same(own.norm.cdf(z), stats.norm.cdf(z))
        same(own.norm.sf(z), stats.norm.sf(z))
    for p in P.tolist():
        same(own.norm.ppf(p), stats.norm.ppf(p))
    assert own.norm.ppf(0.0) == -np.inf
    assert own.norm.ppf(1.0) == np.inf
    assert np.isnan(own.norm.cdf(np.nan))
    assert np.isnan(own.norm.sf(float("nan")))
    assert np.isnan(own.norm.ppf(float("nan")))


def test_log_odds_bit_by_bit() -> None:
    for p in np.concatenate([np.random.default_rng(0).uniform(0, 1, 5000), [1e-300, 0.3, 0.5, 0.65, 1 - 1e-9]]).tolist():
        assert own.logit(p) == special.logit(p)


@pytest.mark.parametrize("df", [1, 2.5, 7, 300])
def test_student_and_chi_squared(df: float) -> None:
    same(own.t.sf(Z, df), stats.t.sf(Z, df))
    same(own.t.ppf(P[1:], df), stats.t.ppf(P[1:], df), rtol=1e-7)
    same(own.t.isf(P[1:], df), stats.t.isf(P[1:], df), rtol=1e-7)
    x = np.array([0.0, 0.1, 1.0, 9.0, 80.0, 900.0])
    same(own.chi2.sf(x, df), stats.chi2.sf(x, df))


def test_beta_binomial_and_kolmogorov() -> None:
    for wrong, reviewed in ((0, 1), (3, 40), (39, 40)):
        same(own.beta.ppf(0.95, wrong + 1, reviewed - wrong), stats.beta.ppf(0.95, wrong + 1, reviewed - wrong))
    k = np.arange(-1, 42)
    for p in (0.0, 1e-6, 0.2, 0.97, 1.0):
        same(own.binom.sf(k, 40, p), stats.binom.sf(k, 40, p), rtol=1e-8)
    x = np.array([0.0, 0.1, 0.5, 1.0, 1.36, 3.0])
    same(own.kstwobign.sf(x), stats.kstwobign.sf(x))


def test_hypergeometric() -> None:
    rng = np.random.default_rng(0)
    for _ in range(400):
        M = int(rng.integers(1, 2000))
        n, N = (int(v) for v in rng.integers(0, M + 1, 2))
        for k in (-1, *(int(v) for v in rng.integers(0, N + 2, 4)), int(N * n / M)):
            expected = float(stats.hypergeom.sf(k, M, n, N))
            assert own.hypergeom.sf(k, M, n, N) == pytest.approx(expected, rel=1e-7, abs=1e-300), (k, M, n, N)


def test_ranks() -> None:
    rng = np.random.default_rng(0)
    for values in (
        rng.integers(0, 9, 200),
        rng.normal(size=50),
        np.zeros(4),
        np.array([]),
        np.array([True, False, True]),
        np.array([1.0, np.nan]),
    ):
        np.testing.assert_array_equal(own.rankdata(values), stats.rankdata(values))
