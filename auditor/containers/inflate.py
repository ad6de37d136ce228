"""Bounded decompression: never more output than asked for, whatever the input promises."""

from __future__ import annotations

import bz2
import zlib

from auditor.containers.guard import decoding
from auditor.values.errors import UnreadableFile

RAW, ZLIB, GZIP = -15, 15, 31
"""Values of zlib's `wbits`: a bare deflate stream (DICOM), with zlib's header (PNG, TIFF), with gzip's (nii.gz)."""


STEP_IN, STEP_OUT = 1 << 20, 1 << 24
"""Bytes that are fed and taken at a time."""


def inflate(data: bytes | bytearray | memoryview, kind: int, at_most: int) -> bytes:
    """`inflated` as bytes."""
    return bytes(inflated(data, kind, at_most))


def inflated(data: bytes | bytearray | memoryview, kind: int, at_most: int) -> bytearray:
    """At most `at_most` bytes of the decompressed stream; fewer when it ends earlier or is cut short.

    Args:
        kind: `RAW`, `ZLIB` or `GZIP`.

    Raises:
        UnreadableFile: the compressed data is damaged.
    """
    found = bytearray()  # grows in place: parts that are joined at the end would need twice the memory
    stream = zlib.decompressobj(kind)
    view, at, rest = memoryview(data), 0, b""
    try:
        while len(found) < at_most and (rest or at < len(view)):
            if not rest:
                rest, at = bytes(view[at : at + STEP_IN]), at + STEP_IN
            found += stream.decompress(rest, min(STEP_OUT, at_most - len(found)))
            if stream.eof:
                # gzip files may be several members in a row
                ahead = stream.unused_data + bytes(view[at : at + 2])
                if kind != GZIP or ahead[:2] != b"\x1f\x8b":
                    break
                rest = stream.unused_data
                stream = zlib.decompressobj(kind)
            else:
                rest = stream.unconsumed_tail
    except zlib.error:
        raise UnreadableFile("malformed", "the compressed data in the file is damaged") from None
    return found


def bunzipped(content: bytes, at_most: int) -> bytes:
    """At most so many bytes of a bzip2 stream, of several in a row as well.

    Raises:
        UnreadableFile: the compressed data is damaged.
    """
    parts: list[bytes] = []
    stream, missing, rest = bz2.BZ2Decompressor(), at_most, content
    with decoding("bzip2 data"):
        while missing > 0 and (rest or not stream.needs_input):
            part = stream.decompress(rest, missing)
            parts.append(part)
            missing -= len(part)
            rest = b""
            if stream.eof:
                rest, stream = stream.unused_data, bz2.BZ2Decompressor()
            elif not part and stream.needs_input:
                break
    return b"".join(parts)


def gunzip_start(head: bytes, at_most: int = 1024) -> bytes:
    """The first decompressed bytes of a file that starts with `head`; empty when it is no gzip file."""
    if head[:3] != b"\x1f\x8b\x08":
        return b""
    try:
        return zlib.decompressobj(GZIP).decompress(head, at_most)
    except zlib.error:
        return b""
