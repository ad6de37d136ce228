"""The score interval of a share (Wilson, JASA 1927): honest for few cases and for shares near 0 and 1."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson(hits: int, total: int, *, level: float = 0.95) -> tuple[float, float]:
    """Lower and upper end of the interval of `hits` of `total`, 0–1; (0, 1) of none.

    Raises:
        ValueError: more hits than cases, or fewer than none.
    """
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} of {total} is no share")
    if total == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, square = hits / total, z * z / total
    middle, half = share + square / 2, z * math.sqrt(share * (1 - share) / total + square / (4 * total))
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    # rounding must not move the ends past what was seen
    return (0.0 if hits == 0 else max(0.0, low)), (1.0 if hits == total else min(1.0, high))
