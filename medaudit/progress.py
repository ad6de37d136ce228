"""Shows how far a scan is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """A progress bar with the time left, on the error stream; gone when the stage is done."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def start(self, stage: str, total: int) -> None:
        """A new bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

        counted = [BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()] if total else [SpinnerColumn()]
        self._progress = Progress(TextColumn("{task.description}"), *counted, console=Console(stderr=True), transient=True)
        self._progress.start()
        self._task = self._progress.add_task(stage, total=total or None)

    def advance(self, count: int = 1) -> None:
        """Move the bar."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)

    def finish(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
        self._progress = self._task = None


class Lines:
    """A line at the start of a long stage and one at every further tenth of it, for logs."""

    def __init__(self, stream: TextIO, *, least: int = 1000) -> None:
        self._stream = stream
        self._least = least
        self._stage, self._total, self._done = "", 0, 0

    def start(self, stage: str, total: int) -> None:
        """Remember the stage; short ones stay silent."""
        self._stage, self._total, self._done = stage, total, 0
        if total >= self._least:
            self._say()

    def advance(self, count: int = 1) -> None:
        """Say so when another tenth is done."""
        before = 10 * self._done // max(1, self._total)
        self._done += count
        if self._total >= self._least and 10 * self._done // self._total > before:
            self._say()

    def finish(self) -> None:
        """Nothing: the last tenth was said."""

    def _say(self) -> None:
        self._stream.write(f"{self._stage}: {self._done:,} of {self._total:,}\n")
        self._stream.flush()
