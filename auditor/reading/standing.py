"""One worker that stays: tables are read one after the other while a dataset is opened, and a start costs more than a table.

It is replaced when it dies, hangs, is asked for other limits or from another working directory (paths may be relative), and
ends with the program. Asking it twice at once waits.
"""

from __future__ import annotations

import atexit
import os
import selectors
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from auditor.reading.bounds import clock_limit
from auditor.reading.losses import LOSSES
from auditor.reading.process import Process, no_worker, too_large
from auditor.reading.serving import STARTING, STARVED, Work
from auditor.reading.wire import receive
from auditor.values.errors import MedauditError

_LATE, _GONE = "late", "gone"


@dataclass(kw_only=True, eq=False)
class Standing:
    """A worker process and what it was told; started when it is first asked."""

    worker: Process | None = None
    answered: int = 0
    place: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, work: Work, task: Any) -> Any:
        """The answer to one task. What a worker was lost on, not by its own computing, a new one is given alone once more.

        Raises:
            MedauditError: no worker can be started.
        """
        if not LOSSES.allowed(work.limits):
            LOSSES.count += 1
            return work.lost(task, *LOSSES.not_read())
        with self._lock:
            place = _working_directory()
            if self.worker is None or self.worker.work != work or self.place != place or not self._is_alive():
                self.stop()
            self.place = place
            try:
                used = self.answered > 0
                heard, cause = self._heard(work, task)
                if cause is not None and (cause[0] == "crashed" or (used and cause[0] == "memory")):
                    heard, cause = self._heard(work, task)
            except BaseException:
                self.stop()  # an interruption leaves an answer on its way
                raise
            if cause is None:
                return heard
            LOSSES.count += 1
            return work.lost(task, *cause)

    def stop(self) -> None:
        """End the process."""
        if self.worker is not None:
            self.worker.stop()
        self.worker, self.answered = None, 0

    def _is_alive(self) -> bool:
        return self.worker is not None and self.worker.process is not None and self.worker.process.poll() is None

    def _heard(self, work: Work, task: Any) -> tuple[Any, tuple[str, str] | None]:
        """The answer, or why there is none; then the worker is gone."""
        longest = clock_limit(work.limits)
        if self.worker is None:
            self.worker = Process(work=work)
            try:
                self.worker.start()
            except (OSError, MemoryError) as error:
                raise MedauditError(no_worker("the tables", getattr(error, "strerror", None) or "no memory")) from None
            if _message(self.worker, max(longest, STARTING)) is not None:
                raise MedauditError(no_worker("the tables", "it ends before it is ready"))
        worker = self.worker
        worker.give([task])
        answer = _message(worker, worker.longest)
        if isinstance(answer, tuple):
            worker.pending.clear()
            self.answered += 1
            return answer[0], None
        if answer == STARVED:
            cause = too_large(work)
        elif answer == _LATE:
            cause = worker.too_late()
        else:
            cause = worker.cause()
        if cause[0] == "timeout":
            worker.charge()
        self.stop()
        return None, cause


def _working_directory() -> str:
    """Where relative paths start; empty where the folder is gone."""
    try:
        return os.getcwd()  # noqa: PTH109 - as the kernel says it
    except OSError:
        return ""


def _message(worker: Process, seconds: float) -> object:
    """The next message of a worker; `_LATE` or `_GONE` where none comes."""
    assert worker.process is not None
    assert worker.process.stdout is not None
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(worker.process.stdout, selectors.EVENT_READ)
        while not selector.select(timeout=1.0):
            if time.monotonic() > end:
                return _LATE
    try:
        return receive(worker.process.stdout)
    except EOFError:
        return _GONE


STANDING = Standing()
atexit.register(STANDING.stop)
