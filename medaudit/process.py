"""What the command asks of its process: three open streams, one interruption at a time, a last word that never fails."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

EXIT_INTERRUPTED = 130
INTERRUPTED = "interrupted; nothing was written"
_ENDING = b"medaudit: ending; once more ends it at once, and may leave temporary files behind\n"


def open_streams() -> None:
    """Open what was closed (`>&-`): the next file that is opened would take the place of the terminal, and be written into."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)  # takes the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def say(text: str) -> None:
    """One line for who runs it; where nobody can be told (a full disk, a closed pipe) the exit code tells it."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


@contextmanager
def one_interruption(*, to_the_end: bool = False) -> Iterator[None]:
    """Ctrl-C interrupts once: what is under way is tidied up while a second one waits; a third ends the process as it stands.

    Args:
        to_the_end: the process ends behind the block, and what it does last is not interrupted either.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is not signal.default_int_handler:
        yield  # inside another program, or started in the background: that is not ours to decide
        return
    count = 0

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as the system calls it
        nonlocal count
        count += 1
        if count == 1:
            raise KeyboardInterrupt
        if count == 2:
            with suppress(OSError):
                os.write(2, _ENDING)
            return
        os._exit(EXIT_INTERRUPTED)

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN if count and to_the_end else before)
