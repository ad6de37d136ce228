"""What of the pictures in a result may be drawn: a small JPEG or WebP by its own bytes, as medaudit makes them.

A result may come from elsewhere, and its "thumbnails" be forty megabytes, a picture of a hundred million pixels, an animation,
or no picture at all: a page that held them would be none that a browser opens. Nothing is decoded here; what a file says of
itself in its first bytes is compared with what ours are.
"""

from __future__ import annotations

from collections.abc import Mapping

MOST_BYTES = 128 << 10
"""Of one picture; ours take 3 kB."""
MOST_SIDE = 1024
"""Pixels; ours have 96, those of which two are compared some more."""
MOST_IN_ALL = 48 << 20
"""Bytes of all pictures of a result: 15,000 of ours."""
NOT_DRAWN = "pictures that came with this result and are not drawn, too large or not as medaudit makes them"
"""How the note on them begins, with their number behind it."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG that begin a frame (ITU T.81, table B.1): they say how large it is."""
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a length."""


def drawable(pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those of the pictures that may be drawn, in their order, until there are bytes enough."""
    kept, left = {}, MOST_IN_ALL
    for record, content in pictures.items():
        if len(content) <= min(MOST_BYTES, left) and is_small(content):
            kept[record] = content
            left -= len(content)
    return kept


def is_small(content: bytes) -> bool:
    """It says of itself that it is a JPEG or a still WebP of at most `MOST_SIDE` pixels a side."""
    size = _jpeg_size(content) if content[:3] == b"\xff\xd8\xff" else _webp_size(content)
    return size is not None and min(size) > 0 and max(size) <= MOST_SIDE


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Height and width in the first frame; None where there is none before the scan."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            return int.from_bytes(content[at + 5 : at + 7], "big"), int.from_bytes(content[at + 7 : at + 9], "big")
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if marker in (0xDA, 0xD9) or length < 2:
            return None
        at += 2 + length
    return None


def _webp_size(content: bytes) -> tuple[int, int] | None:
    """Height and width (RFC 9649); None where it is no WebP, or moves."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) < 30:
        return None
    kind, body = content[12:16], content[20:]
    if kind == b"VP8X" and not body[0] & 0x02:
        return 1 + int.from_bytes(body[7:10], "little"), 1 + int.from_bytes(body[4:7], "little")
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[8:10], "little") & 0x3FFF, int.from_bytes(body[6:8], "little") & 0x3FFF
    return None
