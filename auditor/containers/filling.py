"""A folder that is filled with what a stranger packed: names that stay inside, bytes and files counted as they come."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from auditor.values.errors import UnreadableFile

PIECE = 1 << 20
MOST_NAME = 255
"""Bytes of one part of a name, on all usual file systems."""
MOST_PATH = 1000
"""Bytes of a whole name: it comes behind that of the folder, and systems take 1,024 (macOS) to 4,096 for both."""
MOST_PARTS = 40
"""Folders within folders; every tool that walks through deeper ones, ours too, may give up."""


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What may come out of an archive, or is left of that.

    Args:
        bytes: that may be written, or passed over.
        files: members, and folders that they need.
    """

    bytes: int
    files: int

    def too_large(self) -> UnreadableFile:
        """What to raise where more bytes come."""
        size = f"{self.bytes / 1e6:,.1f} MB"
        return UnreadableFile("too-large", f"more than {size} come out of it: raise --most, or free room on the disk")

    def too_many(self) -> UnreadableFile:
        """What to raise where more files come."""
        return UnreadableFile("too-large", f"more than {self.files:,} files come out of it: raise --most-files")


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """What came out of one archive.

    Args:
        files: names relative to the folder, with forward slashes, in the order of the archive.
        bytes: of all of them.
        counted: members and folders, as `Allowed.files` counts them.
        refused: why a member was left out → how many.
    """

    files: tuple[str, ...] = ()
    bytes: int = 0
    counted: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def emptied(folder: Path) -> Path:
    """The folder without what a worker that was lost had left in it: its work is done a second time by another."""
    for left in folder.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()
    return folder


class Room:
    """The folder that is filled, and what may still go into it."""

    def __init__(self, folder: Path, allowed: Allowed) -> None:
        self.folder, self.allowed, self.left = folder, allowed, allowed.bytes
        self.files: dict[str, int] = {}
        self.refused: Counter[str] = Counter()
        self._folders: set[str] = {""}
        self._met = 0

    def meet(self) -> None:
        """One more member, or folder for it, whatever becomes of it.

        Raises:
            UnreadableFile: kind `too-large`.
        """
        self._met += 1
        if self._met > self.allowed.files:
            raise self.allowed.too_many()

    def spend(self, size: int) -> None:
        """So many bytes are written, or read to come behind them.

        Raises:
            UnreadableFile: kind `too-large`.
        """
        self.left -= size
        if self.left < 0:
            raise self.allowed.too_large()

    def place(self, name: str) -> str | None:
        """The name as it is written, or None where it is not (and the reason is counted)."""
        clean = inside(name)
        if clean is None:
            self.refused["a name that leads out of the folder, or that no file can have"] += 1
        elif clean in self.files:
            self.refused["a name that is there twice"] += 1
            clean = None
        return clean

    def put(self, name: str, stream: IO[bytes]) -> None:
        """Write one file, and count its true bytes."""
        path, size = self.folder / name, 0
        try:
            for folder in self.needed(name):
                (self.folder / folder).mkdir(exist_ok=True)
            with path.open("xb") as out:
                while piece := stream.read(PIECE):
                    self.spend(len(piece))
                    size += out.write(piece)
        except (FileExistsError, NotADirectoryError):
            self.refused["a name that is a folder elsewhere in the archive, or is there in other letters"] += 1
            return
        self.files[name] = size

    def needed(self, name: str) -> list[str]:
        """Folders that no file before this one needed, the outermost first; each counts as a file does."""
        way = name.rpartition("/")[0]
        if way in self._folders:
            return []
        before = self.needed(way)
        self.meet()
        self._folders.add(way)
        return [*before, way]

    def told(self) -> Unpacked:
        """All of it."""
        return Unpacked(files=tuple(self.files), bytes=sum(self.files.values()), counted=self._met, refused=self.refused)


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
