"""Files of ours are written whole or not at all; of those of others this process looks at the first bytes, and no further."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from auditor.abandoned import HOLDS, abandoned, hold, prefix_of
from auditor.values.errors import ConfigError, MedauditError

CONFIG_NAME = "medaudit.toml"
OWN_OUTPUT = "medaudit-out"
"""The folder that everything is written to where nothing else is said."""
MOST_HEAD_BYTES = 1 << 20
_OF_OURS = (b"medaudit", b'"schema_version"', b"<!doctype html>", b"code,name,severity,path", b"number,record,answer")
"""One of these stands in the first bytes of every report."""
_DRAFT = ".tmp"
_TRIES = 10
_WITHOUT_WAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to read it. Whatever took its place since it was listed (a pipe, a device) is not waited for.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    stream = os.fdopen(os.open(path, _WITHOUT_WAITING), "rb")
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return stream


def head_of(path: Path, count: int, *, end: int = 0) -> bytes:
    """The first `count` bytes of a regular file, and of what follows them the last `end`.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    if count + end > MOST_HEAD_BYTES:
        raise ValueError("what is larger is read by a worker")
    with open_regular(path) as stream:
        content = stream.read(count)
        size = os.fstat(stream.fileno()).st_size
        if end and size > count:
            stream.seek(max(size - end, count))
            content += stream.read(end)
        return content


def is_of_ours(path: Path) -> bool:
    """A file that looks like an output of ours, by its first bytes."""
    try:
        return any(mark in head_of(path, 4096).lower() for mark in _OF_OURS)
    except OSError:
        return False


def check_way(path: Path) -> None:
    """Refuse an output whose folder `medaudit-out` is a link: in a folder that was unpacked it may lead anywhere.

    Raises:
        MedauditError: it is one.
    """
    for folder in (path, *path.parents):
        if folder.name == OWN_OUTPUT and folder.is_symlink():
            raise MedauditError(f"{folder}: is a link, and may lead to files of others; remove it, or name --output")


def spare(outputs: Iterable[Path], dataset: Path, *, usual: str = "") -> None:
    """Refuse an output that would take the place of a file of the dataset, which is only read.

    Args:
        dataset: a folder, or a file in it.
        usual: the name that an output has where none is given: one of those lies there from last time, as reports may.

    Raises:
        ConfigError: it would.
    """
    folder = os.path.realpath(dataset if dataset.is_dir() else dataset.parent)
    for path in outputs:
        # a link is replaced and not followed, so it is the link that is lost
        there = Path(os.path.realpath(path.parent)) / path.name
        if path.name == usual or not there.is_relative_to(folder) or not os.path.lexists(there):
            continue
        if there.is_symlink() or not is_of_ours(there) or there.resolve() == dataset.resolve():
            raise ConfigError(f"{path}: lies in the dataset and is no output of medaudit; it is not written over, name another")


def spare_foreign(outputs: Iterable[Path]) -> None:
    """Refuse to take the place of a file that no medaudit wrote; one that is empty holds nothing to lose.

    Raises:
        ConfigError: an output is such a file.
    """
    for path in outputs:
        if path.is_file() and path.stat().st_size and not is_of_ours(path):
            raise ConfigError(f"{path}: is there already and is no output of medaudit; it is not written over, name another")


def write_files(plan: Mapping[Path, bytes], *, mode: int = 0o666) -> None:
    """Write all files under temporary names, then rename them all: no reader ever sees half a file.

    What an earlier run that was killed while it wrote the same files left beside them is cleared away first.

    Args:
        plan: file → content.
        mode: who may read them, from the first byte on, less what the user's mask takes.

    Raises:
        MedauditError: a folder cannot be written, or the disk is full; it says whether an old file was replaced.
    """
    for path in plan:
        check_way(path)
    waiting: list[tuple[Path, Path]] = []
    drafts: list[BinaryIO] = []
    replaced = 0
    path = Path()
    try:
        for path, content in plan.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            for left in abandoned(path, _DRAFT):
                left.unlink(missing_ok=True)
            stream, temporary = _draft(path, mode)
            drafts.append(stream)
            waiting.append((temporary, path))
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            if not HOLDS:
                stream.close()
        for temporary, path in waiting:
            temporary.replace(path)
            replaced += 1
    except OSError as error:
        state = f"{replaced} of {len(plan)} files were replaced" if replaced else "nothing was replaced"
        raise MedauditError(f"{path}: cannot be written ({error.strerror}); {state}") from error
    finally:
        for stream in drafts:  # held until it has its place; what could not be written cannot be flushed either
            with suppress(OSError):
                stream.close()
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)


def _draft(path: Path, mode: int) -> tuple[BinaryIO, Path]:
    """A new file beside `path`, held: whoever clears away what was abandoned leaves it."""
    for _ in range(_TRIES):
        temporary = path.with_name(f"{prefix_of(path)}{secrets.token_hex(8)}{_DRAFT}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        hold(handle)
        try:
            there = os.path.samestat(os.fstat(handle), temporary.stat())
        except FileNotFoundError:  # taken for abandoned in the moment before it was held
            there = False
        if there:
            return os.fdopen(handle, "wb"), temporary
        os.close(handle)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))
