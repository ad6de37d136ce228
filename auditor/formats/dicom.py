"""DICOM: with or without preamble and meta information, every byte order and compression that free codecs decode.

The header is read by our own bounded parser; values that could identify are hashed before they leave it, names, birth
dates and addresses are never taken. Pixels are stored values: no rescale, no window. Single-bit pixels are boolean.
"""

from __future__ import annotations

import struct

from auditor.containers.dicom_facts import FACT_TAGS, dicom_facts, rescale
from auditor.containers.dicom_fields import WANTED, dicom_fields, dicom_roles, text
from auditor.containers.dicom_frames import LOSSY_JPEG
from auditor.containers.dicom_header import LONG_VRS, PIXELS, UNDEFINED, VRS, Elements, read_elements
from auditor.containers.dicom_image import describe, uid_name
from auditor.containers.dicom_pixels import decode
from auditor.containers.jpeg_header import jpeg_fields, read_jpeg_header
from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue, FileSource, Format, Header, Limits, Pixels, check_declared

FORMATS = {"dicom": Format(words="DICOM", suffixes=("dcm", "dicom", "dic"), shared=("", "ima"))}
PRIORITY = 50
_KEPT = WANTED | FACT_TAGS
_ITEM = b"\xfe\xff\x00\xe0"


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes."""
    return "dicom" if _looks_like_dicom(head) else None


def open_header(source: FileSource, limits: Limits) -> Header:
    """Fields and roles; an object without pixels has the shape ().

    Raises:
        UnreadableFile: truncated, malformed, or over the limits.
    """
    elements = read_elements(source.content, _KEPT, limits)
    fields: dict[str, FieldValue] = {"container.format": "dicom"}
    if elements.pixels is None or elements.pixels.length == 0:
        fields |= dicom_fields(elements)
        facts = dicom_facts(elements, None)
        return Header(format="dicom", shape=(), frames=0, fields=fields, roles=dicom_roles(elements), facts=facts)
    described = describe(elements)
    check_declared(described.shape, described.frames, described.dtype.itemsize, limits)
    fields |= {
        "container.bit_depth": described.stored,
        "container.sample_kind": "float" if described.tag != PIXELS else "signed" if described.signed else "unsigned",
        "container.channels": described.samples,
        "container.photometric": described.photometric,
        "container.width": described.columns,
        "container.height": described.rows,
        "container.palette": described.colours[0][0] if described.colours else 0,
    }
    if elements.pixels.length == UNDEFINED and elements.transfer_syntax in LOSSY_JPEG:
        fields |= _jpeg_fields(elements)
    fields |= dicom_fields(elements)
    return Header(
        format="dicom",
        shape=described.shape,
        frames=described.frames,
        fields=fields,
        roles=dicom_roles(elements),
        facts=dicom_facts(elements, described),
    )


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:  # noqa: ARG001
    """Stored values of all frames, native byte order; slope and intercept are passed on.

    Raises:
        UnreadableFile: no pixels, truncated, malformed, unsupported, or a codec is missing.
    """
    elements = read_elements(source.content, _KEPT, limits)
    if elements.pixels is None or elements.pixels.length == 0:
        kind = text(elements, 0x00080016) or text(elements, 0x00020002)
        name = uid_name(kind)
        what = f" ({name})" if name else ""
        raise UnreadableFile("no-pixels", f"a DICOM object without pixels{what}")
    described = describe(elements)
    array, overflow = decode(elements, source.content, described, limits)
    slope, intercept = rescale(elements)
    return Pixels(
        array=array, overflow=overflow, inverted=described.photometric == "MONOCHROME1", slope=slope, intercept=intercept
    )


def _jpeg_fields(elements: Elements) -> dict[str, FieldValue]:
    """How the JPEG of the first frame was written."""
    assert elements.pixels is not None
    data, at = memoryview(elements.data), elements.pixels.offset
    table, length = bytes(data[at : at + 4]), bytes(data[at + 4 : at + 8])
    at += 8 + int.from_bytes(length, "little")
    if table != _ITEM or bytes(data[at : at + 4]) != _ITEM:
        raise UnreadableFile("malformed", "the compressed pixels of the DICOM file are not in frames")
    jpeg = jpeg_fields(read_jpeg_header(data[at + 8 :]))
    return {key: value for key, value in jpeg.items() if key.startswith("container.jpeg_")}


def _looks_like_dicom(head: bytes) -> bool:
    """True for a file with the DICM mark, and for one without it whose first elements are certainly DICOM.

    Without the mark: group 0002 or 0008, then two or more well-formed elements in rising order (or one that ends the file).
    """
    if head[128:132] == b"DICM":
        return True
    if len(head) < 16:
        return False
    if head[:2] in (b"\x02\0", b"\x08\0"):
        order = "<"
    elif head[:2] in (b"\0\x02", b"\0\x08"):
        order = ">"
    else:
        return False
    explicit = head[4:6] in VRS
    if order == ">" and not explicit:
        return False
    at, last, seen = 0, -1, 0
    while at + 8 <= len(head) and seen < 4:
        group, element = struct.unpack_from(order + "HH", head, at)
        tag = group << 16 | element
        if tag <= last or group not in (0x0002, 0x0004, 0x0008, 0x0009, 0x0010, 0x0018, 0x0020, 0x0028):
            return False
        vr = head[at + 4 : at + 6]
        if explicit and vr not in VRS:
            # the meta group is always explicit, the data set after it may be implicit
            return seen >= 2
        if not explicit:
            length, start = struct.unpack_from(order + "I", head, at + 4)[0], at + 8
        elif vr in LONG_VRS:
            if at + 12 > len(head):
                break
            length, start = struct.unpack_from(order + "I", head, at + 8)[0], at + 12
        else:
            length, start = struct.unpack_from(order + "H", head, at + 6)[0], at + 8
        if length == UNDEFINED or length % 2 or length > 1 << 16:
            return seen >= 2
        last, at, seen = tag, start + length, seen + 1
    return seen >= 2
