"""A TIFF's pages as their directories describe them, and which of them are the image. Decodes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from auditor.containers.ifd import Entry, directories, exif_fields, layout_of, number_of, text_of
from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue

COMPRESSIONS: Mapping[int, str] = {
    1: "none", 2: "CCITT RLE", 3: "CCITT fax 3", 4: "CCITT fax 4", 5: "LZW", 7: "JPEG", 8: "deflate", 32773: "PackBits",
    32946: "deflate", 33003: "JPEG 2000", 33004: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 34925: "LZMA",
    50000: "Zstandard",
}  # fmt: skip
"""Compressions that are read; the names stand in `container.compression`."""

_PHOTOMETRIC = {0: "WhiteIsZero", 1: "BlackIsZero", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr", 8: "CIELab"}
_KINDS = {1: "unsigned", 2: "signed", 3: "float", 4: "unsigned"}
_SMALLER_OR_MASK = 0b101
"""Bits of NewSubfileType: a smaller copy of another page (LSM has one of each), a mask of it."""
JPEG_2000 = (33003, 33004, 33005, 34712)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page: its size, samples and where its strips or tiles lie."""

    index: int
    width: int
    height: int
    samples: int
    bits: int
    kind: int
    photometric: int
    compression: int
    planar: int
    offsets: tuple[int, ...]
    lengths: tuple[int, ...]

    @property
    def key(self) -> tuple[int, ...]:
        """Pages of one stack agree in this."""
        return (self.height, self.width, self.samples, self.bits, self.kind, self.photometric)

    @property
    def itemsize(self) -> int:
        """Bytes of one decoded sample."""
        return next((size for size in (1, 2, 4, 8) if self.bits <= 8 * size), 16)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the decoded page; a palette is applied."""
        channels = 3 if self.photometric == 3 and self.samples == 1 else self.samples
        return (self.height, self.width) if channels == 1 else (self.height, self.width, channels)


@dataclass(frozen=True, kw_only=True)
class TiffHeader:
    """`pages` are the frames of the image; `stacked` of them lie behind one directory (ImageJ writes that); `slide`: it is a
    whole slide, of which kind, in words; `others`: places of pages that are none of them and no smaller copy or mask of one."""

    pages: tuple[Page, ...]
    stacked: int
    order: str
    fields: dict[str, FieldValue]
    slide: str = ""
    others: tuple[int, ...] = ()

    @property
    def between(self) -> int:
        """How many of the `others` lie between pages of the image."""
        return sum(self.pages[0].index < place < self.pages[-1].index for place in self.others)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.stacked or len(self.pages)


def read_tiff_header(content: bytes, most_pages: int) -> TiffHeader:
    """Walk all directories; the image is the stack of equal pages with the largest area (the first of them, when several).

    Raises:
        UnreadableFile: damaged, no page, an unsupported compression, or more than `most_pages` pages.
    """
    layout = layout_of(content)
    groups: dict[tuple[int, ...], list[Page]] = {}
    tags: dict[tuple[int, ...], dict[int, Entry]] = {}
    count, whole = 0, []
    for index, entries in enumerate(directories(content, layout, most=most_pages)):
        count += 1
        page = _page(index, entries)
        if not number_of(entries, 254, 0) & _SMALLER_OR_MASK:
            whole.append(index)
        if page is not None:
            groups.setdefault(page.key, []).append(page)
            tags.setdefault(page.key, entries)
    if not groups:
        raise UnreadableFile("malformed", "the TIFF holds no page with pixels")
    key = max(groups, key=lambda k: k[0] * k[1])
    pages = groups[key]
    first = pages[0]
    if first.compression not in COMPRESSIONS:
        raise UnreadableFile("unsupported", f"TIFF compression {first.compression} is not read")
    if first.kind not in _KINDS or first.bits not in (1, 2, 4, 8, 10, 12, 14, 16, 24, 32, 64):
        raise UnreadableFile("unsupported", f"TIFF samples of {first.bits} bits and sample format {first.kind} are not read")
    entries = tags[key]
    stacked = _imagej_stack(entries) if count == 1 and first.compression == 1 else 0
    own = {page.index for page in pages}
    slide = _slide(first, entries, [page for key, pages in groups.items() if 324 in tags[key] for page in pages[:1]])
    return TiffHeader(
        pages=tuple(pages),
        stacked=stacked,
        order=layout.order,
        fields=_fields(content, first, entries, layout.order, layout.big, count),
        slide=slide,
        others=() if slide else tuple(index for index in whole if index not in own),
    )


def _page(index: int, entries: Mapping[int, Entry]) -> Page | None:
    width, height = number_of(entries, 256, 0), number_of(entries, 257, 0)
    tiled = 324 in entries
    offsets, lengths = entries.get(324 if tiled else 273, ()), entries.get(325 if tiled else 279, ())
    if width <= 0 or height <= 0 or not offsets:
        return None
    if number_of(entries, 32997, 1) > 1:
        raise UnreadableFile("unsupported", "a TIFF page with depth (volume in tiles) is not read")
    bits = entries.get(258, (1,))
    if len(set(bits)) > 1:
        raise UnreadableFile("unsupported", "a TIFF with channels of different depth is not read")
    samples = number_of(entries, 277, 1)
    if not 1 <= samples <= 512:
        raise UnreadableFile("malformed", "the TIFF's number of channels is impossible")
    return Page(
        index=index,
        width=width,
        height=height,
        samples=samples,
        bits=number_of(entries, 258, 1),
        kind=number_of(entries, 339, 1),
        photometric=number_of(entries, 262, 1),
        compression=number_of(entries, 259, 1),
        planar=number_of(entries, 284, 1),
        offsets=tuple(int(v) for v in offsets),
        lengths=tuple(int(v) for v in lengths),
    )


def _slide(first: Page, entries: Mapping[int, Entry], tiled: Sequence[Page]) -> str:
    """Which kind of whole slide it is; empty where it is none.

    Args:
        tiled: a page of each size that is stored in tiles: those that are ever smaller pictures of the first are a pyramid.
    """
    text = entries.get(270)
    start = text[:4096] if isinstance(text, bytes) else b""
    if start.startswith(b"Aperio"):
        return "Aperio SVS"
    if 65420 in entries:
        return "Hamamatsu NDPI"
    if b"<scn" in start:
        return "Leica SCN"
    shape = first.height / first.width
    smaller = [page for page in tiled if page.width * 1.8 < first.width]
    levels = [page for page in smaller if abs(page.width * shape - page.height) <= 0.02 * page.height + 2]
    return "a pyramid of tiles" if len(levels) >= 2 and first in tiled else ""


def _imagej_stack(entries: Mapping[int, Entry]) -> int:
    text = entries.get(270)
    if not isinstance(text, bytes) or not text.startswith(b"ImageJ="):
        return 0
    found = re.search(rb"\nimages=(\d{1,7})\n", text[:4096])
    return int(found[1]) if found and int(found[1]) > 1 else 0


def _fields(
    content: bytes, page: Page, entries: Mapping[int, Entry], order: str, big: bool, pages: int
) -> dict[str, FieldValue]:
    unit = {2: 1.0, 3: 2.54}.get(number_of(entries, 296, 2))
    across = entries.get(282, ())
    dpi = round(float(across[0]) * unit, 2) if unit and across else None
    description = entries.get(270, b"")
    start = description[:4096] if isinstance(description, bytes) else b""
    says = (
        "none" if not start.strip(b"\0 ")
        else "OME" if b"<OME" in start
        else "ImageJ" if start.startswith(b"ImageJ=")
        else "shaped" if start.startswith(b'{"shape"')
        else "Aperio" if start.startswith(b"Aperio")
        else "text"
    )  # fmt: skip
    fields: dict[str, FieldValue] = {
        "container.bit_depth": page.bits,
        "container.sample_kind": _KINDS[page.kind],
        "container.channels": page.samples,
        "container.compression": COMPRESSIONS[page.compression],
        "container.photometric": _PHOTOMETRIC.get(page.photometric, str(page.photometric)),
        "container.predictor": number_of(entries, 317, 1),
        "container.planar": page.planar,
        "container.tiled": "yes" if 324 in entries else "no",
        "container.tiff_strips": len(page.offsets),
        "container.tiff_tags": "+".join(str(tag) for tag in sorted(entries)),
        "container.tiff_pages": pages,
        "container.tiff_software": text_of(entries, 305) or None,
        "container.tiff_description": says,
        "container.big": "yes" if big else "no",
        "container.byte_order": "little" if order == "<" else "big",
        "container.dpi": dpi,
        "container.icc": "yes" if 34675 in entries else "no",
        "container.exif": "yes" if 34665 in entries or 34853 in entries else "no",
    }
    if 34665 in entries or 34853 in entries or 271 in entries:
        fields |= exif_fields(memoryview(content)) if not big else {}
    if 274 in entries:
        fields["container.exif_orientation"] = number_of(entries, 274, 1)
    return fields
