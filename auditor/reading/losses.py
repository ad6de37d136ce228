"""What was lost over files: how often a worker was, and how long was computed for nothing.

Out of time or memory is out of this machine's, now: what came of it is not kept. Files that take too long share a budget: one
costs its limit, fifty of a stranger may not cost fifty times that.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.reading.bounds import clock_limit
from auditor.values.image import Limits

SHORT = 1.0
"""Seconds of computing that a file has once the budget is spent: most need milliseconds."""
SHORT_CLOCK = 30.0
"""The same on the clock."""


@dataclass(kw_only=True)
class Losses:
    """Tasks that were answered with a problem in the place of their worker, since this program began; `spent` seconds went into
    those that took too long, since this dataset began.
    """

    count: int = 0
    spent: float = 0.0

    def begin(self) -> None:
        """Another dataset."""
        self.spent = 0.0

    def allowed(self, limits: Limits) -> float:
        """Seconds of computing for the next file: its limit; a second when the budget is spent; none when it is spent twice."""
        if self.spent < limits.lost_seconds:
            return limits.seconds
        return min(limits.seconds, SHORT) if self.spent < 2 * limits.lost_seconds else 0.0

    def clock(self, limits: Limits) -> float:
        """The same of what anyone waits for it."""
        return clock_limit(limits) if self.spent < limits.lost_seconds else min(clock_limit(limits), SHORT_CLOCK)

    def not_read(self) -> tuple[str, str]:
        """Kind and reason for a file that is not tried any more."""
        return "timeout", f"not read: files before it took too long, {self.spent:,.0f} s in all{REMEDY}"


REMEDY = "; raise [limits] lost-seconds"
LOSSES = Losses()
