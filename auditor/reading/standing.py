"""One worker that stays: tables are read one after the other while a dataset is opened, and a start costs more than a table.

It is replaced when it dies, hangs, or is asked for other limits, and ends with the program. Asking it twice at once waits.
"""

from __future__ import annotations

import atexit
import selectors
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from auditor.reading.bounds import clock_limit
from auditor.reading.workers import STARTING, Process, Work, receive


@dataclass(kw_only=True, eq=False)
class Standing:
    """A worker process and what it was told; started when it is first asked."""

    worker: Process | None = None
    answered: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, work: Work, task: Any) -> Any:
        """The answer to one task. Where a worker that had done others before is lost, a new one gets the task alone."""
        with self._lock:
            if self.worker is None or self.worker.work != work or not self._is_alive():
                self.stop()
            used = self.answered > 0
            try:
                answer, lost = self._answer(work, task)
                if lost and used:
                    answer, lost = self._answer(work, task)
            except BaseException:
                self.stop()  # an interruption leaves an answer on its way
                raise
            return answer

    def stop(self) -> None:
        """End the process."""
        if self.worker is not None:
            self.worker.stop()
        self.worker, self.answered = None, 0

    def _is_alive(self) -> bool:
        return self.worker is not None and self.worker.process is not None and self.worker.process.poll() is None

    def _answer(self, work: Work, task: Any) -> tuple[Any, bool]:
        if self.worker is None:
            self.worker = Process(work=work)
            self.worker.start()
        worker, longest = self.worker, clock_limit(work.limits)
        assert worker.process is not None
        assert worker.process.stdout is not None
        cause: tuple[str, str] | None = None
        try:
            if not self.answered:
                cause = self._waited(worker, max(longest, STARTING))  # it says that it is ready
            if cause is None:
                worker.give([task])
                cause = self._waited(worker, longest)
        except (BrokenPipeError, EOFError):
            cause = worker.cause()
        if cause is None:
            worker.pending.clear()
            self.answered += 1
            return self._received, False
        self.stop()
        return work.lost(task, *cause), True

    _received: Any = None

    def _waited(self, worker: Process, seconds: float) -> tuple[str, str] | None:
        """Receive one message; why it did not come, where it did not."""
        assert worker.process is not None
        assert worker.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(worker.process.stdout, selectors.EVENT_READ)
            end = time.monotonic() + seconds
            while not selector.select(timeout=1.0):
                if time.monotonic() > end:
                    return "timeout", f"reading it took more than {seconds:g} s; the file was left out"
        message = receive(worker.process.stdout)
        self._received = message[0] if isinstance(message, tuple) else None
        return None


STANDING = Standing()
atexit.register(STANDING.stop)
