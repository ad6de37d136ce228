"""What hides in the bytes of DICOM pixels beside the picture: comments of JPEG and JPEG 2000, planes in unused bits, a tail.

Comments are overwritten where they stand, so that no offset changes. The picture itself is not touched.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

import numpy as np
from pydicom.dataset import Dataset as Elements

from auditor.containers.dicom_frames import DEFLATED_FRAMES, JPEG, JPEG_2000, JPEG_LS, RLE
from auditor.containers.dicom_header import EXPLICIT_BE
from auditor.containers.dicom_pixels import NATIVE
from auditor.values.errors import UnreadableFile

KNOWN = NATIVE | {RLE, DEFLATED_FRAMES} | JPEG | JPEG_LS | JPEG_2000
"""Transfer syntaxes of which is known where else than in the picture something could stand."""
_APPLICATIONS = {0xE0: (b"JFIF\0", 14), 0xE8: (b"mrfx", 5), 0xEE: (b"Adobe", 12)}
"""Segments that decoders need, by what they begin with, and how much of them."""
_TEXT_BOXES = (b"xml ", b"uuid", b"uinf", b"Exif")


def cleaned_pixels(dataset: Elements, syntax: str, planes: int) -> bool:
    """Take out of the pixel data, in place, what is no picture; True where something was taken out.

    Args:
        dataset: of one file.
        syntax: its transfer syntax.
        planes: the bits of a sample that hold overlays, as a mask.

    Raises:
        UnreadableFile: kind `refused`: nobody can say what else is in such pixels.
    """
    if syntax not in KNOWN:
        raise UnreadableFile("refused", "films and other codings of pixels are not cleaned: they can hold texts of their own")
    changed = False
    for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"):
        before = dataset.get(keyword)
        if not isinstance(before, bytes):
            continue
        after = _native(dataset, before, syntax, planes) if syntax in NATIVE else _encapsulated(before)
        if after != before:
            dataset[keyword].value = after
            changed = True
    return changed


def _native(dataset: Elements, content: bytes, syntax: str, planes: int) -> bytes:
    samples = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("SamplesPerPixel", 1) or 1)
    samples *= int(dataset.get("NumberOfFrames", 1) or 1)
    allocated = int(dataset.BitsAllocated)
    size = -(-samples * allocated // 8)
    if dataset.get("PhotometricInterpretation") == "YBR_FULL_422" and len(content) < size:
        size = size // 3 * 2
    kept = content[:size] + b"\0" * (size % 2 if len(content) > size else 0)
    if planes:
        if allocated not in (8, 16) or len(kept) * 8 < samples * allocated:
            raise UnreadableFile("refused", "overlays stand in bits of its pixels that cannot be cleared")
        words = np.frombuffer(kept, (">u" if syntax == EXPLICIT_BE else "<u") + str(allocated // 8)).copy()
        words &= words.dtype.type(((1 << allocated) - 1) & ~planes)
        kept = words.tobytes()
    return kept


def _encapsulated(content: bytes) -> bytes:
    """The items of encapsulated pixels (PS3.5 A.4), each with its comments overwritten."""
    out = bytearray(content)
    for start, end in _items(content):
        head = bytes(out[start : start + 12])
        if head[:2] == b"\xff\xd8":
            _blank(out, _jpeg_comments(out, start, end))
        elif head[:4] == b"\xff\x4f\xff\x51":
            _blank(out, _codestream_comments(out, start, end))
        elif head[4:8] == b"jP  ":
            for kind, inner, last in _boxes(out, start, end):
                if kind == b"jp2c":
                    _blank(out, _codestream_comments(out, inner, last))
                elif kind in _TEXT_BOXES:
                    _blank(out, [(inner, last)])
    return bytes(out)


def _items(content: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while at + 8 <= len(content):
        group, number, length = struct.unpack_from("<HHI", content, at)
        if (group, number) != (0xFFFE, 0xE000):
            return
        yield at + 8, min(at + 8 + length, len(content))
        at += 8 + length


def _jpeg_comments(data: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Comments and application data before the first scan, but what decoders need (ITU-T T.81, B.1.1.3)."""
    at = start + 2
    while at + 4 <= end and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in (0xDA, 0xD9):
            return
        last = min(at + 2 + (data[at + 2] << 8 | data[at + 3]), end)
        if marker == 0xFE:
            yield at + 4, last
        elif 0xE0 <= marker <= 0xEF:
            word, needed = _APPLICATIONS.get(marker, (b"\0", 0))
            yield at + 4 + (needed if data[at + 4 : at + 4 + len(word)] == word else 0), last
        at = max(last, at + 4)


def _codestream_comments(data: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """COM segments of the main header, without the two bytes that say of what kind they are (ISO/IEC 15444-1, A.9.2)."""
    at = start + 2
    while at + 4 <= end and data[at] == 0xFF and data[at + 1] not in (0x90, 0xD9):
        last = min(at + 2 + (data[at + 2] << 8 | data[at + 3]), end)
        if data[at + 1] == 0x64:
            yield at + 6, last
        at = max(last, at + 4)


def _boxes(data: bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Boxes of a JP2 file: kind, start and end of the content (ISO/IEC 15444-1, I.4)."""
    at = start
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, at)
        inner = at + 8
        if length == 1 and at + 16 <= end:
            length, inner = struct.unpack_from(">Q", data, at + 8)[0], at + 16
        last = end if length == 0 else min(at + length, end)
        if last <= at:
            return
        yield kind, inner, last
        at = last


def _blank(data: bytearray, spans: Iterable[tuple[int, int]]) -> None:
    for start, end in list(spans):
        if end > start:
            data[start:end] = b"\0" * (end - start)
