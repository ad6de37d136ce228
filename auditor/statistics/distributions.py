"""Tails and quantiles of the usual distributions, by `scipy.special`: `scipy.stats` takes half a second to import.

Named and called as in `scipy.stats`, of which only what is used here is there; tests hold each against it. `scipy.special` too
takes a fifth of a second, and is imported when the first of them is asked for. Single numbers of the normal distribution, which
most scans ask for and nothing else, come from the standard library.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Numbers = npt.ArrayLike
"""A number or an array of them; arrays are broadcast against each other."""

_NORMAL, _ROOT_2 = NormalDist(), math.sqrt(2)


def special() -> Any:
    """`scipy.special`."""
    from scipy import special

    return special


def _single(value: object) -> float | None:
    """The number where it is a single one."""
    return value if isinstance(value, float) else None


class norm:  # noqa: N801 - the names of scipy.stats
    """The standard normal distribution."""

    @staticmethod
    def cdf(z: Numbers) -> Any:
        """P(Z ≤ z)."""
        one = _single(z)
        return special().ndtr(z) if one is None else 0.5 * math.erfc(-one / _ROOT_2)

    @staticmethod
    def sf(z: Numbers) -> Any:
        """P(Z > z)."""
        one = _single(z)
        return special().ndtr(-np.asarray(z, np.float64)) if one is None else 0.5 * math.erfc(one / _ROOT_2)

    @staticmethod
    def ppf(p: Numbers) -> Any:
        """The z with P(Z ≤ z) = p."""
        one = _single(p)
        return special().ndtri(p) if one is None or not 0 < one < 1 else _NORMAL.inv_cdf(one)


class t:  # noqa: N801 - the names of scipy.stats
    """Student's distribution."""

    @staticmethod
    def sf(x: Numbers, df: Numbers) -> Any:
        """P(T > x) with `df` degrees of freedom."""
        return special().stdtr(df, -np.asarray(x, np.float64))

    @staticmethod
    def ppf(p: Numbers, df: Numbers) -> Any:
        """The x with P(T ≤ x) = p."""
        return special().stdtrit(df, p)

    @staticmethod
    def isf(p: Numbers, df: Numbers) -> Any:
        """The x with P(T > x) = p."""
        return -special().stdtrit(df, p)


class chi2:  # noqa: N801 - the names of scipy.stats
    """The χ² distribution."""

    @staticmethod
    def sf(x: Numbers, df: Numbers) -> Any:
        """P(X > x) with `df` degrees of freedom."""
        return special().chdtrc(df, x)


class beta:  # noqa: N801 - the names of scipy.stats
    """The beta distribution."""

    @staticmethod
    def ppf(p: Numbers, a: Numbers, b: Numbers) -> Any:
        """The x with P(X ≤ x) = p."""
        return special().betaincinv(a, b, p)


class binom:  # noqa: N801 - the names of scipy.stats
    """The binomial distribution."""

    @staticmethod
    def sf(k: Numbers, n: Numbers, p: Numbers) -> Any:
        """P(more than k of n), each with probability p."""
        k = np.asarray(k, np.float64)
        return np.where(k < 0, 1.0, np.where(k >= n, 0.0, special().bdtrc(np.clip(k, 0, n), n, p)))


class kstwobign:  # noqa: N801 - the names of scipy.stats
    """Kolmogorov's limit of the largest distance of an empirical distribution, times the root of the number of values."""

    @staticmethod
    def sf(x: Numbers) -> Any:
        """P(D > x)."""
        return special().kolmogorov(x)


class hypergeom:  # noqa: N801 - the names of scipy.stats
    """How many of `N` drawn without replacement from `M` are among the `n` special ones; plain numbers, no arrays."""

    @staticmethod
    def sf(k: int, M: int, n: int, N: int) -> float:
        """P(more than k)."""
        least, most = max(int(k) + 1, 0, N - (M - n)), min(n, N)
        if least <= max(0, N - (M - n)):
            return 1.0
        if least > most:
            return 0.0
        if least - max(0, N - (M - n)) < most - least:  # the lower side has fewer terms, and then it is the larger one or alike
            lower = hypergeom._sum(max(0, N - (M - n)), least - 1, M, n, N)
            if lower < 0.5:
                return 1.0 - lower
        return min(1.0, hypergeom._sum(least, most, M, n, N))

    @staticmethod
    def _sum(first: int, last: int, M: int, n: int, N: int) -> float:
        x = np.arange(first, last + 1, dtype=np.float64)
        betaln = special().betaln
        log = betaln(n + 1, 1) + betaln(M - n + 1, 1) + betaln(M - N + 1, N + 1)
        log = log - betaln(x + 1, n - x + 1) - betaln(N - x + 1, M - n - N + x + 1) - betaln(M + 1, 1)
        return float(np.exp(log).sum())


def logit(p: float) -> float:
    """log(p / (1 − p)) for 0 < p < 1, near a half without the loss of a difference: bit by bit that of `scipy.special`."""
    return math.log(p / (1 - p)) if p < 0.3 or p > 0.65 else math.log1p(2 * (p - 0.5)) - math.log1p(-2 * (p - 0.5))


def rankdata(values: Numbers) -> Doubles:
    """Ranks from 1; equal values share the mean of theirs. One-dimensional; where a value is not a number, no rank is one."""
    values = np.asarray(values)
    if values.dtype.kind == "f" and np.isnan(values).any():
        return np.full(len(values), np.nan)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, bool)
    starts = np.append(np.flatnonzero(new), len(ordered))
    ranks = np.empty(len(ordered))
    ranks[order] = ((starts[1:] + starts[:-1] + 1) / 2)[np.cumsum(new) - 1]
    return ranks
