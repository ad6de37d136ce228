"""Headers of GIF, BMP and WebP, read by hand: size, depth, palette, frames."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from auditor.containers.ifd import exif_fields
from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue


@dataclass(frozen=True, kw_only=True)
class RasterHeader:
    """Size, what the pixels are decoded to (Pillow's name: `L`, `RGB`, `RGBA`), number of frames and fields."""

    width: int
    height: int
    mode: str
    frames: int = 1
    fields: dict[str, FieldValue] = field(default_factory=dict)


def read_gif_header(content: bytes, most_blocks: int) -> RasterHeader:
    """Walk the blocks of a GIF (GIF89a specification) and count its images.

    Raises:
        UnreadableFile: damaged, no image, or more than `most_blocks` blocks.
    """
    if len(content) < 13:
        raise UnreadableFile("truncated", "the GIF ends inside its header")
    width, height, packed = struct.unpack_from("<HHB", content, 6)
    bits = (packed & 7) + 1
    at = 13 + (3 << bits if packed & 0x80 else 0)
    frames = blocks = 0
    interlaced = comment = False
    end = len(content)
    while at < end:
        blocks += 1
        if blocks > most_blocks:
            raise UnreadableFile("too-large", f"the GIF holds more than {most_blocks:,} blocks")
        kind = content[at]
        if kind == 0x3B:
            break
        if kind == 0x2C and at + 10 <= end:
            frames += 1
            local = content[at + 9]
            interlaced |= bool(local & 0x40)
            at += 11 + (3 << (local & 7) + 1 if local & 0x80 else 0)
        elif kind == 0x21 and at + 2 <= end:
            comment |= content[at + 1] == 0xFE
            at += 2
        elif kind == 0:
            at += 1
            continue
        else:
            break
        while at < end and content[at]:
            blocks += 1
            at += content[at] + 1
        at += 1
    if not frames or not width or not height:
        raise UnreadableFile("truncated" if at >= end else "malformed", "the GIF holds no image")
    fields: dict[str, FieldValue] = {
        "container.bit_depth": bits,
        "container.channels": 1,
        "container.photometric": "palette",
        "container.palette": 1 << bits if packed & 0x80 else 0,
        "container.interlace": "yes" if interlaced else "no",
        "container.comment": "yes" if comment else "no",
    }
    return RasterHeader(width=width, height=height, mode="RGB", frames=frames, fields=fields)


def read_bmp_header(content: bytes) -> RasterHeader:
    """The information header and the palette of a BMP.

    Raises:
        UnreadableFile: truncated or impossible.
    """
    if len(content) < 30:
        raise UnreadableFile("truncated", "the BMP ends inside its header")
    size = struct.unpack_from("<I", content, 14)[0]
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", content, 18)
        packing, across, colours, entry = 0, 0, 0, 3
    elif size >= 40 and len(content) >= 54:
        width, height, _, bits, packing, _, across, _, colours, _ = struct.unpack_from("<iiHHIIiiII", content, 18)
        entry = 4
    else:
        raise UnreadableFile("malformed", "the BMP's header holds impossible values")
    height = abs(height)
    if width <= 0 or height <= 0 or bits not in (1, 2, 4, 8, 16, 24, 32):
        raise UnreadableFile("malformed", "the BMP's header holds impossible values")
    palette = (min(colours, 256) or 1 << bits) if bits <= 8 else 0
    start = 14 + size
    table = content[start : start + palette * entry]
    grey = bool(palette) and table[0::entry] == table[1::entry] == table[2::entry]
    mode = "L" if grey else "RGB"
    if bits == 32:
        mode = "RGBA" if packing in (3, 6) and size >= 56 and struct.unpack_from("<I", content, 66)[0] else "RGB"
    fields: dict[str, FieldValue] = {
        "container.bit_depth": bits if bits <= 8 else {16: 5}.get(bits, 8),
        "container.channels": 1 if bits <= 8 else len(mode),
        "container.photometric": "palette" if palette and not grey else "grey" if grey else mode,
        "container.palette": 0 if grey else palette,
        "container.compression": {0: "none", 1: "RLE8", 2: "RLE4", 3: "bitfields"}.get(packing, str(packing)),
        "container.dpi": round(across * 0.0254, 1) or None,
    }
    return RasterHeader(width=width, height=height, mode=mode, fields=fields)


def read_webp_header(content: bytes, most_chunks: int) -> RasterHeader:
    """Walk the chunks of a WebP (RFC 9649).

    Raises:
        UnreadableFile: damaged, or no image.
    """
    width = height = frames = 0
    alpha = lossless = animated = icc = False
    exif = b""
    at, end = 12, len(content)
    for _ in range(most_chunks):
        if at + 8 > end:
            break
        kind, length = struct.unpack_from("<4sI", content, at)
        start = at + 8
        at = start + length + (length & 1)
        if kind == b"VP8X" and start + 10 <= end:
            alpha, animated = bool(content[start] & 0x10), bool(content[start] & 2)
            width = 1 + int.from_bytes(content[start + 4 : start + 7], "little")
            height = 1 + int.from_bytes(content[start + 7 : start + 10], "little")
        elif kind == b"VP8 " and start + 10 <= end and not width:
            width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", content, start + 6))
        elif kind == b"VP8L" and start + 5 <= end:
            lossless = True
            if not width:
                bits = int.from_bytes(content[start + 1 : start + 5], "little")
                width, height, alpha = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
        elif kind == b"ANMF":
            frames += 1
            lossless |= content[start + 16 : start + 20] == b"VP8L"
        elif kind == b"ICCP":
            icc = True
        elif kind == b"EXIF":
            exif = content[start : start + length]
    else:
        raise UnreadableFile("too-large", f"the WebP holds more than {most_chunks:,} chunks")
    if not width or not height:
        raise UnreadableFile("truncated" if at >= end else "malformed", "the WebP holds no image")
    fields: dict[str, FieldValue] = {
        "container.bit_depth": 8,
        "container.channels": 4 if alpha else 3,
        "container.photometric": "RGBA" if alpha else "RGB",
        "container.compression": "lossless" if lossless else "lossy",
        "container.icc": "yes" if icc else "no",
        "container.exif": "yes" if exif else "no",
    }
    if exif:
        fields |= exif_fields(exif)
    mode = "RGBA" if alpha else "RGB"
    return RasterHeader(width=width, height=height, mode=mode, frames=max(frames, 1) if animated else 1, fields=fields)
