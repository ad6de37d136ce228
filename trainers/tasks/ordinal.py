"""Grades."""

from __future__ import annotations

import numpy as np

from trainers.values.task import Floats


def cumulative(probabilities: Floats) -> Floats:
    """Probabilities of K grades (m, K) → P(grade > k) for k = 0 … K − 2, shape (m, K − 1)."""
    above = np.cumsum(probabilities[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return np.asarray(np.clip(above, 0, 1), np.float32)


def grade_probabilities(above: Floats) -> Floats:
    """P(grade > k), shape (m, K − 1) → probabilities of the K grades, shape (m, K); crossing thresholds are made monotone."""
    ordered = np.minimum.accumulate(above.astype(np.float64), axis=1)
    edges = np.concatenate([np.ones((len(above), 1)), ordered, np.zeros((len(above), 1))], axis=1)
    return np.asarray(edges[:, :-1] - edges[:, 1:], np.float32)
