"""One worker process as the program sees it: a copy of a prepared interpreter (`nursery`) or a fresh one, and its pipes.

It is no `multiprocessing` child, so that a notebook or a script without a main guard can scan as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from auditor.reading.bounds import clock_limit, used_up
from auditor.reading.losses import LOSSES, REMEDY
from auditor.reading.nursery import HOME, NURSERIES, ONE_THREAD, Child
from auditor.reading.serving import Work
from auditor.reading.wire import send

START = f"import sys; sys.path.insert(0, {HOME!r}); from auditor.reading.serving import serve; serve()"


@dataclass(kw_only=True, eq=False)
class Process:
    """One process and the tasks it has not answered yet; each may compute for `seconds`, and take `longest` on the clock.

    `held` of them were begun and wait; `together`: they, and the next one, are being finished.
    """

    work: Work
    pending: deque[Any] = field(default_factory=deque)
    since: float = 0.0
    ready: bool = False
    used_up: bool = False
    seconds: float = 0.0
    longest: float = 0.0
    held: int = 0
    together: bool = False
    process: subprocess.Popen[bytes] | Child | None = None

    def start(self) -> subprocess.Popen[bytes] | Child:
        """Start the process and tell it its work.

        Raises:
            OSError: there is no memory or no process for it.
        """
        self.process = NURSERIES.bear(START, self.work.prepared) or subprocess.Popen(  # noqa: S603 - our own interpreter with our own code
            [sys.executable, "-P", "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,  # a buffered answer would be invisible to the selector
            env={**os.environ, **ONE_THREAD},
        )
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it is dead: its end of the other pipe says so
            send(self.process.stdin, self.work)
        return self.process

    def give(self, tasks: Sequence[Any]) -> None:
        """Send a chunk."""
        self.pending.extend(tasks)
        self.since = time.monotonic()
        self.seconds, self.longest = LOSSES.allowed(self.work.limits), LOSSES.clock(self.work.limits)
        assert self.process is not None
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            send(self.process.stdin, (self.seconds, tuple(tasks)))

    def cause(self) -> tuple[str, str]:
        """Kind and reason for a process that has closed its end of the pipe."""
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):  # it may live on with its pipe closed
            self.process.wait(timeout=5)
        self.used_up = used_up(self.process.returncode)
        if self.used_up:
            return "timeout", f"reading it took more than {self.seconds:g} s of computing{self._left_out}"
        return "crashed", "the reader crashed on it twice, the second time alone; the file was left out"

    def too_late(self) -> tuple[str, str]:
        """Kind and reason for a file that it did not come back from."""
        return "timeout", f"reading it took more than {self.longest:g} s{self._left_out}"

    def suspects(self) -> list[Any]:
        """Tasks that it may have ended over, taken out of those without an answer: one, or those that it was finishing."""
        first, last = (0, self.held) if self.together else (self.held, self.held)
        tasks = list(self.pending)
        self.pending = deque([*tasks[:first], *tasks[last + 1 :]])
        return tasks[first : last + 1]

    def charge(self) -> None:
        """What was lost over the file that took too long."""
        LOSSES.spent += self.seconds if self.used_up else self.longest

    @property
    def _left_out(self) -> str:
        short = self.seconds < self.work.limits.seconds or self.longest < clock_limit(self.work.limits)
        return f", all that files have behind others which took too long{REMEDY}" if short else "; the file was left out"

    def stop(self) -> None:
        """End the process and close its pipes."""
        if self.process is None:
            return
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # the process went first
                    stream.close()
        self.process.wait()
        self.process = None


def too_large(work: Work) -> tuple[str, str]:
    """Kind and reason for a file that its worker had no memory for."""
    return "memory", f"reading it needs more than {work.memory_bytes / 2**20:,.0f} MiB of memory"


def no_worker(what: str, why: str) -> str:
    """What is told where no process can be had to read something."""
    return f"no worker process can be started to read {what} ({why}): free memory or processes (`ulimit -u`, `ulimit -v`)"
