"""Worker processes that read strangers' files: a crash, a hang or a kill of one costs one file, not the scan.

A worker that dies may have been killed from outside, or starved by its neighbours: its file is tried once more, alone, when
all others are done. Only what happens again in peace is the fault of the file.

Each worker answers pickled chunks over pipes. It is a copy of a fresh interpreter (`nursery`), or one itself, and no
`multiprocessing` child, so that a notebook or a script without a main guard can scan as well.

What a file may cost is bounded in processor time, so that a busy machine gives the same answers as an idle one; the kernel
ends a worker that has used it up, also inside a codec. A second, longer limit on the clock ends what blocks without working.
"""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Protocol, runtime_checkable

from auditor.reading.bounds import clock_limit, limit_memory, limit_processor, used_up
from auditor.reading.nursery import HOME, NURSERIES, ONE_THREAD, Child
from auditor.values.errors import MedauditError
from auditor.values.image import Limits

LENGTH = struct.Struct("<Q")
START = f"import sys; sys.path.insert(0, {HOME!r}); from auditor.reading.workers import serve; serve()"
STARTING = 300.0
"""Seconds on the clock that a worker may take to start; a busy machine takes many."""
MEMORY_BYTES = 1 << 30
"""Private memory that a worker may hold; what needs more is not read (kind `memory`)."""
STARVED = "starved"
"""What a worker says instead of an answer that it had no memory for."""
MOST_STARTS = 3
"""So many workers in a row may end before they are ready; then none can be had."""


class Worker(Protocol):
    """Who does the tasks; lives inside a worker process."""

    def measure(self, task: Any) -> Any:
        """The answer to one task; never raises for what is in a file."""


@runtime_checkable
class Prepares(Protocol):
    """A worker that must load our own code before it does a task: that costs the task nothing."""

    def prepare(self, task: Any) -> None:
        """Load what the task needs."""


class Work(Protocol):
    """What a worker process is told before its first task: who does the tasks, and what each of them may cost. Pickled."""

    @property
    def limits(self) -> Limits:
        """Bounds per task."""

    @property
    def memory_bytes(self) -> int:
        """Private memory that a worker may hold."""

    @property
    def prepared(self) -> Sequence[str]:
        """What all workers of this kind load: `module`, or `module:function` that is called."""

    def measurer(self) -> Worker:
        """Who does the work; made inside the worker process, before its memory is bounded."""

    def lost(self, task: Any, kind: str, reason: str) -> Any:
        """The answer to a task whose worker did not come back."""


def send(stream: IO[bytes], value: object) -> None:
    """Write one pickled value."""
    content = pickle.dumps(value, protocol=5)
    stream.write(LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes]) -> object:
    """Read one pickled value.

    Raises:
        EOFError: the other side is gone.
    """
    (length,) = LENGTH.unpack(read_exactly(stream, LENGTH.size))
    return pickle.loads(read_exactly(stream, length))  # noqa: S301 - both ends are this program


def read_exactly(stream: IO[bytes], count: int) -> bytes:
    """`count` bytes of a pipe, however it slices them.

    Raises:
        EOFError: the other side is gone.
    """
    parts: list[bytes] = []
    while count:
        part = stream.read(count)
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def serve() -> None:
    """The worker's life: a Work, then tasks one by one until the pipe closes. Every task is answered at once.

    It says None once it is ready, so that the clock of its first file starts then.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    output = sys.stdout.buffer
    sys.stdout = sys.stderr  # a codec that prints must not write into the answers
    work: Any = receive(sys.stdin.buffer)
    worker = work.measurer()
    limit_memory(work.memory_bytes)
    send(output, None)
    while True:
        try:
            chunk = receive(sys.stdin.buffer)
        except EOFError:
            return
        assert isinstance(chunk, tuple)
        for task in chunk:
            limit_processor(STARTING)
            if isinstance(worker, Prepares):
                worker.prepare(task)
            limit_processor(work.limits.seconds)
            send(output, answer_of(worker, task))


def answer_of(worker: Worker, task: Any) -> object:
    """The answer as the only one of a tuple, or `STARVED`."""
    try:
        return (worker.measure(task),)
    except MemoryError:
        return STARVED


@dataclass(kw_only=True, eq=False)
class Process:
    """One process and the tasks it has not answered yet."""

    work: Work
    pending: deque[Any] = field(default_factory=deque)
    since: float = 0.0
    ready: bool = False
    used_up: bool = False
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
        assert self.process is not None
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            send(self.process.stdin, tuple(tasks))

    def cause(self) -> tuple[str, str]:
        """Kind and reason for a process that has closed its end of the pipe."""
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):  # it may live on with its pipe closed
            self.process.wait(timeout=5)
        self.used_up = used_up(self.process.returncode)
        if self.used_up:
            return "timeout", f"reading it took more than {self.work.limits.seconds:g} s of computing; the file was left out"
        return "crashed", "the reader crashed on it twice, the second time alone; the file was left out"

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
                    if worker.pending and now - worker.since > (longest if worker.ready else max(longest, STARTING)):
                        reason = f"reading it took more than {longest:g} s; the file was left out"
                        yield from self._failed(worker, "timeout", reason)
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
            raise MedauditError(_no_worker(getattr(error, "strerror", None) or "no memory")) from None
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
        elif answer == STARVED:
            reason = f"reading it needs more than {self.work.memory_bytes / 2**20:,.0f} MiB of memory"
            yield from self._failed(worker, "memory", reason)
        else:
            assert isinstance(answer, tuple)
            worker.pending.popleft()
            if not worker.pending:
                self._refill(worker)
            yield answer[0]

    def _failed(self, worker: Process, kind: str, reason: str) -> Iterator[Any]:
        """Replace a worker. The file that it was at is blamed only where no other may be."""
        lost: list[Any] = []
        if worker.ready:
            guilty = worker.pending.popleft()
            if self.again is None or (worker.used_up and kind == "timeout"):
                lost.append(self.work.lost(guilty, kind, reason))
            else:
                self.again.append(guilty)
        else:
            self.failed_starts += 1
        self.waiting.extendleft(reversed(worker.pending))
        worker.pending.clear()
        self._dismiss(worker)
        if self.failed_starts >= MOST_STARTS:
            raise MedauditError(_no_worker("they end before they are ready"))
        if self.waiting:
            self._hire()
            self._refill(self.members[-1])
        yield from lost


def _no_worker(why: str) -> str:
    return (
        f"no worker process can be started to read the files ({why}): free memory or processes (`ulimit -u`, `ulimit -v`), "
        "or ask for fewer with --workers"
    )
