"""Image formats that are recognised only to say that they are not read yet, and what to do."""

from __future__ import annotations

import struct
from dataclasses import replace

from auditor.containers.inflate import gunzip_start
from auditor.containers.nifti_header import version_of
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Format, Header, Limits, Pixels

_VOLUME, _PICTURE = "convert it to NIfTI", "convert it to PNG or TIFF"
_SLIDE, _FILM = "convert it to a pyramidal TIFF", "write its frames as PNG, or as multi-frame DICOM"


def _unread(words: str, becomes: str, *suffixes: str, shared: tuple[str, ...] = ()) -> Format:
    """Told by name: `suffixes` say it, of `shared` ones the content is asked."""
    return Format(words=words, suffixes=suffixes, shared=shared, is_read=False, becomes=becomes)


FORMATS = {
    "minc": _unread("MINC", _VOLUME, shared=("mnc",)),
    "mgh": _unread("FreeSurfer MGH", _VOLUME, shared=("mgh", "mgz")),
    "par-rec": _unread("Philips PAR/REC", _VOLUME, "rec", shared=("par",)),
    "afni": _unread("AFNI", _VOLUME, "brik", "brik.gz", shared=("head",)),
    "analyze": _unread("Analyze 7.5 (.hdr and .img)", _VOLUME, shared=("hdr", "img")),
    "ecat": _unread("ECAT", _VOLUME, "v"),
    "jpeg2000": _unread("JPEG 2000", _PICTURE, shared=("jp2", "j2k", "jpx")),
    "jpeg-xl": _unread("JPEG XL", _PICTURE, shared=("jxl",)),
    "heif": _unread("HEIF or AVIF", _PICTURE, shared=("heic", "heif", "avif")),
    "openexr": _unread("OpenEXR", _PICTURE, "exr"),
    "czi": _unread("Zeiss CZI", _SLIDE, "czi"),
    "lif": _unread("Leica LIF", _SLIDE, "lif"),
    "nd2": _unread("Nikon ND2", _SLIDE, "nd2"),
    "mirax": replace(_unread("MIRAX", _SLIDE, "mrxs"), stands_for_others=True),
    "vsi": replace(_unread("Olympus VSI", _SLIDE, "vsi"), stands_for_others=True),
    "ventana": replace(_unread("Ventana BIF", _SLIDE, "bif"), stands_for_others=True),
    "avi": _unread("AVI video", _FILM, "avi"),
    "mp4": _unread("MP4 or QuickTime video", _FILM, "mp4", "m4v", "mov"),
    "mpeg": _unread("MPEG video", _FILM, "mpg", "mpeg"),
    "wmv": _unread("Windows Media video", _FILM, "wmv"),
    "matroska": _unread("Matroska or WebM video", _FILM, "mkv", "webm"),
}
_MAGIC = {
    b"v/1\x01": "openexr",
    b"ZISRAWFILE": "czi",
    b"\xda\xce\xbe\x0a": "nd2",
    b"MATRIX7": "ecat",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "wmv",
    b"\x1a\x45\xdf\xa3": "matroska",
    b"\0\0\x01\xba": "mpeg",
}
"""First bytes that are one format's alone."""
PRIORITY = 0
"""Last: a reader of one of these formats, ours or a plug-in's, is asked before."""


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes, looking through gzip."""
    if head[:4] in (b"CDF\x01", b"CDF\x02") and b"xspace" in head:
        return "minc"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "minc" if b"minc-2.0" in head else None
    if head.startswith(b"# === DATA DESCRIPTION FILE ==="):
        return "par-rec"
    if head.lstrip()[:64].startswith(b"type") and b"-attribute" in head[:64] and b"name" in head[:96]:
        return "afni"
    if head.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51\0")):
        return "jpeg2000"
    if head.startswith((b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a")):
        return "jpeg-xl"
    if head[4:8] == b"ftyp":
        return "heif" if head[8:12] in (b"heic", b"heix", b"mif1", b"avif", b"avis", b"hevc") else "mp4"
    if head.startswith(b"RIFF"):
        return "avi" if head[8:12] == b"AVI " else None
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    plain = gunzip_start(head) or head
    if _is_mgh(plain):
        return "mgh"
    return "analyze" if _is_analyze(plain) else None


def open_header(source: FileSource, limits: Limits) -> Header:  # noqa: ARG001
    """Says that the format is not read.

    Raises:
        UnreadableFile: always, kind `unsupported`.
    """
    raise FORMATS[sniff(source.content[:4096]) or ""].refusal()


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:  # noqa: ARG001
    """As `open_header`.

    Raises:
        UnreadableFile: always, kind `unsupported`.
    """
    raise UnreadableFile("unsupported", "this image format is not read")


def _is_mgh(head: bytes) -> bool:
    """Version 1, four sensible lengths, a known type, and a flag of 0 or 1, all big-endian."""
    if len(head) < 284:
        return False
    version, wide, high, deep, many, kind = struct.unpack_from(">6i", head)
    good = struct.unpack_from(">h", head, 28)[0]
    plausible = all(0 < n < 100_000 for n in (wide, high, deep, many)) and kind in (0, 1, 3, 4)
    return bool(version == 1 and plausible and good in (0, 1))


def _is_analyze(head: bytes) -> bool:
    """A header of 348 bytes, whose magic word is not NIfTI's, with 1–7 axes."""
    if version_of(head):
        return False
    for order in "<>":
        if len(head) >= 348 and struct.unpack_from(order + "i", head)[0] == 348:
            axes, first = struct.unpack_from(order + "2h", head, 40)
            return bool(1 <= axes <= 7 and first > 0)
    return False
