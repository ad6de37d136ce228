"""What PNG text, JPEG comments, EXIF, TIFF descriptions and NIfTI fields could tell about a person: told by the field's name.

A field is named with what its text seems to hold, `PNG Author (name)`; places, owners and maker notes are named without.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from auditor.containers.ifd import Entry, directories, directory, layout_of, number_of
from auditor.containers.inflate import GZIP, ZLIB, inflate
from auditor.containers.nifti_header import HEADER_BYTES, version_of
from auditor.format import texts_of
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Limits
from auditor.values.privacy import Privacy, kinds_in

_LONGEST = 1 << 16
MOST_TEXTS = 256
"""Texts of one PNG that are looked into."""
_PNG_KEYS = frozenset(
    (
        "Title", "Author", "Description", "Copyright", "Creation Time", "Software", "Disclaimer", "Warning", "Source",
        "Comment", "XML:com.adobe.xmp", "Raw profile type exif", "Raw profile type iptc", "parameters",
    )
)  # fmt: skip
"""Keywords of the PNG specification (11.3.4.2) and of common writers; any other is called `another keyword`."""

_EXIF_TEXTS = {
    0x010E: "ImageDescription", 0x013B: "Artist", 0x8298: "Copyright", 0x9C9B: "XPTitle", 0x9C9C: "XPComment",
    0x9C9D: "XPAuthor", 0x9C9E: "XPKeywords", 0x9C9F: "XPSubject", 0x013C: "HostComputer", 0x010D: "DocumentName",
    0x011D: "PageName",
}  # fmt: skip
_EXIF_INNER = {0x9286: "UserComment", 0xA430: "CameraOwnerName", 0xA431: "BodySerialNumber"}
_OWNERS = frozenset(("Artist", "CameraOwnerName", "XPAuthor"))
_NIFTI = {1: (("descrip", 148, 80), ("aux_file", 228, 24), ("db_name", 14, 18), ("intent_name", 328, 16)),
          2: (("descrip", 240, 80), ("aux_file", 320, 24), ("intent_name", 508, 16))}  # fmt: skip


def container_exposure(source: FileSource, name: str, rules: Privacy, limits: Limits) -> dict[str, str]:
    """`embedded`: fields that hold a place, an owner, a name, a date of a person or a record number, joined by `+`.

    Args:
        source: the file.
        name: its format. One that is not looked into here says its texts itself (`auditor.format`: `texts`).
    """
    found: set[str] = set()
    reader = {"png": _png, "jpeg": _jpeg, "webp": _webp, "tiff": _tiff, "nifti": _nifti, "gif": _gif}.get(name)
    for field, text, certain in reader(source.content, limits) if reader is not None else texts_of(source, limits):
        if certain:
            found.add(field)
        elif rules.is_real(text):
            kinds = kinds_in(text)
            if kinds:
                found.add(f"{field} ({', '.join(sorted(kinds))})")
    return {"embedded": "+".join(sorted(found))} if found else {}


Found = Iterator[tuple[str, str, bool]]
"""Name of a field, its text, and whether its presence alone counts."""


def _plain(raw: bytes) -> str:
    return raw[:_LONGEST].decode("utf-8", "replace").strip("\0 ")


def _png(content: bytes, limits: Limits) -> Found:
    at, end, texts = 8, len(content), 0
    for _ in range(limits.elements):
        if at + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + 8 + min(length, limits.header_bytes)]
        at += length + 12
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            texts += 1
            if texts > MOST_TEXTS:
                yield f"PNG texts behind the first {MOST_TEXTS}", "", True
                return
            key, _, rest = body.partition(b"\0")
            packed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\1")
            if kind == b"iTXt":
                rest = rest[2:].split(b"\0", 2)[-1]
            elif packed:
                rest = rest[1:]
            try:
                text = _plain(inflate(rest, ZLIB, _LONGEST) if packed else rest)
            except UnreadableFile:
                text = ""
            word = key.decode("latin-1")
            shown = word if word in _PNG_KEYS else "another keyword"
            yield f"PNG {shown}", text, word == "Author" and bool(text)
            if shown == "another keyword":
                yield "PNG keyword", word, False
        elif kind == b"eXIf":
            yield from _exif(body)


def _jpeg(content: bytes, limits: Limits) -> Found:
    at, end = 2, len(content)
    for _ in range(limits.elements):
        while at < end and content[at] != 0xFF:
            at += 1
        if at + 4 > end:
            return
        marker = content[at + 1]
        if marker in (0xFF, 0x01, 0x00) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (0xDA, 0xD9):
            return
        length = content[at + 2] << 8 | content[at + 3]
        body = content[at + 4 : at + 2 + length]
        at += 2 + max(length, 2)
        if marker == 0xFE:
            yield "JPEG comment", _plain(body), False
        elif marker == 0xE1 and body.startswith(b"Exif\0"):
            yield from _exif(body[6:])
        elif marker == 0xE1 and body.startswith(b"http://ns.adobe.com/x"):
            yield "XMP", _plain(body), b"exif:GPSLatitude" in body
        elif marker == 0xED and body.startswith(b"Photoshop"):
            yield "IPTC", _plain(body), False


def _webp(content: bytes, limits: Limits) -> Found:
    at, end = 12, len(content)
    for _ in range(limits.elements):
        if at + 8 > end:
            return
        kind, length = struct.unpack_from("<4sI", content, at)
        body = content[at + 8 : at + 8 + min(length, limits.header_bytes)]
        at += 8 + length + (length & 1)
        if kind == b"EXIF":
            yield from _exif(body[6:] if body.startswith(b"Exif\0\0") else body)
        elif kind == b"XMP ":
            yield "XMP", _plain(body), b"exif:GPSLatitude" in body


def _gif(content: bytes, limits: Limits) -> Found:
    at = 0
    for _ in range(limits.frames):
        at = content.find(b"\x21\xfe", at)
        if at < 0 or at + 3 > len(content):
            return
        yield "GIF comment", _plain(content[at + 3 : at + 3 + content[at + 2]]), False
        at += 3


def _tiff(content: bytes, limits: Limits) -> Found:
    try:
        layout = layout_of(content)
        for page in directories(content, layout, most=limits.frames, most_values=_LONGEST):
            for field, text, certain in _texts(page, _EXIF_TEXTS):
                yield f"TIFF {field}", text, certain
            if 34853 in page:
                yield "EXIF GPS", "", True
            if 34665 in page:
                inner, _ = directory(content, layout, number_of(page, 34665, 0), _LONGEST)
                yield from _inner(inner)
    except UnreadableFile:
        return


def _exif(block: bytes) -> Found:
    try:
        layout = layout_of(block)
        main, _ = directory(block, layout, layout.first, _LONGEST)
        for field, text, certain in _texts(main, _EXIF_TEXTS):
            yield f"EXIF {field}", text, certain
        if 0x8825 in main:
            yield "EXIF GPS", "", True
        if 0x8769 in main:
            inner, _ = directory(block, layout, number_of(main, 0x8769, 0), _LONGEST)
            yield from _inner(inner)
    except UnreadableFile:
        return


def _inner(entries: dict[int, Entry]) -> Found:
    for field, text, certain in _texts(entries, _EXIF_INNER):
        yield f"EXIF {field}", text, certain
    if 0x927C in entries:
        yield "EXIF MakerNote", "", True


def _texts(entries: dict[int, Entry], wanted: dict[int, str]) -> Found:
    for tag, field in wanted.items():
        value = entries.get(tag)
        if value is None:
            continue
        # the XP fields of Windows are bytes in UTF-16; some programs write texts as numbers of one byte
        raw = value if isinstance(value, bytes) else bytes(int(v) & 255 for v in value[:_LONGEST])
        if field.startswith("XP"):
            text = raw[:_LONGEST].decode("utf-16-le", "replace").strip("\0 ")
        elif field == "UserComment":
            text = _comment(raw[:_LONGEST])
        else:
            text = _plain(raw)
        if text:
            yield field, text, field in _OWNERS


def _comment(raw: bytes) -> str:
    """EXIF 2.3, 4.6.5: eight bytes name the code of the characters, and most programs write none but ASCII."""
    if raw[:8] != b"UNICODE\0":
        return _plain(raw[8:] if raw[:8] in (b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8)) else raw)
    text = raw[8:]
    return text.decode("utf-16-be" if text[:1] == b"\0" else "utf-16-le", "replace").strip("\0 ")


def _nifti(content: bytes, limits: Limits) -> Found:
    try:
        packed = content[:2] == b"\x1f\x8b"
        head = inflate(content[: 1 << 16], GZIP, HEADER_BYTES) if packed else content[:HEADER_BYTES]
        version = version_of(head)
        if version is not None:
            most = min(limits.header_bytes, _LONGEST)
            whole = inflate(content[: 1 << 16], GZIP, most) if packed else content[:most]
            yield from _extensions(whole, 348 if version[0] == 1 else 540, version[1])
    except UnreadableFile:
        return
    for field, start, length in _NIFTI.get(version[0] if version else 0, ()):
        text = _plain(head[start : start + length])
        if text:
            # a data base's name is where the scanner put the examination: nothing but people and studies stand there
            yield f"NIfTI {field}", text, field == "db_name"


def _extensions(whole: bytes, at: int, order: str) -> Found:
    """What programs put between the header and the voxels: comments, DICOM attributes, XML (nifti1.h, `nifti1_extension`)."""
    if whole[at : at + 1] in (b"", b"\0"):
        return
    at += 4
    for _ in range(MOST_TEXTS):
        if at + 8 > len(whole):
            return
        size, code = struct.unpack_from(f"{order}2i", whole, at)
        if size < 8 or size % 16:
            return
        yield f"NIfTI extension {code}", _plain(whole[at + 8 : at + size]), False
        at += size
