"""Free text in headers (comments, descriptions) as words: what was written beside the picture. Decodes nothing."""

from __future__ import annotations

import re
import struct

from auditor.containers.ifd import directory, layout_of, text_of
from auditor.values.errors import UnreadableFile

LONGEST = 4096
MOST_WORDS = 100
MOST_PARTS = 1000
_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TOKEN = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_DESCRIPTION, _USER_COMMENT, _EXIF = 270, 0x9286, 0x8769


def words_of(text: str) -> frozenset[str]:
    """Words in lower case, of two letters or more, and mixed tokens whole: `SOB_B_Img12` → sob, img, img12; no numbers."""
    found: set[str] = set()
    for token in _TOKEN.findall(_CASE.sub(" ", text)):
        lower = token.lower()
        letters = _LETTERS.findall(lower)
        found.update(part for part in letters if len(part) > 1)
        if letters and len(letters[0]) < len(lower) <= 12:
            found.add(lower)
    return frozenset(found)


def in_words(*texts: str) -> dict[str, str]:
    """The role `text` of a header: the words of all texts, sorted; nothing when there are none."""
    found = sorted(words_of(" ".join(texts)[:LONGEST]))[:MOST_WORDS]
    return {"text": " ".join(found)} if found else {}


def png_text(content: bytes) -> dict[str, str]:
    """Uncompressed text chunks of a PNG before its pixels, and after them as far as the file goes; keys are left out."""
    texts: list[str] = []
    at = 8
    for _ in range(MOST_PARTS):
        if at + 8 > len(content):
            break
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind == b"tEXt":
            texts.append(content[at + 8 : at + 8 + min(length, LONGEST)].partition(b"\0")[2].decode("latin-1"))
        elif kind == b"iTXt":
            key, _, rest = content[at + 8 : at + 8 + min(length, LONGEST)].partition(b"\0")
            parts = rest[2:].split(b"\0", 2)
            # The flag of compression comes first; what XMP packets hold is markup, not text.
            if rest[:1] == b"\0" and len(parts) == 3 and b"xmp" not in key.lower():
                texts.append(parts[2].decode("utf-8", "replace"))
        at += 12 + length
    return in_words(*texts)


def jpeg_text(content: bytes) -> dict[str, str]:
    """Comments of a JPEG before its scan, and the description and user comment of its EXIF block."""
    texts: list[str] = []
    at = 2
    for _ in range(MOST_PARTS):
        if at + 4 > len(content) or content[at] != 0xFF or content[at + 1] in (0xDA, 0xD9):
            break
        length = content[at + 2] << 8 | content[at + 3]
        body = content[at + 4 : at + 2 + length]
        if content[at + 1] == 0xFE:
            texts.append(body[:LONGEST].decode("utf-8", "replace"))
        elif content[at + 1] == 0xE1 and body[:6] == b"Exif\0\0":
            texts.append(_exif_text(body[6:]))
        at += 2 + length
    return in_words(*texts)


def tiff_text(content: bytes) -> dict[str, str]:
    """The description of a TIFF's first page, unless a program wrote it for programs (OME, ImageJ, shape, Aperio)."""
    return in_words(_exif_text(content))


def _exif_text(block: bytes) -> str:
    try:
        layout = layout_of(block)
        main, _ = directory(block, layout, layout.first, LONGEST)
        inner = main.get(_EXIF)
        deeper = directory(block, layout, int(inner[0]), LONGEST)[0] if isinstance(inner, tuple) and inner else {}
    except UnreadableFile:
        # A damaged block was reported by the reader; there is no text in it to look at.
        return ""
    description = text_of(main, _DESCRIPTION, LONGEST)
    if description.startswith(("<?xml", "<OME", "ImageJ=", '{"shape"', "Aperio")):
        description = ""
    comment = deeper.get(_USER_COMMENT)
    said = comment[8:].decode("utf-8", "replace") if isinstance(comment, bytes) else ""
    return f"{description} {said}"
