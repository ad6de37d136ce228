"""Bounded decompression: never more output than asked for, whatever the input promises."""

from __future__ import annotations

import zlib

from auditor.values.errors import UnreadableFile

RAW, ZLIB, GZIP = -15, 15, 31
"""Values of zlib's `wbits`: a bare deflate stream (DICOM), with zlib's header (PNG, TIFF), with gzip's (nii.gz)."""


def inflate(data: bytes | memoryview, kind: int, at_most: int) -> bytes:
    """At most `at_most` bytes of the decompressed stream; fewer when it ends earlier or is cut short.

    Args:
        kind: `RAW`, `ZLIB` or `GZIP`.

    Raises:
        UnreadableFile: the compressed data is damaged.
    """
    if at_most <= 0:
        return b""
    stream = zlib.decompressobj(kind)
    parts: list[bytes] = []
    rest: bytes | memoryview = data
    missing = at_most
    try:
        while missing > 0 and rest:
            part = stream.decompress(rest, missing)
            parts.append(part)
            missing -= len(part)
            if stream.eof:
                # gzip files may be several members in a row
                if kind != GZIP or stream.unused_data[:2] != b"\x1f\x8b":
                    break
                rest = stream.unused_data
                stream = zlib.decompressobj(kind)
            else:
                rest = stream.unconsumed_tail
    except zlib.error:
        raise UnreadableFile("malformed", "the compressed data in the file is damaged") from None
    return b"".join(parts) if len(parts) != 1 else parts[0]


def gunzip_start(head: bytes, at_most: int = 1024) -> bytes:
    """The first decompressed bytes of a file that starts with `head`; empty when it is no gzip file."""
    if head[:3] != b"\x1f\x8b\x08":
        return b""
    try:
        return zlib.decompressobj(GZIP).decompress(head, at_most)
    except zlib.error:
        return b""
