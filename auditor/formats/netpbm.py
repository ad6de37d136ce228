"""Netpbm: PBM, PGM and PPM, plain (P1 to P3) and raw (P4 to P6), of 1 to 16 bits.

Source: netpbm.sourceforge.net, "PBM/PGM/PPM Format Specification". The first image of a file is read. Stored values: no scaling
by the largest value that the header declares. A bit of PBM is black where it is set, and becomes 0 there and 255 elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from auditor.containers.guard import decoding
from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue, FileSource, Format, Header, Limits, Pixels, check_declared

FORMATS = {"netpbm": Format(words="Netpbm (PBM, PGM, PPM)", suffixes=("ppm", "pgm", "pbm", "pnm"))}
PRIORITY = 40
_MAGIC = re.compile(rb"P[1-6](?:\s|#)")
_TOKEN = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*([0-9]{1,9})")
_LONGEST = 1 << 16
"""Bytes of a header with its comments."""


@dataclass(frozen=True, kw_only=True)
class _Head:
    kind: int
    width: int
    height: int
    most: int
    offset: int

    @property
    def channels(self) -> int:
        return 3 if self.kind in (3, 6) else 1

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.height, self.width, 3) if self.channels == 3 else (self.height, self.width)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return np.dtype(">u2" if self.most > 255 else "u1")


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes."""
    return "netpbm" if _MAGIC.match(head) and _TOKEN.match(head, 2) else None


def open_header(source: FileSource, limits: Limits) -> Header:
    """What the header says.

    Raises:
        UnreadableFile: damaged, or it declares more than the limits allow.
    """
    head = _head(source.content)
    check_declared(head.shape, 1, head.dtype.itemsize, limits)
    fields: dict[str, FieldValue] = {
        "container.format": "netpbm",
        "container.width": head.width,
        "container.height": head.height,
        "container.channels": head.channels,
        "container.bit_depth": 1 if head.kind in (1, 4) else 8 * head.dtype.itemsize,
        "container.netpbm_kind": f"P{head.kind}",
        "container.netpbm_most": head.most,
    }
    return Header(format="netpbm", shape=head.shape, fields=fields)


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:  # noqa: ARG001
    """Decode, in native byte order.

    Raises:
        UnreadableFile: truncated or damaged.
    """
    head = _head(source.content)
    check_declared(head.shape, 1, head.dtype.itemsize, limits)
    with decoding("Netpbm image"):
        array = _plain(source.content, head) if head.kind < 4 else _raw(source.content, head)
    if array.size and int(array.max()) > head.most:
        raise UnreadableFile("malformed", f"it holds values above {head.most:,}, the largest that it declares")
    if head.kind in (1, 4):
        array = np.where(array > 0, 0, 255).astype(np.uint8)
    return Pixels(array=np.ascontiguousarray(array.reshape(1, *head.shape), head.dtype.newbyteorder("=")))


def _head(content: bytes) -> _Head:
    kind = content[1] - ord("0")
    numbers: list[int] = []
    at = 2
    for _ in range(2 if kind in (1, 4) else 3):
        found = _TOKEN.match(content[:_LONGEST], at)
        if found is None:
            raise UnreadableFile("malformed", "the header of the Netpbm file holds no size")
        numbers.append(int(found[1]))
        at = found.end()
    width, height, most = numbers if len(numbers) == 3 else (*numbers, 1)
    if not width or not height or not 0 < most < 1 << 16:
        raise UnreadableFile("malformed", "the header of the Netpbm file states an impossible size or depth")
    return _Head(kind=kind, width=width, height=height, most=most, offset=at + 1)


def _raw(content: bytes, head: _Head) -> np.ndarray:
    rows = -(-head.width // 8) if head.kind == 4 else head.width * head.channels
    count = rows * head.height
    if head.offset + count * head.dtype.itemsize > len(content):
        raise UnreadableFile("truncated", "the Netpbm file ends before all of its pixels are there")
    flat = np.frombuffer(content, head.dtype, count, head.offset)
    return np.unpackbits(flat.reshape(head.height, rows), axis=1)[:, : head.width] if head.kind == 4 else flat


def _plain(content: bytes, head: _Head) -> np.ndarray:
    text = re.sub(rb"#[^\r\n]*", b"", content[head.offset - 1 :])
    count = head.width * head.height * head.channels
    if head.kind == 1:  # bits may stand without a blank between them
        digits = np.frombuffer(text, np.uint8)
        bits = digits[(digits == ord("0")) | (digits == ord("1"))] - ord("0")
        if len(bits) < count:
            raise UnreadableFile("truncated", "the Netpbm file ends before all of its pixels are there")
        return np.asarray(bits[:count])
    if re.search(rb"[^0-9\s]", text):
        raise UnreadableFile("malformed", "the Netpbm file holds what is no number")
    numbers = text.split(maxsplit=count)[:count]
    if len(numbers) < count:
        raise UnreadableFile("truncated", "the Netpbm file ends before all of its pixels are there")
    return np.asarray(np.array(numbers, dtype="S").astype(np.int64))
