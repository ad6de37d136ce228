"""DICOM elements, walked with bounds: no recursion, no copy of what is not wanted, no trust in any length.

Source: DICOM PS3.5 (data structures and encoding) and PS3.10 (file format), edition 2026c.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from auditor.containers.inflate import RAW
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
DEFLATED_LE = "1.2.840.10008.1.2.1.99"
Order = Literal["<", ">"]
PIXELS, FLOAT_PIXELS, DOUBLE_PIXELS = 0x7FE00010, 0x7FE00008, 0x7FE00009
SHARED_GROUPS = 0x52009229
UNDEFINED = 0xFFFFFFFF

VRS = frozenset(
    b"AE AS AT CS DA DS DT FL FD IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()
)
LONG_VRS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"))
_ITEM, _ITEM_END, _SEQUENCE_END = 0xE000, 0xE00D, 0xE0DD
_PIXEL_TAGS = frozenset((PIXELS, FLOAT_PIXELS, DOUBLE_PIXELS))
_LONGEST_VALUE = 1 << 18
_FIRST_INFLATED = 1 << 18


class Element(NamedTuple):
    """One wanted element: its VR (empty in implicit files) and raw value. A tuple, because there are dozens per file."""

    vr: bytes
    value: bytes


@dataclass(frozen=True, kw_only=True)
class PixelElement:
    """Where the pixels lie in `Elements.data`; `length` is `UNDEFINED` for encapsulated data."""

    tag: int
    vr: bytes
    offset: int
    length: int


@dataclass(frozen=True, kw_only=True)
class Elements:
    """What the walk found.

    Args:
        transfer_syntax: as declared, or as guessed from the first elements when the file does not say.
        order: byte order of the data set, `<` or `>`.
        found: tag → element, for the wanted tags of the data set itself.
        shared: the same for the shared functional groups of enhanced multi-frame objects.
        creators: private creators of the data set itself.
        count: elements of the data set itself, up to the pixels.
        data: the content, inflated when the transfer syntax says so: as far as the walk went.
        data_start: where the data set starts in `content`.
    """

    transfer_syntax: str
    declared: bool
    order: Order
    found: Mapping[int, Element]
    shared: Mapping[int, Element]
    creators: tuple[str, ...]
    count: int
    pixels: PixelElement | None
    data: bytes
    data_start: int
    preamble: bool


@dataclass(kw_only=True)
class _Walk:
    """State of one walk."""

    order: Order
    implicit: bool
    found: dict[int, Element] = field(default_factory=dict)
    shared: dict[int, Element] = field(default_factory=dict)
    creators: set[str] = field(default_factory=set)
    count: int = 0
    pixels: PixelElement | None = None


def read_elements(content: bytes, wanted: frozenset[int], limits: Limits) -> Elements:
    """Walk the elements up to the pixels and keep the values of the wanted ones.

    Sequences are skipped, except the shared functional groups. In deflated files no more is inflated than the elements
    before the pixels need, and never more than `limits.header_bytes`.

    Raises:
        UnreadableFile: truncated, malformed, nested deeper or longer than `limits` allow.
    """
    preamble = content[128:132] == b"DICM"
    start = 132 if preamble else 0
    meta, start = _read_meta(content, start)
    stated = meta.get(0x00020010)
    syntax = stated.value.rstrip(b"\0 ").decode("ascii", "replace") if stated else ""
    if syntax == DEFLATED_LE:
        return _read_deflated(content, start, meta, wanted, limits, preamble)
    order, implicit = _encoding(content, start, syntax)
    walk = _Walk(order=order, implicit=implicit)
    walk.found.update({tag: element for tag, element in meta.items() if tag in wanted})
    _walk(walk, content, start, len(content), wanted, limits)
    guessed = IMPLICIT_LE if implicit else EXPLICIT_BE if order == ">" else EXPLICIT_LE
    return _elements(walk, syntax or guessed, bool(syntax), content, start, preamble)


def _elements(walk: _Walk, syntax: str, declared: bool, data: bytes, start: int, preamble: bool) -> Elements:
    return Elements(
        transfer_syntax=syntax,
        declared=declared,
        order=walk.order,
        found=walk.found,
        shared=walk.shared,
        creators=tuple(sorted(walk.creators)),
        count=walk.count,
        pixels=walk.pixels,
        data=data,
        data_start=start,
        preamble=preamble,
    )


def _read_deflated(
    content: bytes, start: int, meta: Mapping[int, Element], wanted: frozenset[int], limits: Limits, preamble: bool
) -> Elements:
    """Inflate piece by piece until the walk reaches the pixels."""
    stream = zlib.decompressobj(RAW)
    data, rest, goal = b"", content[start:], _FIRST_INFLATED
    while True:
        try:
            data += stream.decompress(rest, goal - len(data))
        except zlib.error:
            raise UnreadableFile("malformed", "the compressed data in the file is damaged") from None
        rest = stream.unconsumed_tail
        ended = stream.eof or not rest
        walk = _Walk(order="<", implicit=False)
        walk.found.update({tag: element for tag, element in meta.items() if tag in wanted})
        try:
            _walk(walk, data, 0, len(data), wanted, limits)
        except UnreadableFile as error:
            if error.kind != "truncated" or ended:
                raise
        else:
            if walk.pixels is not None or ended:
                break
        if goal >= limits.header_bytes:
            raise UnreadableFile(
                "too-large",
                f"the deflated DICOM file unpacks to more than {limits.header_bytes / 2**20:,.0f} MiB before its pixels",
            )
        goal = min(goal * 8, limits.header_bytes)
    return _elements(walk, DEFLATED_LE, True, data, start, preamble)


def _read_meta(content: bytes, at: int) -> tuple[dict[int, Element], int]:
    """Group 0002, always explicit little-endian; and where the data set starts."""
    meta: dict[int, Element] = {}
    end = len(content)
    while at + 8 <= end and content[at : at + 2] == b"\x02\0" and content[at + 4 : at + 6] in VRS:
        element, vr = struct.unpack_from("<H2s", content, at + 2)
        if vr in LONG_VRS:
            if at + 12 > end:
                break
            length, start = struct.unpack_from("<I", content, at + 8)[0], at + 12
        else:
            length, start = struct.unpack_from("<H", content, at + 6)[0], at + 8
        if start + length > end:
            raise UnreadableFile("truncated", "the DICOM file ends inside its file meta information")
        meta[0x00020000 | element] = Element(vr, content[start : start + min(length, _LONGEST_VALUE)])
        at = start + length
    return meta, at


def _encoding(content: bytes, at: int, syntax: str) -> tuple[Order, bool]:
    """Byte order and whether VRs are implicit: what the first element looks like outranks what the file declares."""
    head = content[at : at + 8]
    order: Order = ">" if syntax == EXPLICIT_BE else "<"
    if len(head) < 8:
        return order, syntax == IMPLICIT_LE
    if not syntax and head[:2] in (b"\0\x08", b"\0\x04") and head[4:6] in VRS:
        order = ">"
    return order, head[4:6] not in VRS


def _walk(walk: _Walk, data: bytes, at: int, end: int, wanted: frozenset[int], limits: Limits) -> None:
    """One loop over all elements, in local names: it runs once per element of every file of a data set."""
    order, implicit = walk.order, walk.implicit
    short_head = struct.Struct(order + "HH2sH").unpack_from
    long_head = struct.Struct(order + "I").unpack_from
    found, shared_found = walk.found, walk.shared
    # one entry per open sequence or item: (its end or None, the VR rule and whether shared groups hold outside of it)
    stack: list[tuple[int | None, bool, bool]] = []
    shared = False
    count = 0
    for _ in range(limits.elements):
        while stack and stack[-1][0] is not None and at >= stack[-1][0]:
            _, implicit, shared = stack.pop()
        if at + 8 > end:
            break
        group, number, vr, length = short_head(data, at)
        start = at + 8
        if group == 0xFFFE:
            at, implicit, shared = _delimiter(data, at, number, long_head(data, at + 4)[0], stack, implicit, shared, limits)
            continue
        if implicit:
            vr, length = b"", long_head(data, at + 4)[0]
        elif vr in LONG_VRS:
            if at + 12 > end:
                raise UnreadableFile("truncated", "the DICOM file ends inside an element")
            length, start = long_head(data, at + 8)[0], at + 12
        elif vr not in VRS and not (vr.isalpha() and vr.isupper()):
            # no VR at all: some writers fall back to implicit for single elements
            vr, length = b"", long_head(data, at + 4)[0]
        tag = group << 16 | number
        if not stack:
            if group == 0 or group == 0xFFFF:
                if not any(data[at : min(end, at + 4096)]):
                    break  # zeros after the last element
                raise UnreadableFile("malformed", "the DICOM file holds an impossible tag")
            if group == 0x7FE0 and tag in _PIXEL_TAGS:
                walk.pixels = PixelElement(tag=tag, vr=vr, offset=start, length=length)
                break
            count += 1
            if group & 1 and 0x10 <= number <= 0xFF and length <= 64 and len(walk.creators) < 64:
                walk.creators.add(_plain(data[start : start + length]))
        if length == UNDEFINED:
            # a value of VR UN and undefined length is a sequence in implicit encoding (PS3.5 6.2.2, note 2)
            stack.append((None, implicit, shared))
            implicit = implicit or vr == b"UN"
            shared = shared or (tag == SHARED_GROUPS and len(stack) == 1)
            _check_nesting(stack, limits)
            at = start
            continue
        after = start + length
        if (tag == SHARED_GROUPS and not stack) or (shared and vr == b"SQ"):
            stack.append((min(after, end), implicit, shared))
            _check_nesting(stack, limits)
            shared = True
            at = start
            continue
        if after > end:
            raise UnreadableFile("truncated", "the DICOM file ends inside an element")
        if tag in wanted:
            if not stack:
                found[tag] = Element(vr, data[start : start + min(length, _LONGEST_VALUE)])
            elif shared:
                shared_found.setdefault(tag, Element(vr, data[start : start + min(length, 1024)]))
        at = after
    else:
        raise UnreadableFile("too-large", f"the DICOM file holds more than {limits.elements:,} elements")
    walk.count = count
    if walk.pixels is None and at > end:
        raise UnreadableFile("truncated", "the DICOM file ends inside an element")


def _delimiter(
    data: bytes,
    at: int,
    number: int,
    length: int,
    stack: list[tuple[int | None, bool, bool]],
    implicit: bool,
    shared: bool,
    limits: Limits,
) -> tuple[int, bool, bool]:
    """An item, or the end of an item or sequence: where to go on, and the VR rule and place that hold there."""
    start = at + 8
    if not stack:
        raise UnreadableFile("malformed", "the DICOM file holds an item outside of any sequence")
    if number in (_ITEM_END, _SEQUENCE_END):
        _, implicit, shared = stack.pop()
    elif number == _ITEM and length == UNDEFINED:
        stack.append((None, implicit, shared))
        _check_nesting(stack, limits)
    elif number == _ITEM and shared:
        stack.append((min(start + length, len(data)), implicit, shared))
        _check_nesting(stack, limits)
    else:
        start += length
    return start, implicit, shared


def _check_nesting(stack: list[tuple[int | None, bool, bool]], limits: Limits) -> None:
    # a sequence and its item are two entries
    if len(stack) > 2 * limits.nesting:
        raise UnreadableFile("malformed", f"the DICOM file nests sequences deeper than {limits.nesting} levels")


def _plain(value: bytes) -> str:
    return "".join(c for c in value.decode("latin-1").strip("\0 ") if c.isprintable())
