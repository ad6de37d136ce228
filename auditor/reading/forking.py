"""The life of a nursery: it imports what workers need, and makes a copy of itself for each order (see `nursery`).

It reads no file and runs no thread, keeps no end of a worker's pipes, and tells how each worker ended. When its program has
died (not when that has only let it go) it ends the workers, whatever they are at: one that waits in the kernel for a file, or
is inside a codec, would hear of it late or never.
"""

from __future__ import annotations

import errno
import gc
import importlib
import os
import pickle
import selectors
import signal
import socket
import struct
from contextlib import suppress

from auditor.reading.wire import exactly

ORDER_LENGTH, NUMBER = struct.Struct("<I"), struct.Struct("<i")
"""How long an order is; the number of a worker, or how it ended."""


def keep(place: int, program: int) -> None:
    """The nursery's life: orders from the socket at `place`, until its other end is closed and all workers have ended.

    Args:
        program: number of the process that started it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program
    signal.signal(signal.SIGCHLD, lambda *_: None)
    os.chdir("/")  # no folder is held
    line = socket.socket(fileno=place)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    its_end = os.pidfd_open(program)
    if os.getppid() != program:  # it died before it could be watched
        return
    living: dict[int, int] = {}
    done: set[str] = set()
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        selector.register(its_end, selectors.EVENT_READ)
        listening, orphaned = True, False
        while listening or living:
            for key, _ in selector.select():
                if key.fileobj is line:
                    try:
                        _obey(line, living, done, (woken, wake, its_end, selector))
                    except (EOFError, ConnectionError):
                        selector.unregister(line)
                        listening = False
                elif key.fd == its_end:
                    selector.unregister(its_end)
                    listening, orphaned = False, True
                else:
                    with suppress(BlockingIOError):
                        os.read(woken, 512)
            for pid in living if orphaned else ():  # none of them was reaped yet, so that no other process is meant
                os.kill(pid, signal.SIGKILL)
            _reap(living)


def _obey(
    line: socket.socket, living: dict[int, int], done: set[str], own: tuple[int, int, int, selectors.BaseSelector]
) -> None:
    """One order: a copy of this process is made, and its number told."""
    head, places, _, _ = socket.recv_fds(line, ORDER_LENGTH.size, 4)
    if not head:
        raise EOFError
    head += exactly(line, ORDER_LENGTH.size - len(head)) if len(head) < ORDER_LENGTH.size else b""
    code, prepared, environment = pickle.loads(exactly(line, ORDER_LENGTH.unpack(head)[0]))  # noqa: S301 - from our own program
    for name in prepared:
        if name not in done:
            done.add(name)
            _prepare(name)
    gc.freeze()  # what is there now is never looked at again, so that its memory stays shared
    try:
        pid = os.fork()
    except OSError as error:
        pid = -(error.errno or errno.EAGAIN)
    if pid == 0:
        for end in (line.fileno(), *own[:3], *living.values()):
            os.close(end)
        own[3].close()
        _live(code, environment, *places)
    else:
        for end in (*places[:2], places[3]):
            os.close(end)
        if pid < 0:
            os.close(places[2])
            line.sendall(NUMBER.pack(pid))
            return
        living[pid] = places[2]
        handle = os.pidfd_open(pid)  # before it can be reaped, so that it is no other process that is meant
        socket.send_fds(line, [NUMBER.pack(pid)], [handle])
        os.close(handle)


def _prepare(name: str) -> None:
    """Import a module, or call a function of it; what fails here fails in the worker, which says so."""
    module, _, function = name.partition(":")
    with suppress(Exception):
        loaded = importlib.import_module(module)
        if function:
            getattr(loaded, function)()


def _live(code: str, environment: dict[str, str], their_in: int, their_out: int, status: int, here: int) -> None:
    """The life of the copy: as if an interpreter had been started with `code`."""
    ended = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.fchdir(here)
        os.dup2(their_in, 0)
        os.dup2(their_out, 1)
        for place in (their_in, their_out, status, here):
            os.close(place)
        os.environ.clear()
        os.environ.update(environment)
        exec(code, {"__name__": "__main__"})  # noqa: S102 - our own code
        ended = 0
    finally:
        os._exit(ended)  # nothing of what the nursery would do at its end


def _reap(living: dict[int, int]) -> None:
    """Tell how the workers ended that have."""
    for pid in list(living):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            place = living.pop(pid)
            with suppress(OSError):
                os.write(place, NUMBER.pack(os.waitstatus_to_exitcode(status)))
            os.close(place)
