"""Worker processes that read strangers' files: a crash, a hang or a kill of one costs one file, not the scan.

Each worker is a fresh interpreter that answers pickled chunks over pipes. It is no `multiprocessing` child, so that a
notebook or a script without a main guard can scan as well.

What a file may cost is bounded in processor time, so that a busy machine gives the same answers as an idle one; the kernel
ends a worker that has used it up, also inside a codec. A second, longer limit on the clock ends what blocks without working.
"""

from __future__ import annotations

import os
import pickle
import selectors
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from auditor.reading.bounds import clock_limit, limit_memory, limit_processor, used_up
from auditor.values.image import Limits

LENGTH = struct.Struct("<Q")
HOME = str(Path(__file__).resolve().parents[2])
START = f"import sys; sys.path.insert(0, {HOME!r}); from auditor.reading.workers import serve; serve()"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
STARTING = 300.0
"""Seconds on the clock that a worker may take to start; a busy machine takes many."""
MEMORY_BYTES = 1 << 30
"""Private memory that a worker may hold; what needs more is refused as hostile (kind `memory`)."""


class Worker(Protocol):
    """Who does the tasks; lives inside a worker process."""

    def measure(self, task: Any) -> Any:
        """The answer to one task; never raises for what is in a file."""


class Work(Protocol):
    """What a worker process is told before its first task: who does the tasks, and what each of them may cost. Pickled."""

    @property
    def limits(self) -> Limits:
        """Bounds per task."""

    @property
    def memory_bytes(self) -> int:
        """Private memory that a worker may hold."""

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
            limit_processor(work.limits.seconds)
            send(output, (measure(work, worker, task),))


def measure(work: Work, worker: Worker, task: Any) -> Any:
    """The answer, with running out of memory as one."""
    try:
        return worker.measure(task)
    except MemoryError:
        return work.lost(task, "memory", "reading it needs more memory than one file may cost")


@dataclass(kw_only=True, eq=False)
class Process:
    """One process and the tasks it has not answered yet."""

    work: Work
    pending: deque[Any] = field(default_factory=deque)
    since: float = 0.0
    ready: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start the process and tell it its work."""
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own code
            [sys.executable, "-P", "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,  # a buffered answer would be invisible to the selector
            env={**os.environ, **ONE_THREAD},
        )
        assert self.process.stdin is not None
        send(self.process.stdin, self.work)
        return self.process

    def give(self, tasks: Sequence[Any]) -> None:
        """Send a chunk."""
        self.pending.extend(tasks)
        self.since = time.monotonic()
        assert self.process is not None
        assert self.process.stdin is not None
        send(self.process.stdin, tuple(tasks))

    def cause(self) -> tuple[str, str]:
        """Kind and reason for a process that has closed its end of the pipe."""
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):  # it may live on with its pipe closed
            self.process.wait(timeout=5)
        if used_up(self.process.returncode):
            return "timeout", f"reading it took more than {self.work.limits.seconds:g} s of computing; the file was left out"
        return "crashed", "the reader crashed on it; the file was left out"

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

    A worker that dies, computes for more than `limits.seconds` on a file or does not come back in `limits.wall_seconds` is
    replaced; that file is answered with a problem, the rest of its chunk is done again.
    """
    longest = clock_limit(work.limits)
    waiting = deque(tasks)
    crew: list[Process] = []
    selector = selectors.DefaultSelector()

    def hire() -> None:
        worker = Process(work=work)
        process = worker.start()
        assert process.stdout is not None
        selector.register(process.stdout, selectors.EVENT_READ, worker)
        crew.append(worker)

    def dismiss(worker: Process) -> None:
        assert worker.process is not None
        assert worker.process.stdout is not None
        selector.unregister(worker.process.stdout)
        crew.remove(worker)
        worker.stop()

    def refill(worker: Process) -> None:
        tasks_of_chunk = [waiting.popleft() for _ in range(min(chunk, len(waiting)))]
        if tasks_of_chunk:
            worker.give(tasks_of_chunk)

    def fail(worker: Process, kind: str, reason: str) -> Any:
        guilty = worker.pending.popleft()
        waiting.extendleft(reversed(worker.pending))
        dismiss(worker)
        hire()
        refill(crew[-1])
        return work.lost(guilty, kind, reason)

    try:
        for _ in range(max(1, min(workers, -(-len(waiting) // chunk)))):
            hire()
        for worker in crew:
            refill(worker)
        while any(worker.pending for worker in crew):
            for key, _ in selector.select(timeout=1.0):
                worker = key.data
                if worker not in crew or not worker.pending:
                    continue
                assert worker.process is not None
                assert worker.process.stdout is not None
                try:
                    answer = receive(worker.process.stdout)
                except EOFError:
                    yield fail(worker, *worker.cause())
                    continue
                if answer is None:
                    worker.since, worker.ready = time.monotonic(), True
                    continue
                assert isinstance(answer, tuple)
                worker.pending.popleft()
                worker.since = time.monotonic()
                if not worker.pending:
                    refill(worker)
                yield answer[0]
            now = time.monotonic()
            for worker in list(crew):
                if worker.pending and now - worker.since > (longest if worker.ready else max(longest, STARTING)):
                    reason = f"reading it took more than {longest:g} s; the file was left out"
                    yield fail(worker, "timeout", reason)
    finally:
        for worker in crew:
            worker.stop()
        selector.close()
