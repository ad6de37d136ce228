"""Files out of a zip or tar archive, written below one folder: called inside a bounded worker.

An archive is a stranger's: a name may lead out of the folder, a link anywhere, a size may be a lie, a kilobyte may swell to
gigabytes. Regular files alone are taken, under names that stay inside, and bytes are counted as they come.

Source: PKWARE APPNOTE 6.3.10; POSIX.1-2017, pax, "ustar Interchange Format".
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

PIECE = 1 << 20
MOST_FILES = 5_000_000
MOST_NAME = 255
"""Bytes of one part of a name, on all usual file systems."""
MOST_PATH = 1000
"""Bytes of a whole name: it comes behind that of the folder, and systems take 1,024 (macOS) to 4,096 for both."""
MOST_PARTS = 40
"""Folders within folders; every tool that walks through deeper ones, ours too, may give up."""
ASIDE = frozenset(("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"))
"""What systems add to archives: no file of the data set."""
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL = 30
"""Bytes before the name of a zip's member."""


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """What came out of one archive.

    Args:
        files: names relative to the folder, with forward slashes, in the order of the archive.
        bytes: of all of them.
        refused: why a member was left out → how many.
    """

    files: tuple[str, ...] = ()
    bytes: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class _Room:
    """The folder that is filled, and what may still go into it."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.left = folder, most
        self.files: dict[str, int] = {}
        self.refused: Counter[str] = Counter()

    def place(self, name: str) -> str | None:
        """The name as it is written, or None where it is not (and the reason is counted)."""
        clean = inside(name)
        if clean is None:
            self.refused["a name that leads out of the folder, or that no file can have"] += 1
        elif clean in self.files:
            self.refused["a name that is there twice"] += 1
            clean = None
        elif len(self.files) >= MOST_FILES:
            raise UnreadableFile("too-large", f"it holds more than {MOST_FILES:,} files")
        return clean

    def put(self, name: str, stream: IO[bytes]) -> None:
        """Write one file, and count its true bytes."""
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as out:
                size = 0
                while piece := stream.read(PIECE):
                    size += len(piece)
                    if size > self.left:
                        raise _too_large()
                    out.write(piece)
        except (FileExistsError, NotADirectoryError):
            self.refused["a name that is a folder elsewhere in the archive, or is there in other letters"] += 1
            return
        self.left -= size
        self.files[name] = size

    def told(self) -> Unpacked:
        """All of it."""
        return Unpacked(files=tuple(self.files), bytes=sum(self.files.values()), refused=self.refused)


def inside(name: str) -> str | None:
    """A member's name as a relative path that stays in the folder; None where it has none such."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    rooted = name.startswith(("/", "\\")) or name[1:2] == ":"
    if not parts or rooted or ".." in parts or "\0" in name or len(parts) > MOST_PARTS:
        return None
    try:
        sizes = [len(part.encode("utf-8")) for part in parts]
    except UnicodeEncodeError:
        return None
    return "/".join(parts) if max(sizes) <= MOST_NAME and sum(sizes) + len(sizes) <= MOST_PATH else None


def unpack(limits: Limits, archive: Path, folder: Path, most: int) -> Unpacked:  # noqa: ARG001 - a worker's are set before
    """Write the regular files of a zip or tar (also gzipped, bzip2, xz) below `folder`, which is there and empty.

    Args:
        most: bytes that may be written.

    Raises:
        UnreadableFile: no archive that can be read, damaged, or more than `most`.
    """
    room = _Room(folder, most)
    with _reading():
        if _is_zip(archive):
            _unzip(archive, room)
        else:
            _untar(archive, room)
    return room.told()


def _is_zip(archive: Path) -> bool:
    """By the first bytes; where they say nothing (a program that unpacks itself) by the last ones. A tar whose last member is a
    zip ends as a zip does."""
    with archive.open("rb") as stream:
        if stream.read(len(_ZIPS[0])) in _ZIPS:
            return True
    return not tarfile.is_tarfile(archive) and zipfile.is_zipfile(archive)


@contextmanager
def _reading() -> Iterator[None]:
    """What the libraries raise of a damaged archive, in one word of ours. Texts of theirs may hold names of members."""
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise UnreadableFile("malformed", f"no whole zip or tar archive ({type(error).__name__})") from None
    except OSError as error:
        if error.errno is None:  # gzip, bzip2 and xz call damaged data so
            raise UnreadableFile("malformed", "no whole zip or tar archive (damaged)") from None
        raise UnreadableFile("refused", f"it cannot be unpacked ({error.strerror})") from None


def _unzip(archive: Path, room: _Room) -> None:
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        _check_declared(members, room.left)
        for info in members:
            if info.is_dir() or _is_aside(info.filename):
                continue
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                room.refused["a link or a device"] += 1
            elif info.flag_bits & 1:
                room.refused["locked with a password"] += 1
            elif (name := room.place(info.filename)) is not None:
                with opened.open(info) as stream:
                    room.put(name, stream)


def _check_declared(members: list[zipfile.ZipInfo], most: int) -> None:
    """Refuse, before a byte is written, what says itself that it is too large, and members that share their bytes: by that a
    few kilobytes hold as much as anybody wants (D. Fifield, "A better zip bomb", WOOT 2019).

    Raises:
        UnreadableFile: kind `too-large` or `refused`.
    """
    if sum(info.file_size for info in members) > most:
        raise _too_large()
    end = 0
    for info in sorted(members, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise UnreadableFile(
                "refused", "members of it lie in one another, as no archive that was packed in earnest has them"
            )
        end = info.header_offset + _LOCAL + info.compress_size


def _too_large() -> UnreadableFile:
    return UnreadableFile("too-large", "what is in it is larger than --most, or than the disk has room for")


def _untar(archive: Path, room: _Room) -> None:
    with tarfile.open(archive, "r|*", tarinfo=_Member) as opened:
        for member in opened:
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
