"""Scales and ticks of a chart: from values to places."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A linear or logarithmic scale from `low`–`high` (values) to `start`–`end` (pixels)."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Pixel of a value; values outside stay on the border."""
        low, high, at = (
            (math.log(v) for v in (self.low, self.high, value)) if self.logarithmic else (self.low, self.high, value)
        )
        share = (at - low) / (high - low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def axis(values: Iterable[float | None], *, start: float, end: float, zero: bool = False, log: bool = False) -> Axis:
    """A scale that holds all finite values between round ticks.

    Args:
        values: what will be drawn; None is passed over.
        start: pixel of the low end.
        end: pixel of the high end.
        zero: begin at zero (bars).
        log: logarithmic, when all values are positive and span a factor of 50 or more.
    """
    finite = [value for value in values if value is not None and math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    if log and low > 0 and high / low >= 50:
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [10.0**e * m for e in exponents for m in ((1, 2, 5) if len(exponents) <= 4 else (1,))]
        return Axis(
            low=low, high=high, start=start, end=end, ticks=tuple(t for t in ticks if low <= t <= high), logarithmic=True
        )
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= max(1e-9, 1e-6 * max(abs(low), abs(high))):
        low, high = (min(low, 0.0), max(high, 1.0)) if abs(high) < 1e-6 else (low - abs(low) / 2, high + abs(high) / 2)
    step = _round_step((high - low) / 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(k * step, 12) for k in range(first, last + 1)]
    return Axis(low=ticks[0], high=ticks[-1], start=start, end=end, ticks=tuple(ticks))


def _round_step(width: float) -> float:
    """1, 2 or 5 times a power of ten, at least `width`."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= width * (1 - 1e-9))


def tick(value: float) -> str:
    """`0.25`, `3,000`, `1.5e6`."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:g}"
