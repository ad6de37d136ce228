"""Samples behind a text header, or in files beside it that the header names, as NRRD and MetaImage keep them; bounded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.containers.guard import decoding
from auditor.containers.inflate import GZIP, ZLIB, bunzipped, inflated
from auditor.containers.source import name_beside, place_beside, read_source
from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue, FileSource, Limits


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Where the samples of an image lie, and how they are written.

    Args:
        what: the format in words, for messages.
        dtype: of one sample as stored.
        count: samples of the whole image.
        encoding: raw, text, hex, gzip, zlib or bzip2.
        data: names of the files that hold them, in order; empty where they follow the header.
        offset: byte where they begin behind the header.
        lines: lines to skip in front of them, in every file.
        skip: bytes to skip behind those; −1: the samples are the last bytes of a raw file.
        packed_skip: of compressed samples the bytes are skipped as stored, not as decompressed.
    """

    what: str
    dtype: np.dtype[np.generic]
    count: int
    encoding: str
    data: tuple[str, ...] = ()
    offset: int = 0
    lines: int = 0
    skip: int = 0
    packed_skip: bool = False

    def beside(self, source: FileSource) -> tuple[str, ...]:
        """The files as `Header.beside` holds them.

        Raises:
            UnreadableFile: one that is not there, or lies outside.
        """
        return tuple(name_beside(source, place) for place in self._places(source))

    def facts(self, source: FileSource) -> dict[str, FieldValue]:
        """Bytes that are there and that ought to be, where the samples are stored as they are; nothing where they are not."""
        if self.encoding != "raw":
            return {}
        places = self._places(source)
        there = sum(place.stat().st_size for place in places) if places else len(source.content) - self.offset
        skipped = max(self.skip, 0) * max(len(places), 1)
        return {"pixel_bytes": max(0, there - skipped), "pixel_bytes_expected": self.count * self.dtype.itemsize}

    def read(self, source: FileSource, limits: Limits) -> npt.NDArray[np.generic]:
        """All samples as they are stored, shape (count,).

        Raises:
            UnreadableFile: truncated, damaged, or a file that is not there.
        """
        if not self.data:
            return self._decoded(source.content[self.offset :], self.count, limits)
        share, rest = divmod(self.count, len(self.data))
        if rest:
            raise UnreadableFile("malformed", f"the {self.what} header names files among which the pixels cannot be shared out")
        parts = [self._decoded(read_source(place, limits).content, share, limits) for place in self._places(source)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _places(self, source: FileSource) -> list[Path]:
        return [place_beside(source, name) for name in self.data]

    def _decoded(self, content: bytes, count: int, limits: Limits) -> npt.NDArray[np.generic]:
        """`count` samples out of one file."""
        for _ in range(self.lines):
            _, mark, content = content.partition(b"\n")
            if not mark:
                raise UnreadableFile("truncated", f"the {self.what} file ends before all of its pixels are there")
        if self.encoding == "text":
            return self._numbers(content, count)
        size, skip = count * self.dtype.itemsize, max(self.skip, 0)
        packed = self.encoding in ("gzip", "zlib", "bzip2")
        if packed and not self.packed_skip and (self.skip < 0 or skip > limits.header_bytes):
            raise UnreadableFile("malformed", f"the {self.what} header skips bytes that compressed pixels cannot have")
        if packed and self.packed_skip:
            content, skip = content[skip:], 0
        data: bytes | bytearray = content
        if self.encoding == "bzip2":
            data = bunzipped(content, skip + size)
        elif packed:
            data = inflated(content, GZIP if content[:2] == b"\x1f\x8b" or self.encoding == "gzip" else ZLIB, skip + size)
        elif self.encoding == "hex":
            with decoding(f"{self.what} image"):
                data = bytes.fromhex(content.decode("ascii"))
        elif self.skip < 0:
            skip = len(data) - size
        if skip < 0 or len(data) - skip < size:
            have = max(len(data) - max(skip, 0), 0)
            raise UnreadableFile("truncated", f"the {self.what} file holds {have:,} of {size:,} bytes of pixels")
        return np.frombuffer(data, self.dtype, count, skip)

    def _numbers(self, content: bytes, count: int) -> npt.NDArray[np.generic]:
        """`count` numbers written as text, separated by blanks or commas."""
        blank = np.isin(np.frombuffer(content, np.uint8), np.frombuffer(b" \t\r\n\v\f,", np.uint8))
        there = int((blank[:-1] & ~blank[1:]).sum()) + int(content[:1] != b"" and not blank[0])
        if there < count:
            raise UnreadableFile("truncated", f"the {self.what} file holds {there:,} of {count:,} numbers")
        if re.search(rb"[^\d\s,.+\-eEnaifNAIFty]", content):
            raise UnreadableFile("malformed", f"the {self.what} file holds text that is no number")
        wide = np.dtype("f8") if self.dtype.kind == "f" else np.dtype("u8") if self.dtype.name == "uint64" else np.dtype("i8")
        with decoding(f"{self.what} image"):
            values: npt.NDArray[Any] = np.fromstring(content.replace(b",", b" ").decode("ascii"), wide, count, sep=" ")
        if len(values) < count:
            raise UnreadableFile("truncated", f"the {self.what} file holds {len(values):,} of {count:,} numbers")
        if values.size and not _fit(values, self.dtype):
            raise UnreadableFile("malformed", f"the {self.what} file holds numbers that do not fit its type")
        return np.asarray(values, self.dtype)


def container_fields(
    kind: str, samples: Samples, shape: tuple[int, ...], *, channels: int, byte_order: str
) -> dict[str, FieldValue]:
    """What every format says of its pixels, under the names that all formats share, and whether they lie beside the header."""
    return {
        "container.format": kind,
        "container.compression": samples.encoding if samples.encoding in ("gzip", "zlib", "bzip2") else "none",
        "container.bit_depth": samples.dtype.itemsize * 8,
        "container.sample_kind": {"u": "unsigned", "i": "signed", "f": "float"}[samples.dtype.kind],
        "container.channels": channels,
        "container.width": shape[1],
        "container.height": shape[0],
        "container.byte_order": byte_order,
        f"{kind}.detached": "yes" if samples.data else "no",
    }


def data_files(value: str, below: Sequence[str], limits: Limits, what: str) -> tuple[str, ...]:
    """Files that a header names for its samples: one, a numbered pattern (`slice%03d.raw 1 10 1`), or a list below (`LIST`).

    Raises:
        UnreadableFile: none, or more than an image may have frames.
    """
    if value.upper().startswith("LIST"):
        names = [line.strip() for line in below if line.strip()]
    else:
        found = re.fullmatch(r"([^%]*%0?\d{0,2}d[^%]*?)\s+(-?\d{1,9})\s+(-?\d{1,9})\s+(-?\d{1,9})(?:\s+\d+)?", value)
        if found is None:
            return (value,) if value else ()
        first, last, step = (int(found[group]) for group in (2, 3, 4))
        count = (last - first) // step + 1 if step else 0
        if not 0 < count <= limits.frames:
            raise UnreadableFile("malformed", f"the {what} header numbers its data files impossibly")
        names = [found[1] % number for number in range(first, last + (1 if step > 0 else -1), step)]
    if not 0 < len(names) <= limits.frames:
        raise UnreadableFile("malformed", f"the {what} header lists no data file, or too many")
    return tuple(names)


def _fit(values: npt.NDArray[np.generic], dtype: np.dtype[np.generic]) -> bool:
    if dtype.kind == "f":
        return True
    bounds = np.iinfo(dtype.name)
    return bool(bounds.min <= int(values.min()) and int(values.max()) <= bounds.max)
