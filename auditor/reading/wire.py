"""What goes between our own processes: pickled messages over pipes, counted bytes over a socket, and waiting for either."""

from __future__ import annotations

import pickle
import selectors
import socket
import struct
import time
from typing import IO

LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes], value: object) -> None:
    """Write one pickled value."""
    content = pickle.dumps(value, protocol=5)
    stream.write(LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes]) -> object:
    """Read one pickled value.

    Raises:
        EOFError: the other side is gone.
    """
    (length,) = LENGTH.unpack(read_exactly(stream, LENGTH.size))
    return pickle.loads(read_exactly(stream, length))  # noqa: S301 - both ends are this program


def read_exactly(stream: IO[bytes], count: int) -> bytes:
    """`count` bytes of a pipe, however it slices them.

    Raises:
        EOFError: the other side is gone.
    """
    parts: list[bytes] = []
    while count:
        part = stream.read(count)
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def readable(place: int, timeout: float | None) -> bool:
    """Something can be read there, at latest after so many seconds."""
    end = None if timeout is None else time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        selector.register(place, selectors.EVENT_READ)
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            if selector.select(left):
                return True
            if left == 0.0:
                return False


def exactly(line: socket.socket, count: int) -> bytes:
    """So many bytes.

    Raises:
        EOFError: the other end was closed.
    """
    parts = b""
    while len(parts) < count:
        part = line.recv(count - len(parts))
        if not part:
            raise EOFError
        parts += part
    return parts
