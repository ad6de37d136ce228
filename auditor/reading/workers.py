"""Worker processes that read strangers' files: a crash, a hang or a kill of one costs one file, not the scan.

A worker that dies may have been killed from outside, or starved by its neighbours: its file is tried once more, alone, when
all others are done. Only what happens again in peace is the fault of the file.

Here tasks are dealt out, and what a lost worker had is dealt out again. One worker as the program sees it is `process`, its own
life `serving`, where it comes from `nursery`. It bounds what a file may cost in processor time; a second, longer limit on the
clock, kept here, ends what blocks without working.
"""

from __future__ import annotations

import selectors
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.reading.bounds import clock_limit
from auditor.reading.losses import LOSSES
from auditor.reading.process import Process, no_worker, too_large
from auditor.reading.serving import HELD, STARTING, STARVED, TOGETHER, Work
from auditor.reading.wire import receive
from auditor.values.errors import MedauditError

MOST_STARTS = 3
"""So many workers in a row may end before they are ready; then none can be had."""


def run_workers(tasks: Sequence[Any], work: Work, *, workers: int, chunk: int = 16) -> Iterator[Any]:
    """Do all tasks in `workers` processes; yields the answers as they come, one per task.

    A worker that dies, computes for more than `limits.seconds` on a file, has no memory left for it or does not come back in
    `limits.wall_seconds` is replaced, and the rest of its chunk is done again. A file that was computed on for too long is
    answered with a problem; every other one is tried once more, alone, and answered with a problem if it ends so again.

    Raises:
        MedauditError: no worker can be started.
    """
    again: list[Any] = []
    yield from _Crew(work=work, waiting=deque(tasks), chunk=chunk, again=again).run(workers)
    for task in again:
        yield from _Crew(work=work, waiting=deque([task]), chunk=1, again=None).run(1)


@dataclass(kw_only=True)
class _Crew:
    """Workers that share a list of tasks; `again` takes those to be tried once more, None where this is that time."""

    work: Work
    waiting: deque[Any]
    chunk: int
    again: list[Any] | None
    members: list[Process] = field(default_factory=list)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    failed_starts: int = 0

    def run(self, workers: int) -> Iterator[Any]:
        """All answers but those to be tried again."""
        longest = clock_limit(self.work.limits)
        try:
            for _ in range(max(1, min(workers, -(-len(self.waiting) // self.chunk)))):
                self._hire()
            for worker in list(self.members):
                self._refill(worker)
            while any(worker.pending for worker in self.members):
                for key, _ in self.selector.select(timeout=1.0):
                    yield from self._heard(key.data)
                now = time.monotonic()
                for worker in list(self.members):
                    if worker.pending and now - worker.since > (worker.longest if worker.ready else max(longest, STARTING)):
                        yield from self._failed(worker, *worker.too_late())
            while self.waiting:  # too much was lost for them to be tried
                LOSSES.count += 1
                yield self.work.lost(self.waiting.popleft(), *LOSSES.not_read())
        finally:
            for worker in self.members:
                worker.stop()
            self.selector.close()

    def _hire(self) -> None:
        worker = Process(work=self.work)
        try:
            process = worker.start()
        except (OSError, MemoryError) as error:
            worker.stop()
            if self.members:  # fewer hands do it as well
                return
            raise MedauditError(_none_to_be_had(getattr(error, "strerror", None) or "no memory")) from None
        assert process.stdout is not None
        self.selector.register(process.stdout, selectors.EVENT_READ, worker)
        self.members.append(worker)

    def _dismiss(self, worker: Process) -> None:
        assert worker.process is not None
        assert worker.process.stdout is not None
        self.selector.unregister(worker.process.stdout)
        self.members.remove(worker)
        worker.stop()

    def _refill(self, worker: Process) -> None:
        if not LOSSES.allowed(self.work.limits):
            return
        tasks = [self.waiting.popleft() for _ in range(min(self.chunk, len(self.waiting)))]
        if tasks:
            worker.give(tasks)

    def _heard(self, worker: Process) -> Iterator[Any]:
        """One answer of a worker, or its end."""
        if worker not in self.members or not worker.pending:
            return
        assert worker.process is not None
        assert worker.process.stdout is not None
        try:
            answer = receive(worker.process.stdout)
        except EOFError:
            yield from self._failed(worker, *worker.cause())
            return
        worker.since = time.monotonic()
        if answer is None:
            worker.ready, self.failed_starts = True, 0
        elif answer == HELD:
            worker.held += 1
        elif answer == TOGETHER:
            worker.together = True
        elif answer == STARVED:
            yield from self._failed(worker, *too_large(self.work))
        else:
            assert isinstance(answer, tuple)
            worker.pending.popleft()
            worker.held, worker.together = 0, False
            if not worker.pending:
                self._refill(worker)
            yield answer[0]

    def _failed(self, worker: Process, kind: str, reason: str) -> Iterator[Any]:
        """Replace a worker. The file that it was at is blamed only where no other may be: of several each is tried alone."""
        lost: list[Any] = []
        if worker.ready:
            suspects = worker.suspects()
            if kind == "timeout":
                worker.charge()
            if self.again is None or (worker.used_up and kind == "timeout" and len(suspects) == 1):
                LOSSES.count += len(suspects)
                lost += [self.work.lost(task, kind, reason) for task in suspects]
            else:
                self.again += suspects
        else:
            self.failed_starts += 1
        self.waiting.extendleft(reversed(worker.pending))
        worker.pending.clear()
        self._dismiss(worker)
        if self.failed_starts >= MOST_STARTS:
            raise MedauditError(_none_to_be_had("they end before they are ready"))
        if self.waiting:
            self._hire()
            self._refill(self.members[-1])
        yield from lost


def _none_to_be_had(why: str) -> str:
    return f"{no_worker('the files', why)}, or ask for fewer with --workers"
