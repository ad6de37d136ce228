"""Image formats that are recognised only to say that they are not read yet, and what to do."""

from __future__ import annotations

import struct

from auditor.containers.inflate import gunzip_start
from auditor.containers.nifti_header import version_of
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Header, Limits, Pixels

FORMATS: frozenset[str] = frozenset()
_NAMES = {
    "minc": "MINC",
    "mgh": "FreeSurfer MGH",
    "par-rec": "Philips PAR/REC",
    "afni": "AFNI",
    "analyze": "Analyze 7.5 (.hdr and .img)",
    "nrrd": "NRRD",
    "metaimage": "MetaImage",
    "jpeg2000": "JPEG 2000",
    "jpeg-xl": "JPEG XL",
    "heif": "HEIF or AVIF",
}
_VOLUMES = ("minc", "mgh", "par-rec", "afni", "analyze", "nrrd", "metaimage")


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes, looking through gzip."""
    if head[:4] in (b"CDF\x01", b"CDF\x02") and b"xspace" in head:
        return "minc"
    if head.startswith(b"\x89HDF\r\n\x1a\n") and b"minc-2.0" in head:
        return "minc"
    if head.startswith(b"NRRD000"):
        return "nrrd"
    if head.startswith(b"ObjectType = Image"):
        return "metaimage"
    if head.startswith(b"# === DATA DESCRIPTION FILE ==="):
        return "par-rec"
    if head.lstrip()[:64].startswith(b"type") and b"-attribute" in head[:64] and b"name" in head[:96]:
        return "afni"
    if head.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51\0")):
        return "jpeg2000"
    if head.startswith((b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a")):
        return "jpeg-xl"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"avif", b"avis", b"hevc"):
        return "heif"
    plain = gunzip_start(head) or head
    if _is_mgh(plain):
        return "mgh"
    return "analyze" if _is_analyze(plain) else None


def open_header(source: FileSource, limits: Limits) -> Header:  # noqa: ARG001
    """Says that the format is not read.

    Raises:
        UnreadableFile: always, kind `unsupported`.
    """
    name = sniff(source.content[:4096]) or ""
    what = "convert it to NIfTI" if name in _VOLUMES else "convert it to PNG or TIFF"
    raise UnreadableFile("unsupported", f"the {_NAMES[name]} format is not read: {what}" if name else "not an image")


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
