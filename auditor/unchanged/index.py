"""One digest of everything that lies at some places: what a folder holds, to the last file; nothing is opened."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from auditor.files import OWN_OUTPUT

MOST_ENTRIES = 1_000_000
"""Of a place that holds more (a table in somebody's home, of which the scan reads little) nothing is known."""
SETTLED_NS = 2_000_000_000
"""A file that changed less than this ago may change again within the resolution of its file system's clock."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """What lay there.

    Args:
        digest: of every name, and of sizes, times, inodes, modes and owners; of a link also where it leads.
        settled: nothing changed within the last seconds, by the clock and by the marks of the files.
    """

    digest: bytes
    settled: bool


def index_of(places: Iterable[Path], *, without: frozenset[str] = frozenset((OWN_OUTPUT,))) -> Index | None:
    """Of files and folders, in their order; None where there is too much, or something that cannot be listed.

    Args:
        without: names that are passed over at every depth.
    """
    latest = time.time_ns() - SETTLED_NS
    digest, newest, count = hashlib.sha256(usedforsecurity=False), 0, 0
    try:
        for place in places:
            for line, changed in _lines(os.fsencode(place), without):
                digest.update(len(line).to_bytes(4, "little") + line)
                newest, count = max(newest, changed), count + 1
                if count > MOST_ENTRIES:
                    return None
    except OSError:
        return None
    return Index(digest=digest.digest(), settled=newest < latest)


def _lines(place: bytes, without: frozenset[str]) -> Iterator[tuple[bytes, int]]:
    """What is said of a place and of all below it, and when each last changed in nanoseconds."""
    passed = {os.fsencode(name) for name in without}
    whole = os.path.realpath(place)
    yield b"place\0" + place + b"\0" + whole, 0
    if not os.path.lexists(whole):
        yield b"absent", 0
        return
    told = os.stat(whole)  # noqa: PTH116 - names of foreign bytes
    yield _said(whole, told), _changed(told)
    pending = [whole] if stat.S_ISDIR(told.st_mode) else []
    while pending:
        folder = pending.pop()
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if entry.name in passed:
                continue
            told = entry.stat(follow_symlinks=False)
            yield _said(entry.path, told), _changed(told)
            if stat.S_ISLNK(told.st_mode):
                yield _goal(entry.path)
            elif stat.S_ISDIR(told.st_mode):
                pending.append(entry.path)


def _goal(link: bytes) -> tuple[bytes, int]:
    """Where a link leads, and what lies there; below a folder that it leads to no scan looks."""
    whole = os.path.realpath(link)
    said = b"leads to\0" + os.readlink(link) + b"\0" + whole  # noqa: PTH115
    try:
        told = os.stat(whole)  # noqa: PTH116
    except OSError:
        return said + b"\0nothing", 0
    return said + b"\0" + _said(b"", told), _changed(told)


def _said(path: bytes, told: os.stat_result) -> bytes:
    numbers: tuple[int, ...] = (told.st_mode, told.st_uid, told.st_gid, told.st_dev, told.st_ino)
    if not stat.S_ISDIR(
        told.st_mode
    ):  # what a folder holds is told by what it holds: an output that is passed over is no change
        numbers += (told.st_size, told.st_mtime_ns, told.st_ctime_ns)
    return path + b"\0" + b",".join(b"%d" % number for number in numbers)


def _changed(told: os.stat_result) -> int:
    return 0 if stat.S_ISDIR(told.st_mode) else max(told.st_mtime_ns, told.st_ctime_ns)
