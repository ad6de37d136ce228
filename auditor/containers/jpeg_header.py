"""A JPEG's marker segments up to the scan: size, precision, tables, how it was written. Decodes nothing."""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache

from auditor.containers.ifd import exif_fields
from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue

JPEG2000_START = b"\xff\x4f\xff\x51"
"""Start and size marker of a JPEG 2000 codestream."""

_STANDARD_LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
"""ITU-T T.81 (1992), table K.1."""

_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7))
_LOSSLESS = frozenset((0xC3, 0xC7, 0xCB, 0xCF, 0xF7))
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))


@dataclass(frozen=True, kw_only=True)
class JpegHeader:
    """What the markers before the first scan say.

    Args:
        sampling: horizontal × vertical factors per component.
        quantisation: digest of all quantisation tables, empty when there are none.
        quality: quality setting of the IJG library that gives tables of this strength, 1–100; None without tables.
        applications: names of application segments in the order found, joined by `+` (`JFIF+Exif+ICC`).
        adobe: colour transform of the Adobe segment, None without one.
    """

    width: int
    height: int
    channels: int
    precision: int
    process: int
    sampling: tuple[tuple[int, int], ...]
    quantisation: str
    quality: int | None
    applications: str
    adobe: int | None
    dpi: float | None
    exif: bytes
    comment: bool

    @property
    def progressive(self) -> bool:
        """Written in several passes."""
        return self.process in _PROGRESSIVE

    @property
    def lossless(self) -> bool:
        """Lossless JPEG or JPEG-LS, which ordinary JPEG decoders do not read."""
        return self.process in _LOSSLESS

    @property
    def subsampling(self) -> str:
        """`4:4:4`, `4:2:0`, ... or the factors themselves; empty for one component."""
        if self.channels < 3:
            return ""
        known = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (4, 1): "4:1:1", (1, 2): "4:4:0"}
        first, rest = self.sampling[0], set(self.sampling[1:])
        if rest == {(1, 1)} and first in known:
            return known[first]
        if rest == {first}:
            return "4:4:4"
        return ",".join(f"{h}x{v}" for h, v in self.sampling)


def read_jpeg_header(data: bytes | memoryview, most_segments: int = 10_000) -> JpegHeader:
    """Read the segments from SOI to the first scan.

    Raises:
        UnreadableFile: no frame header before the scan or the end of the data.
    """
    if bytes(data[:2]) != b"\xff\xd8":
        raise UnreadableFile("malformed", "the JPEG does not start with its start marker")
    at, end = 2, len(data)
    frame: tuple[int, int, int, int, tuple[tuple[int, int], ...]] | None = None
    tables: dict[int, bytes] = {}
    applications: list[str] = []
    adobe: int | None = None
    dpi: float | None = None
    exif = b""
    comment = False
    for _ in range(most_segments):
        while at < end and data[at] != 0xFF:
            at += 1
        while at < end and data[at] == 0xFF:
            at += 1
        if at >= end:
            break
        marker = data[at]
        at += 1
        if marker in _STANDALONE or marker == 0:
            continue
        if marker in (0xDA, 0xD9):
            break
        if at + 2 > end:
            break
        length = data[at] << 8 | data[at + 1]
        start, stop = at + 2, at + length
        if length < 2 or stop > end:
            raise UnreadableFile("truncated", "the JPEG ends inside its header")
        if marker == 0xDB:
            _collect_tables(bytes(data[start:stop]), tables)
        elif marker in _FRAMES:
            frame = _frame(marker, bytes(data[start:stop]))
        elif 0xE0 <= marker <= 0xEF:
            head = bytes(data[start : min(stop, start + 32)])
            name = _application(marker, head)
            if name not in applications and len(applications) < 32:
                applications.append(name)
            if name == "JFIF" and len(head) >= 12:
                dpi = {1: 1.0, 2: 2.54}.get(head[7], 0.0) * (head[8] << 8 | head[9]) or None
            elif name == "Exif" and not exif:
                exif = bytes(data[start:stop])
            elif name == "Adobe" and len(head) >= 12:
                adobe = head[11]
        elif marker == 0xFE:
            comment = True
        at = stop
    if frame is None:
        raise UnreadableFile("truncated", "the JPEG ends before it says how large the image is")
    process, precision, height, width, sampling = frame
    digest = hashlib.blake2b(b"".join(bytes([k]) + v for k, v in sorted(tables.items())), digest_size=6).hexdigest()
    return JpegHeader(
        width=width,
        height=height,
        channels=len(sampling),
        precision=precision,
        process=process,
        sampling=sampling,
        quantisation=digest if tables else "",
        quality=_quality(tables[min(tables)]) if tables else None,
        applications="+".join(applications),
        adobe=adobe,
        dpi=dpi,
        exif=exif,
        comment=comment,
    )


def jpeg2000_size(data: bytes, start: int = 0, end: int | None = None) -> tuple[int, int, int] | None:
    """(height, width, components) of the first JPEG 2000 codestream within 4 kB of `start`; None when there is none.

    Source: ITU-T T.800 (2019), A.5.1 (SIZ marker).
    """
    end = len(data) if end is None else end
    at = data.find(JPEG2000_START, start, min(end, start + 4096))
    if at < 0 or at + 42 > end:
        return None
    wide, high, left, top = struct.unpack_from(">4I", data, at + 8)
    return high - top, wide - left, struct.unpack_from(">H", data, at + 40)[0]


def jpeg_fields(header: JpegHeader) -> dict[str, FieldValue]:
    """Header fields of a JPEG, prefixed."""
    colours = {1: "grey", 3: "YCbCr", 4: "YCCK"}
    photometric = colours.get(header.channels, "other")
    if header.adobe == 0 and header.channels in (3, 4):
        photometric = {3: "RGB", 4: "CMYK"}[header.channels]
    fields: dict[str, FieldValue] = {
        "container.bit_depth": header.precision,
        "container.channels": header.channels,
        "container.photometric": photometric,
        "container.dpi": header.dpi,
        "container.icc": "yes" if "ICC" in header.applications.split("+") else "no",
        "container.exif": "yes" if header.exif else "no",
        "container.comment": "yes" if header.comment else "no",
        "container.jpeg_quant_hash": header.quantisation,
        "container.jpeg_quality": header.quality,
        "container.jpeg_subsampling": header.subsampling,
        "container.jpeg_progressive": "yes" if header.progressive else "no",
        "container.jpeg_app_markers": header.applications,
    }
    if header.exif:
        fields |= exif_fields(header.exif)
    return fields


def _frame(marker: int, body: bytes) -> tuple[int, int, int, int, tuple[tuple[int, int], ...]]:
    if len(body) < 6 or len(body) < 6 + 3 * body[5] or body[5] == 0:
        raise UnreadableFile("malformed", "the JPEG's frame header is damaged")
    factors = tuple((body[7 + 3 * i] >> 4, body[7 + 3 * i] & 15) for i in range(body[5]))
    height, width = body[1] << 8 | body[2], body[3] << 8 | body[4]
    if width == 0 or height == 0:
        raise UnreadableFile("malformed", "the JPEG says that it has no rows or no columns")
    return marker, body[0], height, width, factors


def _application(marker: int, head: bytes) -> str:
    for start, name in (
        (b"JFIF\0", "JFIF"),
        (b"JFXX\0", "JFXX"),
        (b"Exif\0", "Exif"),
        (b"http://ns.adobe.com/x", "XMP"),
        (b"ICC_PROFILE", "ICC"),
        (b"Adobe", "Adobe"),
        (b"Photoshop", "Photoshop"),
        (b"MPF\0", "MPF"),
        (b"Ducky", "Ducky"),
    ):
        if head.startswith(start):
            return name
    return f"APP{marker - 0xE0}"


def _collect_tables(body: bytes, tables: dict[int, bytes]) -> None:
    at = 0
    while at < len(body):
        size = 128 if body[at] >> 4 else 64
        table = body[at + 1 : at + 1 + size]
        if len(table) < size:
            raise UnreadableFile("malformed", "a quantisation table of the JPEG is cut short")
        tables[body[at] & 15] = table
        at += 1 + size


@cache
def _table_sums() -> tuple[int, ...]:
    """Sum of the luminance table the IJG library writes for quality 100, 99, ..., 1 (rising)."""
    sums = []
    for quality in range(100, 0, -1):
        scale = 5000 // quality if quality < 50 else 200 - 2 * quality
        sums.append(sum(min(max((value * scale + 50) // 100, 1), 255) for value in _STANDARD_LUMINANCE))
    return tuple(sums)


def _quality(table: bytes) -> int:
    total = sum(table) if len(table) == 64 else sum(table[0::2]) * 256 + sum(table[1::2])
    sums = _table_sums()
    after = min(bisect_left(sums, total), 99)
    nearest = after if after == 0 or sums[after] - total < total - sums[after - 1] else after - 1
    return 100 - nearest
