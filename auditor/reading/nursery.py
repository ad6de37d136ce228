"""Where worker processes come from: one process imports what they need, and is copied for each of them.

An interpreter with numpy and OpenCV takes a quarter of a second of computing to start, and pandas as much again: more than a
worker spends on a hundred files. A copy takes some milliseconds. The nursery reads no file and runs no thread; what it imports
is ours. It keeps no end of a worker's pipes, so that a worker that dies is heard at once, and it goes when the program that
started it has gone: one that died takes its workers with it. Linux alone: elsewhere, and where it cannot be had, every worker
starts afresh. This is the program's side; what the nursery does in its own process is `forking`.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from auditor.reading.forking import NUMBER, ORDER_LENGTH
from auditor.reading.wire import exactly, readable

HOME = str(Path(__file__).resolve().parents[2])
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
READ_AT_START = ("PYTHON", "LD_", "OMP_", "OPENBLAS_", "MKL_", "OPENCV_", "MALLOC_")
"""How variables begin that count when an interpreter or a library starts: others of them need another nursery."""
POSSIBLE = sys.platform == "linux" and hasattr(os, "pidfd_open")
LATEST = 300.0
"""Seconds on the clock that the nursery may take to answer; a busy machine takes many."""
MOST = 2
"""Nurseries of one program."""

_START = "import sys; sys.path.insert(0, {home!r}); from auditor.reading.forking import keep; keep({place}, {program})"


@dataclass(kw_only=True, eq=False)
class Child:
    """A worker process that the nursery made; used as a `subprocess.Popen` is."""

    pid: int
    stdin: IO[bytes]
    stdout: IO[bytes]
    returncode: int | None = None
    _handle: int = -1
    _status: int = -1

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._heard(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        code = self._heard(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return code

    def kill(self) -> None:
        """End it; one that has ended stays as it is."""
        with suppress(OSError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def _heard(self, timeout: float | None) -> int | None:
        # the kernel says that it has ended, the nursery how; where the nursery was killed nobody knows how
        if self.returncode is None and readable(self._handle, timeout):
            told = os.read(self._status, NUMBER.size) if readable(self._status, 5) else b""
            self.returncode = NUMBER.unpack(told)[0] if len(told) == NUMBER.size else -signal.SIGKILL
            for place in (self._handle, self._status):
                os.close(place)
            self._handle = self._status = -1
        return self.returncode

    def __del__(self) -> None:
        for place in (self._handle, self._status):
            if place >= 0:
                os.close(place)


@dataclass(kw_only=True, eq=False)
class Nursery:
    """One such process, as its program sees it."""

    process: subprocess.Popen[bytes]
    line: socket.socket

    @staticmethod
    def begin() -> Nursery:
        """Start one.

        Raises:
            OSError: there is no memory or no process for it.
        """
        line, other = socket.socketpair()
        line.settimeout(LATEST)
        with other:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own code
                [sys.executable, "-P", "-c", _START.format(home=HOME, place=other.fileno(), program=os.getpid())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(other.fileno(),), env={**os.environ, **ONE_THREAD},
            )  # fmt: skip
        return Nursery(process=process, line=line)

    def bear(self, code: str, prepared: Sequence[str]) -> Child:
        """A process that runs `code`, with pipes to its standard input and output, here and in the present environment.

        Args:
            prepared: `module` or `module:function`: imported, and called, once by the nursery for all that come after.

        Raises:
            OSError: it cannot be started; `ConnectionError` where it is the nursery that has gone.
        """
        order = pickle.dumps((code, tuple(prepared), {**os.environ, **ONE_THREAD}), protocol=5)
        here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        pipes = [os.pipe() for _ in range(3)]  # each closed when a program is run
        (their_in, to_them), (from_them, their_out), (status, their_status) = pipes
        try:
            socket.send_fds(self.line, [ORDER_LENGTH.pack(len(order))], [their_in, their_out, their_status, here])
            self.line.sendall(order)
            told, handles, _, _ = socket.recv_fds(self.line, NUMBER.size, 1)
            (pid,) = NUMBER.unpack(told + exactly(self.line, NUMBER.size - len(told)))
            if pid < 0:
                raise OSError(-pid, os.strerror(-pid))
        except BaseException as error:
            for place in (to_them, from_them, status):
                os.close(place)
            if isinstance(error, EOFError | TimeoutError | ConnectionError):
                raise ConnectionError("the nursery has gone") from None
            raise
        finally:
            for place in (their_in, their_out, their_status, here):
                os.close(place)
        # unbuffered: a buffered answer would be invisible to the selector
        child = Child(pid=pid, stdin=os.fdopen(to_them, "wb", 0), stdout=os.fdopen(from_them, "rb", 0))
        child._handle, child._status = handles[0], status
        return child

    def leave(self) -> None:
        """It may go when its workers have gone."""
        self.line.close()

    def end(self) -> None:
        """It goes; what its workers computed is counted as ours."""
        self.line.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(kw_only=True, eq=False)
class Nurseries:
    """The nurseries of this program, by what their environment says at the start; the last few are kept."""

    _open: dict[tuple[object, ...], Nursery] = field(default_factory=dict)
    _leaving: list[tuple[object, Nursery]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def bear(self, code: str, prepared: Sequence[str]) -> Child | None:
        """A worker process (see `Nursery.bear`), or None where there can be no nursery.

        Raises:
            OSError: there is no memory or no process for one more.
        """
        if not POSSIBLE:
            return None
        said = (name for name in os.environ if name.startswith(READ_AT_START))
        # a copy of this program must not talk on the line of the first
        kind = (os.getpid(), sys.executable, *((name, os.environ[name]) for name in sorted(said)))
        with self._lock:
            self._leaving = [(owner, one) for owner, one in self._leaving if one.process.poll() is None]
            for _ in range(2):
                nursery = self._open.pop(kind, None) or Nursery.begin()
                try:
                    child = nursery.bear(code, prepared)
                except ConnectionError:
                    nursery.end()
                    continue
                except OSError:
                    self._open[kind] = nursery
                    raise
                self._open[kind] = nursery
                while len(self._open) > MOST:
                    oldest = next(iter(self._open))
                    self._leaving.append((oldest[0], self._open.pop(oldest)))
                    self._leaving[-1][1].leave()
                return child
        return None

    def end(self) -> None:
        """They go, with the program."""
        for owner, nursery in [*((kind[0], one) for kind, one in self._open.items()), *self._leaving]:
            if owner == os.getpid():
                nursery.end()
        self._open.clear()
        self._leaving.clear()


NURSERIES = Nurseries()
atexit.register(NURSERIES.end)
