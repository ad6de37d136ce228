"""TIFF: 1 to 64 bits, integers and floats, several pages, tiles, OME, BigTIFF.

The directories are read by our own bounded parser; tifffile decodes the pages, one by one (never a series, so that an OME
file cannot name files elsewhere). Pages of equal shape are frames; of different ones the largest is the image. A palette
is applied, 1-bit samples become 0 and 255, WhiteIsZero is told by `inverted`.
"""

from __future__ import annotations

import io
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from auditor.containers.guard import decoding
from auditor.containers.header_text import tiff_text
from auditor.containers.inflate import ZLIB, inflate
from auditor.containers.jpeg_header import jpeg2000_size, read_jpeg_header
from auditor.containers.tiff_header import JPEG_2000, Page, TiffHeader, read_tiff_header
from auditor.values.errors import MissingExtraError, UnreadableFile
from auditor.values.image import FieldValue, FileSource, Format, Header, Limits, Pixels, check_declared

FORMATS = {
    "tiff": Format(
        words="TIFF",
        suffixes=("tif", "tiff", "btf", "tf2", "tf8", "lsm", "svs", "ndpi", "scn", "qptiff"),
        shared=("stk",),
    )
}
PRIORITY = 50
_SMALL = 100_000
"""Deflate cannot make more than a hundred megabytes of so few bytes."""
_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes."""
    return "tiff" if head[:4] in _MARKS else None


def open_header(source: FileSource, limits: Limits) -> Header:
    """What the directories say.

    Raises:
        UnreadableFile: damaged, unsupported, or it declares more than the limits allow.
    """
    tiff = read_tiff_header(source.content, limits.frames)
    page = tiff.pages[0]
    try:
        check_declared(page.shape, tiff.frames, page.itemsize, limits)
    except UnreadableFile as error:
        if not tiff.slide:
            raise
        reason = f"a whole slide ({tiff.slide}), of which no part is read by itself: {error.reason}; export its tiles as images"
        raise UnreadableFile(error.kind, reason, declared_bytes=error.declared_bytes) from None
    own: dict[str, FieldValue] = {
        "container.format": "tiff",
        "container.width": page.width,
        "container.height": page.height,
    }
    return Header(
        format="tiff",
        shape=page.shape,
        frames=tiff.frames,
        fields=own | tiff.fields,
        roles=tiff_text(source.content),
        facts=_facts(tiff),
    )


def _facts(tiff: TiffHeader) -> dict[str, FieldValue]:
    """Which slide it is, and how many pages are no part of the image (`pages_between`: between its own)."""
    others: dict[str, FieldValue] = {"pages_other": len(tiff.others), "pages_between": tiff.between} if tiff.others else {}
    return others | ({"slide": tiff.slide} if tiff.slide else {})


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:  # noqa: ARG001
    """Decode all frames, in native byte order.

    Raises:
        UnreadableFile: truncated, damaged, over the limits, or imagecodecs is needed and missing.
    """
    tiff = read_tiff_header(source.content, limits.frames)
    first = tiff.pages[0]
    check_declared(first.shape, tiff.frames, first.itemsize, limits)
    for page in tiff.pages:
        _check_data(source.content, page, limits)
    array = _stack(source.content, tiff) if tiff.stacked else _pages(source.content, tiff)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    return Pixels(array=array, inverted=first.photometric == 0)


def _check_data(content: bytes, page: Page, limits: Limits) -> None:
    """All strips or tiles must lie inside the file, and must not unpack to more than the page has room for.

    imagecodecs is told the size and stops there; a JPEG says its own size, and Python's own zlib and lzma, which tifffile
    falls back to, would go on to the end.
    """
    end = len(content)
    bare = find_spec("imagecodecs") is None
    if bare and page.compression in (34925, 50000):
        missing = MissingExtraError("imagecodecs", extra="codecs", purpose="the TIFF page")
        raise UnreadableFile("missing-codec", str(missing))
    for offset, length in zip(page.offsets, page.lengths, strict=False):
        if offset + length > end:
            raise UnreadableFile("truncated", "the TIFF ends before all of its pixels are there")
        if page.compression == 7 and content[offset : offset + 2] == b"\xff\xd8":
            inside = read_jpeg_header(memoryview(content)[offset : offset + length])
            check_declared((inside.height, inside.width, inside.channels), 1, page.itemsize, limits)
        elif page.compression in JPEG_2000 and (size := jpeg2000_size(content, offset, offset + length)) is not None:
            check_declared(size, 1, page.itemsize, limits)
        elif bare and page.compression in (8, 32946) and length > _SMALL:
            room = limits.decoded_bytes
            if len(inflate(memoryview(content)[offset : offset + length], ZLIB, room + 1)) > room:
                raise UnreadableFile("too-large", "a strip of the TIFF unpacks to more than the limit")


def _pages(content: bytes, tiff: TiffHeader) -> npt.NDArray[np.generic]:
    first = tiff.pages[0]
    stack: npt.NDArray[np.generic] | None = None
    import tifffile

    with decoding("TIFF page", loggers=("tifffile",)), tifffile.TiffFile(io.BytesIO(content), _multifile=False) as file:
        for i, described in enumerate(tiff.pages):
            page = file.pages[described.index]
            if page.dtype is None or page.dtype.kind not in "buif":
                raise UnreadableFile("unsupported", f"TIFF samples of {first.bits} bits are not read")
            array = np.asarray(page.asarray(maxworkers=1))
            if page.axes == "SYX":
                array = np.moveaxis(array, 0, -1)
            if first.photometric == 3 and first.samples == 1:
                array = _apply_palette(array, page.colormap)
            if array.shape != first.shape:
                raise UnreadableFile("unsupported", f"a TIFF page of axes {page.axes} is not read")
            if stack is None:
                stack = np.empty((tiff.frames, *first.shape), array.dtype)
            if stack.dtype != array.dtype:
                raise UnreadableFile("malformed", "the pages of the TIFF differ in depth")
            stack[i] = array
    assert stack is not None
    return stack


def _apply_palette(indices: npt.NDArray[np.generic], colours: npt.NDArray[np.uint16] | None) -> npt.NDArray[np.generic]:
    if colours is None or colours.ndim != 2 or colours.shape[0] != 3:
        raise UnreadableFile("malformed", "the TIFF's palette is missing")
    if int(indices.max(initial=0)) >= colours.shape[1]:
        raise UnreadableFile("malformed", "the TIFF uses a colour that its palette does not hold")
    # colours are 16 bits by the standard; nearly all writers spread 8 bits over them
    table = (colours >> 8).astype(np.uint8).T
    return np.ascontiguousarray(table[indices.astype(np.intp)])


def _stack(content: bytes, tiff: TiffHeader) -> npt.NDArray[np.generic]:
    """Frames behind one directory, uncompressed and without gaps."""
    page = tiff.pages[0]
    kind = {1: "u", 2: "i", 3: "f", 4: "u"}[page.kind]
    if page.bits not in (8, 16, 32, 64) or page.planar != 1:
        raise UnreadableFile("unsupported", f"an ImageJ stack of {page.bits} bits is not read")
    with decoding("TIFF stack"):
        dtype = np.dtype(f"{tiff.order}{kind}{page.itemsize}")
        count = tiff.frames * int(np.prod(page.shape))
        if page.offsets[0] + count * dtype.itemsize > len(content):
            raise UnreadableFile("truncated", "the TIFF ends before all of its frames are there")
        flat = np.frombuffer(content, dtype, count, page.offsets[0])
        return flat.reshape(tiff.frames, *page.shape).astype(dtype.newbyteorder("="))
