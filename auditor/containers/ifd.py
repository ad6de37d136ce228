"""TIFF's image file directories, read with bounds: for TIFF files themselves and for EXIF blocks."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue

Number = int | float
Entry = tuple[Number, ...] | bytes

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MOST_TAGS = 4096


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Byte order and width of offsets: `<` or `>`; `big` for BigTIFF; `first` is the offset of the first directory."""

    order: Literal["<", ">"]
    big: bool
    first: int


def layout_of(data: bytes | memoryview) -> Layout:
    """Byte order, width and first directory of TIFF data.

    Raises:
        UnreadableFile: no TIFF header.
    """
    head = bytes(data[:16])
    orders: Mapping[bytes, Literal["<", ">"]] = {b"II": "<", b"MM": ">"}
    order = orders.get(head[:2])
    if order is None or len(head) < 8:
        raise UnreadableFile("malformed", "the TIFF header is damaged")
    version = struct.unpack_from(order + "H", head, 2)[0]
    if version == 42:
        return Layout(order=order, big=False, first=struct.unpack_from(order + "I", head, 4)[0])
    if version == 43 and len(head) == 16:
        return Layout(order=order, big=True, first=struct.unpack_from(order + "Q", head, 8)[0])
    raise UnreadableFile("malformed", "the TIFF header is damaged")


def directory(data: bytes | memoryview, layout: Layout, at: int, most_values: int) -> tuple[dict[int, Entry], int]:
    """One directory: tag → values (numbers as a tuple, text and unknown types as bytes), and the offset of the next (0 = last).

    An entry whose data lies outside the file is left out; of a longer one than `most_values` only the first are read.

    Raises:
        UnreadableFile: the directory itself lies outside the file or is absurdly long.
    """
    order, big = layout.order, layout.big
    width, count_at = (20, 8) if big else (12, 2)
    if at < 8 or at + count_at > len(data):
        raise UnreadableFile("truncated", "the TIFF directory lies beyond the end of the file")
    count = struct.unpack_from(order + ("Q" if big else "H"), data, at)[0]
    at += count_at
    if count > _MOST_TAGS:
        raise UnreadableFile("malformed", f"a TIFF directory claims {count:,} tags")
    link = 8 if big else 4
    if at + count * width > len(data):
        raise UnreadableFile("truncated", "the TIFF directory is cut short")
    entries: dict[int, Entry] = {}
    for i in range(count):
        where = at + i * width
        tag, kind = struct.unpack_from(order + "HH", data, where)
        number = struct.unpack_from(order + ("Q" if big else "I"), data, where + 4)[0]
        size = _SIZES.get(kind)
        if size is None or number == 0:
            continue
        value_at = where + (12 if big else 8)
        if number * size > link:
            value_at = struct.unpack_from(order + ("Q" if big else "I"), data, value_at)[0]
        number = min(number, most_values)
        if value_at + number * size > len(data):
            continue
        # a tag given twice: the first counts
        entries.setdefault(tag, _values(data, order, kind, value_at, number))
    after = at + count * width
    following = struct.unpack_from(order + ("Q" if big else "I"), data, after)[0] if after + link <= len(data) else 0
    return entries, following


def _values(data: bytes | memoryview, order: str, kind: int, at: int, number: int) -> Entry:
    if kind in (1, 2, 7):
        raw = bytes(data[at : at + number])
        return raw if kind != 1 else tuple(raw)
    if kind in (5, 10):
        pairs = struct.unpack_from(f"{order}{2 * number}{'I' if kind == 5 else 'i'}", data, at)
        return tuple(top / bottom if bottom else 0.0 for top, bottom in zip(pairs[::2], pairs[1::2], strict=True))
    return struct.unpack_from(f"{order}{number}{_CODES[kind]}", data, at)


def directories(
    data: bytes | memoryview, layout: Layout, *, most: int, most_values: int = 1 << 20
) -> Iterator[dict[int, Entry]]:
    """All main directories in file order; a chain that bites its own tail ends there.

    Raises:
        UnreadableFile: damaged, or more than `most` directories.
    """
    seen: set[int] = set()
    at = layout.first
    while at and at not in seen:
        if len(seen) >= most:
            raise UnreadableFile("too-large", f"the file holds more than {most:,} pages")
        seen.add(at)
        entries, at = directory(data, layout, at, most_values)
        yield entries


def number_of(entries: Mapping[int, Entry], tag: int, default: int) -> int:
    """The first value of a tag as an integer."""
    value = entries.get(tag)
    if not value:
        return default
    first = value[0]
    return int(first) if first == first and abs(first) < 2**63 else default


def text_of(entries: Mapping[int, Entry], tag: int, longest: int = 120) -> str:
    """A text tag, without padding; empty when absent."""
    value = entries.get(tag)
    if not isinstance(value, bytes):
        return ""
    text = value.split(b"\0", 1)[0][:longest].decode("utf-8", "replace")
    return "".join(c for c in text if c.isprintable()).strip()


def exif_fields(block: bytes | memoryview) -> dict[str, FieldValue]:
    """What an EXIF block tells about the machine that made the file, and whether it holds a position or maker notes.

    Dates, owners, serial numbers and positions are told by presence alone; `container.exif_readable` is no for a damaged block.
    """
    if bytes(block[:6]) == b"Exif\0\0":
        block = block[6:]
    try:
        layout = layout_of(block)
        main, _ = directory(block, layout, layout.first, 256)
        inner: dict[int, Entry] = {}
        if 0x8769 in main:
            inner, _ = directory(block, layout, number_of(main, 0x8769, 0), 256)
    except UnreadableFile:
        return {"container.exif_readable": "no"}
    return {
        "container.exif_readable": "yes",
        "container.make": text_of(main, 0x010F) or None,
        "container.model": text_of(main, 0x0110) or None,
        "container.software": text_of(main, 0x0131) or None,
        "container.exif_orientation": number_of(main, 0x0112, 1),
        "container.exif_gps": "yes" if 0x8825 in main else "no",
        "container.exif_maker_note": "yes" if 0x927C in inner else "no",
        "container.exif_date": "yes" if 0x0132 in main or 0x9003 in inner or 0x9004 in inner else "no",
    }
