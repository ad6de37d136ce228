"""The score interval of a share (Wilson, JASA 1927): honest for few cases and for shares near 0 and 1."""

from __future__ import annotations

import math

from auditor.statistics.distributions import norm


def wilson(hits: int, total: int, *, level: float = 0.95) -> tuple[float, float]:
    """Lower and upper end of the interval of `hits` of `total`, 0–1; (0, 1) of none.

    Raises:
        ValueError: more hits than cases, or fewer than none.
    """
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} of {total} is no share")
    return share_interval(hits / total, total, level=level) if total else (0.0, 1.0)


def share_interval(share: float, count: float, *, level: float = 0.95) -> tuple[float, float]:
    """The same of a share of `count` cases, which may be a fraction (an effective number of records or patients)."""
    z = float(norm.ppf(0.5 + level / 2))
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    # rounding must not move the ends past what was seen
    return (0.0 if share <= 0 else max(0.0, centre - half)), (1.0 if share >= 1 else min(1.0, centre + half))
