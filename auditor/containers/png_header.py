"""A PNG's chunks: what the container says, without decoding."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from auditor.containers.ifd import exif_fields
from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
_SAMPLES = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
_DEPTHS = {GREY: (1, 2, 4, 8, 16), COLOUR: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), COLOUR_ALPHA: (8, 16)}
_NAMES = {GREY: "grey", COLOUR: "RGB", PALETTE: "palette", GREY_ALPHA: "grey+alpha", COLOUR_ALPHA: "RGBA"}


@dataclass(frozen=True, kw_only=True)
class PngHeader:
    """IHDR and what the other chunks tell: `data` holds (offset, length) of every IDAT, `chunks` names the ancillary ones."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool
    palette: int
    transparent: bool
    chunks: tuple[str, ...]
    text_keys: tuple[str, ...]
    dpi: float | None
    exif: bytes
    data: tuple[tuple[int, int], ...]

    @property
    def channels(self) -> int:
        """Samples per pixel as stored; 1 for a palette."""
        return _SAMPLES[self.colour]


def read_png_header(content: bytes, most_chunks: int) -> PngHeader:
    """Walk the chunks of a PNG.

    Raises:
        UnreadableFile: IHDR is missing or impossible, or there are more than `most_chunks` chunks.
    """
    if len(content) < 33 or content[12:16] != b"IHDR":
        raise UnreadableFile("truncated" if len(content) < 33 else "malformed", "the PNG has no complete header")
    width, height, depth, colour, packing, filtering, interlace = struct.unpack_from(">IIBBBBB", content, 16)
    if not width or not height or depth not in _DEPTHS.get(colour, ()) or packing or filtering or interlace > 1:
        raise UnreadableFile("malformed", "the PNG's header holds impossible values")
    chunks: set[str] = set()
    keys: set[str] = set()
    data: list[tuple[int, int]] = []
    palette, dpi, exif = 0, None, b""
    at, end, count = 33, len(content), 0
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", content, at)
        start = at + 8
        at = start + length + 4
        count += 1
        if count > most_chunks:
            raise UnreadableFile("too-large", f"the PNG holds more than {most_chunks:,} chunks")
        if kind == b"IDAT":
            data.append((start, min(length, end - start)))
            continue
        if kind == b"IEND":
            break
        if not kind.isalpha():
            raise UnreadableFile("malformed", "the PNG holds a damaged chunk")
        if kind[0] & 0x20:
            chunks.add(kind.decode("ascii"))
        if kind == b"PLTE":
            palette = length // 3
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            key = content[start : start + 80].split(b"\0", 1)[0][:79].decode("latin-1")
            keys.add("".join(c for c in key if c.isprintable()))
        elif kind == b"pHYs" and length == 9 and start + 9 <= end:
            across, _, unit = struct.unpack_from(">IIB", content, start)
            dpi = round(across * 0.0254, 1) if unit == 1 else None
        elif kind == b"eXIf":
            exif = content[start : start + length]
    return PngHeader(
        width=width,
        height=height,
        depth=depth,
        colour=colour,
        interlaced=interlace == 1,
        palette=palette,
        transparent="tRNS" in chunks,
        chunks=tuple(sorted(chunks)),
        text_keys=tuple(sorted(keys)[:64]),
        dpi=dpi,
        exif=exif,
        data=tuple(data),
    )


def png_fields(header: PngHeader) -> dict[str, FieldValue]:
    """Header fields of a PNG, prefixed."""
    fields: dict[str, FieldValue] = {
        "container.bit_depth": header.depth,
        "container.channels": header.channels,
        "container.photometric": _NAMES[header.colour],
        "container.interlace": "yes" if header.interlaced else "no",
        "container.palette": header.palette,
        "container.png_chunks": "+".join(header.chunks),
        "container.png_text_keys": "+".join(header.text_keys),
        "container.dpi": header.dpi,
        "container.icc": "yes" if "iCCP" in header.chunks else "no",
        "container.exif": "yes" if header.exif else "no",
    }
    if header.exif:
        fields |= exif_fields(header.exif)
    return fields
