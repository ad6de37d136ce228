"""A share of records and its interval, also where the records of one patient are alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.statistics.wilson import share_interval
from auditor.values.judgements import Fraction

Bools = npt.NDArray[np.bool_]


def fraction(hits: Bools, groups: npt.NDArray[np.int64] | None = None, where: Bools | None = None) -> Fraction:
    """Share of hits with Wilson's 95 % interval; with groups, on the effective number of records (linearised variance)."""
    if where is not None:
        hits, groups = hits[where], None if groups is None else groups[where]
    n = len(hits)
    if n == 0:
        return Fraction(value=0.0, low=0.0, high=1.0, count=0)
    value, effective = float(hits.mean()), float(n)
    if groups is not None and 0 < value < 1:
        _, compact = np.unique(groups, return_inverse=True)
        residual = np.bincount(compact, hits - value)
        count = len(residual)
        if 1 < count < n:
            variance = float(residual @ residual) * count / (count - 1) / n**2
            effective = min(float(n), value * (1 - value) / max(variance, 1e-12))
    elif groups is not None:
        effective = float(len(np.unique(groups)))
    low, high = share_interval(value, effective)
    return Fraction(value=value, low=low, high=high, count=n)


def ratio(
    hits: npt.NDArray[np.float64], counts: npt.NDArray[np.float64], groups: npt.NDArray[np.int64]
) -> tuple[float, float, float]:
    """Hits per count over all records, with Wilson's 95 % interval on the effective number (linearised variance over groups).

    Args:
        hits, counts: per record, of several questions each; counts at least 1.
        groups: records of one group are alike.
    """
    total = float(counts.sum())
    value, effective = float(hits.sum()) / total, total
    _, compact = np.unique(groups, return_inverse=True)
    residual = np.bincount(compact, hits - value * counts)
    number = len(residual)
    if 0 < value < 1 and number > 1:
        variance = float(residual @ residual) * number / (number - 1) / total**2
        effective = min(total, value * (1 - value) / max(variance, 1e-12))
    elif not 0 < value < 1:
        effective = float(number)
    return value, *share_interval(value, effective)
