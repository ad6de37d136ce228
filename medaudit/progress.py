"""Shows how far a scan is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """A progress bar with the time left, on the error stream; gone when the stage is done."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._stage = ""

    def start(self, stage: str, total: int) -> None:
        """A new bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

        counted = [BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()] if total else [SpinnerColumn()]
        self._progress = Progress(TextColumn("{task.description}"), *counted, console=Console(stderr=True), transient=True)
        self._stage = stage
        self._progress.start()
        self._task = self._progress.add_task(stage, total=total or None)

    def advance(self, count: int = 1) -> None:
        """Move the bar."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)

    def doing(self, work: str) -> None:
        """Name the work beside the stage."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=f"{self._stage}: {work}")

    def say(self, words: str) -> None:
        """A sentence that stays, above the bar where there is one."""
        from rich.console import Console

        console = Console(stderr=True) if self._progress is None else self._progress.console
        console.print(words, markup=False, highlight=False)

    def finish(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
        self._progress = self._task = None


class Lines:
    """For logs: a line at the start of a large stage and at every further tenth of it; of a small one that takes its time, now
    and then."""

    def __init__(
        self, stream: TextIO, *, least: int = 1000, patience: float = 20.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._least, self._patience, self._clock = least, patience, clock
        self._stage, self._total, self._done, self._said = "", 0, 0, clock()
        self._work = ""
        self._timer: threading.Timer | None = None

    def start(self, stage: str, total: int) -> None:
        """Remember the stage; short ones stay silent."""
        self._stage, self._total, self._done, self._said = stage, total, 0, self._clock()
        self._work = ""
        if total >= self._least:
            self._say()

    def advance(self, count: int = 1) -> None:
        """Say so when another tenth is done, or nothing was said for long."""
        before = 10 * self._done // max(1, self._total)
        self._done += count
        tenth = self._total >= self._least and 10 * self._done // self._total > before
        if tenth or (self._total > 0 and self._clock() - self._said > self._patience):
            self._say()

    def doing(self, work: str) -> None:
        """Remember the work, and name it while it lasts longer than patience does."""
        self._still()
        self._work = work
        self._timer = threading.Timer(self._patience, self._say)
        self._timer.daemon = True
        self._timer.start()

    def say(self, words: str) -> None:
        """A sentence of its own."""
        self._stream.write(f"{words}\n")
        self._stream.flush()

    def finish(self) -> None:
        """The last tenth was said; nothing is being done any more."""
        self._still()

    def _still(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _say(self) -> None:
        now = f", now {self._work}" if self._work else ""
        self._stream.write(f"{self._stage}: {self._done:,} of {self._total:,}{now}\n")
        self._stream.flush()
        self._said = self._clock()
