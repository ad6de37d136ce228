"""PNG, JPEG, BMP, GIF and WebP. The header is read from the container itself; Pillow decodes, from an allow-list of formats.

What the pixels come out as: grey (height, width), colour with 3 and with alpha 2 or 4 channels; palettes are applied; grey
of 1, 2 or 4 bits is spread over 0–255; 16-bit PNG stays 16 bits, also in colour; CMYK becomes RGB; the frames of an
animated GIF or WebP are frames (of an animated PNG, its still image).
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from auditor.containers.guard import codec, decoding
from auditor.containers.header_text import jpeg_text, png_text
from auditor.containers.jpeg_header import jpeg_fields, read_jpeg_header
from auditor.containers.png_header import GREY, PALETTE, SIGNATURE, PngHeader, png_fields, read_png_header
from auditor.containers.png_pixels import decode_png16
from auditor.containers.raster_header import read_bmp_header, read_gif_header, read_webp_header
from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue, FileSource, Format, Header, Limits, Pixels, check_declared

FORMATS = {
    "png": Format(words="PNG", suffixes=("png",)),
    "jpeg": Format(words="JPEG", suffixes=("jpg", "jpeg", "jpe", "jfif")),
    "bmp": Format(words="BMP", suffixes=("bmp", "dib")),
    "gif": Format(words="GIF", suffixes=("gif",)),
    "webp": Format(words="WebP", suffixes=("webp",)),
}
PRIORITY = 50
_CHANNELS = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes."""
    if head.startswith(SIGNATURE):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    # two letters are a weak mark: the header sizes that BMP knows, and its two reserved words, make it certain
    known = head[14:18] in tuple(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))
    return "bmp" if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0" and known else None


def open_header(source: FileSource, limits: Limits) -> Header:
    """What the container says.

    Raises:
        UnreadableFile: truncated, malformed, or it declares more than the limits allow.
    """
    content = source.content
    name = sniff(content)
    frames, itemsize = 1, 1
    fields: dict[str, FieldValue]
    if name == "png":
        png = read_png_header(content, limits.elements)
        width, height, mode, fields = png.width, png.height, _png_mode(png), png_fields(png)
        itemsize = 2 if png.depth == 16 else 1
    elif name == "jpeg":
        jpeg = read_jpeg_header(content)
        if jpeg.channels not in (1, 3, 4):
            raise UnreadableFile("unsupported", f"a JPEG with {jpeg.channels} colour components is not read")
        width, height, mode, fields = jpeg.width, jpeg.height, "L" if jpeg.channels == 1 else "RGB", jpeg_fields(jpeg)
        itemsize = 1 if jpeg.precision <= 8 else 2
    elif name in ("gif", "bmp", "webp"):
        if name == "bmp":
            other = read_bmp_header(content)
        else:
            other = (read_gif_header if name == "gif" else read_webp_header)(content, limits.elements)
        width, height, mode, frames, fields = other.width, other.height, other.mode, other.frames, other.fields
    else:
        raise UnreadableFile("not-an-image", "the content is neither PNG, JPEG, BMP, GIF nor WebP")
    shape = (height, width, *_CHANNELS[mode])
    check_declared(shape, frames, itemsize, limits)
    own: dict[str, FieldValue] = {"container.format": name, "container.width": width, "container.height": height}
    roles = png_text(content) if name == "png" else jpeg_text(content) if name == "jpeg" else {}
    return Header(format=name, shape=shape, frames=frames, fields=own | fields, roles=roles)


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:
    """Decode; dtype uint8, or uint16 for 16-bit PNG and JPEG of more than 8 bits.

    Raises:
        UnreadableFile: truncated, damaged, or a codec is missing.
    """
    check_declared(header.shape, header.frames, 1, limits)
    if header.format == "png":
        png = read_png_header(source.content, limits.elements)
        if png.depth == 16 and png.colour != GREY:
            return Pixels(array=decode_png16(source.content, png)[None])
        mode = "I;16" if png.depth == 16 else _png_mode(png)
    else:
        mode = {(): "L", (2,): "LA", (3,): "RGB", (4,): "RGBA"}[header.shape[2:]]
    if header.format == "jpeg":
        jpeg = read_jpeg_header(source.content)
        if jpeg.precision != 8 or jpeg.lossless:
            return Pixels(array=_uncommon_jpeg(source.content, header)[None])
    with decoding(f"{header.format.upper()} image"):
        array = _decode(source.content, header, mode)
    return Pixels(array=array)


def _decode(content: bytes, header: Header, mode: str) -> npt.NDArray[np.generic]:
    array = np.empty((header.frames, *header.shape), np.uint16 if mode == "I;16" else np.uint8)
    with Image.open(io.BytesIO(content), formats=(header.format.upper(),)) as image:
        if (image.height, image.width) != header.shape[:2]:
            raise UnreadableFile("malformed", f"the {header.format.upper()} contradicts itself about the size of the image")
        for i in range(header.frames):
            if i or header.frames > 1:
                image.seek(i)
            frame = image if image.mode == mode else image.convert(mode)
            array[i] = np.asarray(frame)
    return array


def _png_mode(png: PngHeader) -> str:
    if png.colour == PALETTE:
        return "RGBA" if png.transparent else "RGB"
    return {GREY: "L", 2: "RGB", 4: "LA", 6: "RGBA"}[png.colour]


def _uncommon_jpeg(content: bytes, header: Header) -> npt.NDArray[np.generic]:
    """12-bit and lossless JPEG, which Pillow does not read."""
    with decoding("JPEG of more than 8 bits, or lossless,"):
        imagecodecs = codec("imagecodecs", "imagecodecs", purpose="JPEG of more than 8 bits, or lossless,")
        array: npt.NDArray[np.generic] = imagecodecs.jpeg_decode(content)
    if array.shape != header.shape:
        raise UnreadableFile("malformed", "the JPEG contradicts itself about the size of the image")
    return array
