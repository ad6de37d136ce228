"""The life of a worker process: who does its tasks and what each of them may cost, and the loop that answers them.

What a file may cost is bounded in processor time, so that a busy machine gives the same answers as an idle one; the kernel
ends a worker that has used it up, also inside a codec.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from auditor.reading.bounds import limit_memory, limit_processor
from auditor.reading.wire import receive, send
from auditor.values.image import Limits

STARTING = 300.0
"""Seconds on the clock that a worker may take to start; a busy machine takes many."""

MEMORY_BYTES = 1 << 30
"""Private memory that a worker may hold; what needs more is not read (kind `memory`)."""

THREAD_BYTES = 256 << 10
"""Stack of the thread that watches the pipe: it counts as memory of the worker."""

STARVED = "starved"
"""What a worker says instead of an answer that it had no memory for."""

HELD, TOGETHER = "held", "together"
"""What it says between answers: that a file was begun and waits for the next one; and that those which wait, and the one that
was begun last, are now finished together. So the program knows which file a worker was at when it ended."""

GROUP, GROUP_BYTES = 4, 8 << 20
"""Files that are finished together, and bytes that may wait meanwhile: what is larger takes nobody's memory."""


class Worker(Protocol):
    """Who does the tasks; lives inside a worker process."""

    def measure(self, task: Any) -> Any:
        """The answer to one task; never raises for what is in a file."""


class Begun(Protocol):
    """A file of which the rest can wait."""

    @property
    def weight(self) -> int | None:
        """Bytes that wait in memory; None where nothing is left to do."""


@runtime_checkable
class Groups(Protocol):
    """A worker that is quicker with several files at once: `measure` in two parts, of which the second takes several."""

    def begin(self, task: Any) -> Any:
        """A `Begun`; what may fail for what is in a file happens here. Never raises for it."""

    def finish(self, begun: Sequence[Any]) -> Sequence[Any]:
        """The answers to the tasks that were begun, in their order."""


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


def serve() -> None:
    """The worker's life: a Work, then tasks one by one with the seconds that each may cost, until the pipe
    closes. Every task is answered at once.

    It says None once it is ready, so that the clock of its first file starts then.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    output = sys.stdout.buffer
    sys.stdout = sys.stderr  # a codec that prints must not write into the answers
    _end_with_the_program(sys.stdin.fileno())
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
        seconds, tasks = chunk
        for message in together(worker, tasks, seconds) if isinstance(worker, Groups) else one_by_one(worker, tasks, seconds):
            send(output, message)


def one_by_one(worker: Worker, tasks: Sequence[Any], seconds: float) -> Iterator[object]:
    """The answers, one by one."""
    for task in tasks:
        limit_processor(STARTING)
        if isinstance(worker, Prepares):
            worker.prepare(task)
        limit_processor(seconds)
        yield answer_of(worker, task)


def together(worker: Groups, tasks: Sequence[Any], seconds: float) -> Iterator[object]:
    """The answers, those of some files together; each of these has `seconds` to be begun, and as long again for the rest."""
    held: list[Any] = []
    try:
        for left, task in zip(range(len(tasks) - 1, -1, -1), tasks, strict=True):
            limit_processor(seconds)
            held.append(worker.begin(task))
            if left and not is_full(held) and held[-1].weight is not None:
                yield HELD
                continue
            if len(held) > 1:
                yield TOGETHER
                limit_processor(seconds * len(held))
            yield from [(answer,) for answer in worker.finish(held)]
            held = []
    except MemoryError:
        yield STARVED


def is_full(held: Sequence[Begun]) -> bool:
    """So many files wait, or so large ones, that they are finished."""
    return len(held) >= GROUP or sum(one.weight or 0 for one in held) > GROUP_BYTES


def _end_with_the_program(tasks: int) -> None:
    """Leave when the pipe that tasks come from was closed at its other end, whatever is being read: it may wait for ever.

    Where there is no `poll` (Windows) the next look at the pipe ends the worker. A program that is content with its answers
    ends its workers itself.
    """
    if not hasattr(select, "poll"):
        return
    line = select.poll()
    line.register(tasks, 0)  # nothing is asked for but the hang-up, which is always told

    def watch() -> None:
        line.poll()
        os._exit(1)

    before = threading.stack_size(THREAD_BYTES)
    threading.Thread(target=watch, daemon=True).start()
    threading.stack_size(before)


def answer_of(worker: Worker, task: Any) -> object:
    """The answer as the only one of a tuple, or `STARVED`."""
    try:
        return (worker.measure(task),)
    except MemoryError:
        return STARVED
