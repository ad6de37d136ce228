"""What this process may use for one file: memory, processor time; and how long anyone waits for it."""

from __future__ import annotations

import signal
import sys

from auditor.values.image import Limits

BOUNDS_PROCESSOR = hasattr(signal, "setitimer")
"""True on Linux and macOS; Windows has no such timer, and the limit on processor time is one on the clock there."""


def limit_processor(seconds: float) -> None:
    """Let this process compute for so many seconds (all its threads together) before the kernel ends it with SIGPROF."""
    if BOUNDS_PROCESSOR:
        # An ignored signal is inherited from whoever started us, and a handler in Python would wait for the codec to return.
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)


def clock_limit(limits: Limits) -> float:
    """Seconds on the clock after which a file is given up."""
    return max(limits.wall_seconds, limits.seconds) if BOUNDS_PROCESSOR else limits.seconds


def used_up(code: int | None) -> bool:
    """The process with this exit code was ended because its processor time was over."""
    return BOUNDS_PROCESSOR and code == -signal.SIGPROF


def limit_memory(extra_bytes: int) -> None:
    """Bound the private memory of this process (Linux, where RLIMIT_DATA counts it); elsewhere nothing is bounded."""
    if sys.platform != "linux":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (extra_bytes, resource.RLIM_INFINITY))
