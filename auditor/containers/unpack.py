"""Files out of a zip or tar archive, written below one folder: called inside a bounded worker.

An archive is a stranger's: a name may lead out of the folder, a link anywhere, a size may be a lie, a kilobyte may swell to
gigabytes. Regular files alone are taken, under names that stay inside, and bytes are counted as they come.

Source: PKWARE APPNOTE 6.3.10; POSIX.1-2017, pax, "ustar Interchange Format".
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from auditor.containers.filling import Allowed, Room, Unpacked, emptied, inside
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

MOST_HEADER = 1 << 16
"""Bytes of a header of a tar that says more of the next member (its long name, its attributes)."""
MOST_GLOBAL = 1 << 12
"""Bytes of one that speaks of all members that follow: each of them takes all of it up anew."""
MOST_ENTRY, LEAST_LIST = 400, 1 << 20
"""Bytes of a member in the list at the end of a zip, on the average; the list may have so many in any case."""
LOOKED_THROUGH = 64 << 20
"""Bytes of a compressed tar that is looked through before a file is written; others would cost their unpacking twice."""
ASIDE = frozenset(("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"))
"""What systems add to archives: no file of the data set."""
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_SAYS_MORE = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip
_DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, NotImplementedError, RuntimeError,
)  # fmt: skip
_ENTRY = b"PK\x01\x02"
"""Begins a member in the list at the end of a zip."""
_PACKED: Mapping[bytes, Any] = {b"\x1f\x8b\x08": gzip, b"BZh": bz2, b"\xfd7zXZ\0": lzma, b"\x5d\0\0\x80": lzma}
"""Begins what a tar may be packed with; the last is xz's forerunner."""
_LOCAL = 30
"""Bytes before the name of a zip's member."""


def unpack(limits: Limits, archive: Path, folder: Path, allowed: Allowed) -> Unpacked:  # noqa: ARG001 - a worker's are set before
    """Write the regular files of a zip or tar (also gzipped, bzip2, xz) below `folder`, which is there; what is in it goes.

    Args:
        allowed: what may come out of it.

    Raises:
        UnreadableFile: no archive that can be read, damaged, or more than is allowed.
    """
    room = Room(emptied(folder), allowed)
    with _reading():
        if _is_zip(archive):
            _unzip(archive, room)
        else:
            _look_through(archive, room.allowed)
            _untar(archive, room)
    return room.told()


def _is_zip(archive: Path) -> bool:
    """By the first bytes; where they say nothing (a program that unpacks itself) by the last ones. A tar whose last member is a
    zip ends as a zip does."""
    with archive.open("rb") as stream:
        if stream.read(len(_ZIPS[0])) in _ZIPS:
            return True
    try:
        with _tar(archive):
            return False
    except (*_DAMAGED, OSError):
        return zipfile.is_zipfile(archive)


@contextmanager
def _reading() -> Iterator[None]:
    """What the libraries raise of a damaged archive, in one word of ours. Texts of theirs may hold names of members."""
    try:
        yield
    except _DAMAGED as error:
        raise UnreadableFile("malformed", f"no whole zip or tar archive ({type(error).__name__})") from None
    except OSError as error:
        if error.errno is None:  # gzip, bzip2 and xz call damaged data so
            raise UnreadableFile("malformed", "no whole zip or tar archive (damaged)") from None
        raise UnreadableFile("refused", f"it cannot be unpacked ({error.strerror})") from None


def _unzip(archive: Path, room: Room) -> None:
    with _Listed(archive, room.allowed) as stream, zipfile.ZipFile(stream) as opened:
        stream.opened = True
        members = opened.infolist()
        _check_declared(members, room.allowed)
        for info in members:
            room.meet()
            if info.is_dir() or _is_aside(info.filename):
                continue
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                room.refused["a link or a device"] += 1
            elif info.flag_bits & 1:
                room.refused["locked with a password"] += 1
            elif (name := room.place(info.filename)) is not None:
                with opened.open(info) as member:
                    room.put(name, member)


class _Listed(io.BufferedReader):
    """A zip of which the list of members, which Python reads at once, is bounded: it need not say truly how many it lists."""

    def __init__(self, archive: Path, allowed: Allowed) -> None:
        super().__init__(io.FileIO(archive))
        self._allowed, self.opened = allowed, False

    def read(self, size: int | None = -1, /) -> bytes:
        most = max(LEAST_LIST, MOST_ENTRY * self._allowed.files)
        if not self.opened and size is not None and size > most:
            raise UnreadableFile("too-large", f"its list of members has more than {most / 1e6:,.1f} MB: raise --most-files")
        content = super().read(size)
        if not self.opened and content.count(_ENTRY) > self._allowed.files:
            raise self._allowed.too_many()
        return content


def _check_declared(members: list[zipfile.ZipInfo], allowed: Allowed) -> None:
    """Refuse, before a byte is written, what says itself that it is too large, and members that share their bytes: by that a
    few kilobytes hold as much as anybody wants (D. Fifield, "A better zip bomb", WOOT 2019).

    Raises:
        UnreadableFile: kind `too-large` or `refused`.
    """
    if sum(info.file_size for info in members) > allowed.bytes:
        raise allowed.too_large()
    end = 0
    for info in sorted(members, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise UnreadableFile(
                "refused", "members of it lie in one another, as no archive that was packed in earnest has them"
            )
        end = info.header_offset + _LOCAL + info.compress_size


def _packing(archive: Path) -> Any:
    """The module that reads what a tar was packed with; None for a plain one."""
    with archive.open("rb") as stream:
        head = stream.read(6)
    return next((module for magic, module in _PACKED.items() if head.startswith(magic)), None)


@contextmanager
def _tar(archive: Path, *, plain: bool = False) -> Iterator[tarfile.TarFile]:
    """A tar from its first byte on, unpacked bit by bit; its packing may be several streams in a row, of which tarfile alone
    would read the first.

    Args:
        plain: it was packed by nothing, and members may be passed over unread.
    """
    packing = _packing(archive)
    with (
        archive.open("rb") if packing is None else packing.open(archive) as stream,
        tarfile.open(fileobj=stream, mode="r:" if plain else "r|", tarinfo=_Member) as opened,
    ):
        yield opened


def _look_through(archive: Path, allowed: Allowed) -> None:
    """Count what a tar declares, where that costs little: to write and remove a hundred thousand files costs much.

    Raises:
        UnreadableFile: kind `too-large`.
    """
    plain = _packing(archive) is None
    if not plain and archive.stat().st_size > LOOKED_THROUGH:
        return
    nothing = Room(archive.parent, allowed)
    with _tar(archive, plain=plain) as opened:
        for member in _members(opened, nothing):
            if _is_whole(member):
                nothing.needed(inside(member.name) or "")
                nothing.spend(member.size)


def _members(opened: tarfile.TarFile, room: Room) -> Iterator[tarfile.TarInfo]:
    """The members one by one, counted; each may be read until the next one is asked for."""
    while (member := opened.next()) is not None:
        opened.members = []  # type: ignore[attr-defined]  # it would keep every header
        room.meet()
        if not _is_whole(member):  # all of it is read to come behind it
            room.spend(max(0, opened.offset - member.offset_data))
        elif member.size > room.left:
            raise room.allowed.too_large()
        yield member


def _is_whole(member: tarfile.TarInfo) -> bool:
    """A regular file of the data set, with all its bytes."""
    return member.isreg() and not member.issparse() and not _is_aside(member.name)


def _untar(archive: Path, room: Room) -> None:
    with _tar(archive) as opened:
        for member in _members(opened, room):
            if member.isdir() or _is_aside(member.name):
                continue
            if not member.isreg():
                room.refused["a link or a device"] += 1
            elif member.issparse():  # a line that declares a terabyte of holes is no data
                room.refused["a file of holes (sparse)"] += 1
            elif (name := room.place(member.name)) is not None:
                stream = opened.extractfile(member)
                assert stream is not None
                room.put(name, stream)


class _Member(tarfile.TarInfo):
    """A header. Python takes a damaged one for the end of the archive, so that all behind it would be lost without a word."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        member = super().frombuf(buf, encoding, errors)
        most = MOST_GLOBAL if member.type == tarfile.XGLTYPE else MOST_HEADER
        if member.type in _SAYS_MORE and member.size > most:
            raise UnreadableFile("refused", f"what it says of its members is longer than {most >> 10:,} KiB in one place")
        return member

    @classmethod
    def fromtarfile(cls, tarfile_of: tarfile.TarFile) -> _Member:
        try:
            member = super().fromtarfile(tarfile_of)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError):  # type: ignore[attr-defined]
            raise tarfile.ReadError("a damaged header") from None
        if member.size < 0:  # an offset that goes back
            raise tarfile.ReadError("a damaged header")
        return member


def _is_aside(name: str) -> bool:
    return not ASIDE.isdisjoint(PurePosixPath(name.replace("\\", "/")).parts)
