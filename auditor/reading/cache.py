"""Content → pixel facts, kept outside the dataset in a private folder, so that a second scan decodes nothing.

The key is made of the file's content and the version of every feature, so an entry can be missing but never stale. Every
entry carries a digest made with the user's key (`auditor.private`): one that somebody else wrote or altered is none. Header
fields are not kept: they may identify a patient and are cheap to read again. Beside the facts stands which content a file
had when it last was read, under a digest of its path, size, times and inode: a file that is as it was is not read whole.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import stat
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auditor.private import keyed, others_write
from auditor.values.errors import ConfigError
from auditor.values.measurement import PixelFacts

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS places (place TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID",
)
LENGTH = struct.Struct("<I")
MARK = 32
"""Bytes of the keyed digest before each entry."""
EARLIER = ("facts-1.sqlite", "facts-1.sqlite-wal", "facts-1.sqlite-shm")
"""Files of earlier versions, whose entries carry no digest."""


def pack(facts: PixelFacts) -> bytes:
    """PixelFacts → bytes; no pickle."""
    head = json.dumps(
        {
            "digest": facts.digest, "constant": facts.constant,
            "features": len(facts.features), "front": len(facts.front), "sketch": len(facts.sketch),
        }
    ).encode()  # fmt: skip
    numbers = np.concatenate([facts.features, facts.front]).astype("<f4").tobytes()
    return LENGTH.pack(len(head)) + head + numbers + facts.sketch + facts.thumbnail


def unpack(value: bytes) -> PixelFacts:
    """Bytes → PixelFacts.

    Raises:
        ValueError: the bytes are not what `pack` wrote.
    """
    try:
        (length,) = LENGTH.unpack_from(value)
        head = json.loads(value[LENGTH.size : LENGTH.size + length])
        start = LENGTH.size + length
        middle = start + 4 * int(head["features"])
        end = middle + 4 * int(head["front"])
        after = end + int(head["sketch"])
        if after > len(value):
            raise ValueError("cut short")
        return PixelFacts(
            digest=str(head["digest"]),
            constant=bool(head["constant"]),
            features=np.frombuffer(value[start:middle], "<f4").astype(np.float32),
            front=np.frombuffer(value[middle:end], "<f4").astype(np.float32),
            thumbnail=value[after:],
            sketch=value[end:after],
        )
    except (struct.error, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError("not a cache entry") from error


@dataclass(kw_only=True)
class Cache(Mapping[str, PixelFacts]):
    """A mapping key → PixelFacts over one SQLite file. Safe for several scans at once; what is damaged is made anew.

    Args:
        folder: private folder; made with mode 0700.
        key: of the user; entries that were not made with it are not there.
        writable: workers open it read-only, the scan itself writes.
    """

    folder: Path
    key: bytes
    writable: bool = True
    _connection: sqlite3.Connection | None = None

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.folder / "facts-2.sqlite"

    def open(self) -> bool:
        """Open or make the file. False when the folder cannot be used: the scan then works without a cache.

        Raises:
            ConfigError: others may write to the folder.
        """
        try:
            if not self.writable:
                return self.file.is_file() and self._connect()
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            why = others_write(self.folder)
            if why is not None:
                raise ConfigError(
                    f"{self.folder}: no place for a cache: {why}; take their rights away (chmod go-w), name another folder in "
                    "MEDAUDIT_CACHE, or scan with --no-cache"
                )
            for name in EARLIER:
                (self.folder / name).unlink(missing_ok=True)
            return (self._are_files() and self._connect()) or self._remake()
        except OSError:
            return False

    def _are_files(self) -> bool:
        """Nothing that lies in the place of the files leads elsewhere: SQLite would follow it and write there."""
        return all(not stat.S_ISLNK(one.lstat().st_mode) and one.is_file() for one in self._files() if os.path.lexists(one))

    def _files(self) -> list[Path]:
        return [self.file.with_name(self.file.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]

    def _connect(self) -> bool:
        mode = "rwc" if self.writable else "ro"
        try:
            connection = sqlite3.connect(f"{self.file.absolute().as_uri()}?mode={mode}", uri=True, timeout=30)
            if self.writable:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                for table in SCHEMA:
                    connection.execute(table)
                connection.commit()
            connection.execute("SELECT key FROM facts LIMIT 1").fetchall()
            connection.execute("SELECT place FROM places LIMIT 1").fetchall()
        except sqlite3.Error:
            return False
        self._connection = connection
        return True

    def _remake(self) -> bool:
        for file in self._files():
            file.unlink(missing_ok=True)
        return self._connect()

    def __getitem__(self, key: str) -> PixelFacts:
        if self._connection is None:
            raise KeyError(key)
        try:
            with closing(self._connection.execute("SELECT value FROM facts WHERE key = ?", (key,))) as cursor:
                row = cursor.fetchone()
            if row is None:
                raise KeyError(key)
            marked = bytes(row[0])
            if not hmac.compare_digest(marked[:MARK], self._mark(key, marked[MARK:])):
                raise KeyError(key)
            return unpack(marked[MARK:])
        except (sqlite3.Error, ValueError, TypeError):
            # A damaged or altered entry is an entry that is not there: it is measured again and replaced.
            raise KeyError(key) from None

    def _mark(self, key: str, value: bytes) -> bytes:
        return keyed(self.key, "cache", key.encode("utf-8", "surrogatepass") + b"\0" + value)

    def __iter__(self) -> Iterator[str]:
        if self._connection is not None:
            yield from (key for (key,) in self._connection.execute("SELECT key FROM facts"))

    def __len__(self) -> int:
        if self._connection is None:
            return 0
        (count,) = self._connection.execute("SELECT count(*) FROM facts").fetchone()
        return int(count)

    def store(self, entries: Iterable[tuple[str, PixelFacts]]) -> None:
        """Add or replace entries. A disk that is full or a damaged file ends the use of the cache, not the scan."""
        if self._connection is None:
            return
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO facts VALUES (?, ?)",
                    [(key, self._mark(key, value) + value) for key, facts in entries for value in (pack(facts),)],
                )
        except sqlite3.Error:
            self.close()

    def digest_at(self, place: str) -> str | None:
        """Digest of the content of a file that still is as it was (`place_of`); None where it is not known."""
        if self._connection is None or not place:
            return None
        try:
            with closing(self._connection.execute("SELECT digest FROM places WHERE place = ?", (place,))) as cursor:
                row = cursor.fetchone()
        except sqlite3.Error:
            return None
        if row is None:
            return None
        digest, _, mark = str(row[0]).partition(":")
        return digest if hmac.compare_digest(mark.encode(), self._mark(place, digest.encode()).hex().encode()) else None

    def remember(self, entries: Iterable[tuple[str, str]]) -> None:
        """Note place → digest; see `store`."""
        if self._connection is None:
            return
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO places VALUES (?, ?)",
                    [(place, f"{digest}:{self._mark(place, digest.encode()).hex()}") for place, digest in entries],
                )
        except sqlite3.Error:
            self.close()

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


SETTLED_SECONDS = 2.0
"""A file that changed less than this ago may change again within the resolution of its file system's clock."""


def place_of(path: Path) -> str:
    """Of a regular file that has settled; empty for any other."""
    try:
        status = path.stat()
    except OSError:
        return ""
    if time.time() - status.st_mtime < SETTLED_SECONDS:
        return ""
    text = "|".join(map(str, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)))
    return hashlib.sha256(os.fsencode(path.absolute()) + b"|" + text.encode(), usedforsecurity=False).hexdigest()[:40]
