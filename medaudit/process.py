"""What the command asks of its process: three open streams, one interruption at a time, a last word that never fails."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

EXIT_INTERRUPTED = 130
LAUNCHED = "TORCHELASTIC_RUN_ID"
"""torchrun's mark in the environment."""
INTERRUPTED = "interrupted; nothing was written"
_KEPT = ((-1, 64 << 20), (-2, 4 << 20), (-3, 32 << 20))
"""M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD of <malloc.h>, and bytes: the last is what glibc itself goes up to."""
_told: list[int] = []
"""The signals that ended what was under way, the first one first."""
_MOMENT = 0.02
"""Seconds after which an interruption that was lost is sent again."""
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


def keep_memory() -> None:
    """Ask glibc to keep some of what is freed: a scan makes and drops tables by the hundred, and the kernel would clear every
    page of each anew, half of all page faults of a scan. Elsewhere nothing is asked."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):  # another C library has no such word
            for what, size in _KEPT:
                ctypes.CDLL(None).mallopt(what, size)


def say(text: str) -> None:
    """One line for who runs it; where nobody can be told (a full disk, a closed pipe) the exit code tells it."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


@contextmanager
def one_interruption(*, to_the_end: bool = False) -> Iterator[None]:
    """Ctrl-C interrupts once: what is under way is tidied up while a second one waits; a third ends the process as it stands.
    SIGTERM is the same for a program that nobody sits before.

    Args:
        to_the_end: the process ends behind the block, and what it does last is not interrupted either.
    """
    untouched: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    # inside another program, or started in the background: that is not ours to decide
    ours = [number for number, usual in untouched.items() if signal.getsignal(number) is usual]
    if threading.current_thread() is not threading.main_thread() or not ours:
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as the system calls it
        _told.append(number)
        if len(_told) == 1:
            raise KeyboardInterrupt
        if len(_told) == 2:
            with suppress(OSError):
                os.write(2, _ENDING)
            return
        os._exit(exit_code_of(EXIT_INTERRUPTED))

    for number in ours:
        signal.signal(number, handle)
    before, sys.unraisablehook = sys.unraisablehook, _raise_again
    try:
        yield
    finally:
        if sys.unraisablehook is _raise_again:
            sys.unraisablehook = before
        for number in ours:
            signal.signal(number, signal.SIG_IGN if to_the_end else untouched[number])
        if not to_the_end:
            _told.clear()


def _raise_again(lost: Any) -> None:
    """An interruption that fell into what Python calls between two steps (a finaliser, the locks of imports) is printed by
    Python and lost: it is sent again, a moment later."""
    if not (isinstance(lost.exc_value, KeyboardInterrupt) and len(_told) == 1):
        sys.__unraisablehook__(lost)
        return
    again = threading.Timer(_MOMENT, os.kill, (os.getpid(), _told.pop()))
    again.daemon = True
    again.start()


def exit_code_of(code: int) -> int:
    """That of an interrupted command says by which signal it was: 130 Ctrl-C, 143 SIGTERM."""
    return 128 + _told[0] if code == EXIT_INTERRUPTED and _told else code


def leave(code: int) -> int:
    """What is done at the end of a program, and its end with this exit code, where a signal ended what was under way or where
    torchrun started it.

    Python itself would end by SIGINT where the interruption fell into text that it runs (`exec`, as in the making of a named
    tuple), even though it was caught: 130 where SIGTERM was sent. And of several processes that train together one in twenty
    was aborted behind Python's end, by a thread that PyTorch leaves, which torchrun takes for the failure of all.

    Returns:
        the code, in all other cases.
    """
    if _told or LAUNCHED in os.environ:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)
    return code
