"""Many tests at once: Benjamini–Hochberg, Holm, and the step-down max-T of Westfall and Young."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def benjamini_hochberg(p: Floats) -> Floats:
    """q-values: the false discovery rate at which each test would be reported (Benjamini & Hochberg 1995)."""
    p = np.asarray(p, np.float64)
    if p.size == 0:
        return p
    order = np.argsort(p, kind="stable")
    raw = p[order] * p.size / np.arange(1, p.size + 1)
    q = np.empty_like(p)
    q[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return q


def holm(p: Floats) -> Floats:
    """p-values adjusted for the family-wise error (Holm 1979)."""
    p = np.asarray(p, np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)), 1.0)
    return adjusted


def max_t(observed: Floats, permuted: Floats) -> Floats:
    """Step-down max-T: family-wise p-values from joint permutations (Westfall & Young 1993).

    Args:
        observed: statistic per test, shape (tests,).
        permuted: the same under permutations that all tests shared, shape (permutations, tests).
    """
    order = np.argsort(-observed, kind="stable")
    largest = np.maximum.accumulate(permuted[:, order][:, ::-1], axis=1)[:, ::-1]
    p = (1 + (largest >= observed[order] - 1e-9).sum(axis=0)) / (1 + len(permuted))
    adjusted = np.empty(observed.shape, np.float64)
    adjusted[order] = np.maximum.accumulate(p)
    return adjusted
