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
from collections.abc import Sequence
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
        for task in tasks:
            limit_processor(STARTING)
            if isinstance(worker, Prepares):
                worker.prepare(task)
            limit_processor(seconds)
            send(output, answer_of(worker, task))


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
