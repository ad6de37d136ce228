"""Files that no reader may stumble over: truncated, empty, not what they say, or far larger inside than outside.

The bombs are real and quick to make: a run of zeros deflates to one block that can be repeated, so that 900 MB of pixels
cost neither time nor memory here.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import FileDataset
from pydicom.uid import ComputedRadiographyImageStorage, DeflatedExplicitVRLittleEndian, generate_uid

from auditor.degrade.encode import encode, file_meta, png_chunk
from auditor.degrade.flaws import Truth

BLOCK = 1 << 20


def truncated_jpeg(seed: int) -> bytes:
    """A JPEG of a smooth picture that stops after 60 % of its bytes."""
    axis = np.linspace(0, 3, 96)
    noise = np.random.default_rng(seed).normal(0, 0.05, (96, 96))
    whole = encode(np.clip(0.5 + 0.4 * np.sin(axis[:, None]) * np.cos(axis) + noise, 0, 1), "jpeg")
    return whole[: int(0.6 * len(whole))]


def empty(seed: int) -> bytes:  # noqa: ARG001 - all makers are called alike
    """Nothing."""
    return b""


def text(seed: int) -> bytes:  # noqa: ARG001
    """What a failed download leaves behind."""
    return b"<html><head><title>404 Not Found</title></head><body>The requested file was not found.</body></html>\n"


def huge_png(seed: int = 0, *, side: int = 30_000) -> bytes:  # noqa: ARG001
    """A valid grey PNG of `side`² pixels, all black: 900 MB decoded from less than 1 MB."""
    total = side * (side + 1)
    content = b"\x78\x9c" + _deflated_zeros(total) + struct.pack(">I", (total % 65521) << 16 | 1)  # Adler-32 of zeros
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", content) + png_chunk(b"IEND", b"")


def deflate_bomb(seed: int, *, side: int = 16_384) -> bytes:
    """A deflated DICOM file of `side`² 16-bit pixels, all black: 512 MiB from about 0.5 MB, inflated before any tag is read."""
    instance = str(generate_uid(entropy_srcs=["medaudit", "bomb", str(seed)]))
    syntax = str(DeflatedExplicitVRLittleEndian)
    start = FileDataset("", {}, file_meta=file_meta(instance, syntax), preamble=b"\0" * 128)
    stream = io.BytesIO()
    dcmwrite(stream, start, enforce_file_format=True)
    head = stream.getvalue()
    # The end of the file meta group: after preamble, "DICM" and the group-length element (12 bytes, length at 140).
    head = head[: 144 + struct.unpack_from("<I", head, 140)[0]]
    elements = b"".join(
        [
            _element(0x0008, 0x0016, b"UI", str(ComputedRadiographyImageStorage).encode()),
            _element(0x0008, 0x0018, b"UI", instance.encode()),
            _element(0x0008, 0x0060, b"CS", b"CR"),
            _element(0x0028, 0x0002, b"US", struct.pack("<H", 1)),
            _element(0x0028, 0x0004, b"CS", b"MONOCHROME2"),
            *(_element(0x0028, tag, b"US", struct.pack("<H", side)) for tag in (0x0010, 0x0011)),
            _element(0x0028, 0x0100, b"US", struct.pack("<H", 16)),
            _element(0x0028, 0x0101, b"US", struct.pack("<H", 16)),
            _element(0x0028, 0x0102, b"US", struct.pack("<H", 15)),
            _element(0x0028, 0x0103, b"US", struct.pack("<H", 0)),
            struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, 2 * side * side),
        ]
    )
    opening = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = opening.compress(elements) + opening.flush(zlib.Z_FULL_FLUSH) + _deflated_zeros(2 * side * side)
    return head + body + b"\0" * (len(body) % 2)


def _element(group: int, element: int, vr: bytes, value: bytes) -> bytes:
    """A short element in explicit VR little endian; the value padded to an even length (PS3.5, 7.1.2)."""
    padding = b"" if len(value) % 2 == 0 else (b"\0" if vr == b"UI" else b" ")
    return struct.pack("<HH2sH", group, element, vr, len(value) + len(padding)) + value + padding


def _deflated_zeros(count: int) -> bytes:
    """A raw deflate stream of `count` zeros: one flushed block, repeated (RFC 1951)."""
    one = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = one.compress(bytes(BLOCK)) + one.flush(zlib.Z_FULL_FLUSH)
    rest = zlib.compressobj(9, zlib.DEFLATED, -15)
    return block * (count // BLOCK) + rest.compress(bytes(count % BLOCK)) + rest.flush(zlib.Z_FINISH)


UNREADABLE: Mapping[str, tuple[str, Callable[[int], bytes]]] = {
    "truncated": ("truncated.jpg", truncated_jpeg),
    "empty": ("empty.png", empty),
    "text": ("not_found.png", text),
    "too-large": ("huge.png", huge_png),
    "deflate-bomb": ("inflates.dcm", deflate_bomb),
}
"""Kind → usual file name, maker(seed)."""


def write_unreadable(root: Path, folder: str = "", *, kinds: Sequence[str] = (), seed: int = 0) -> list[Truth]:
    """Write one unreadable file per kind (default all) into `root/folder`; `record` is the path relative to `root`."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    truth = []
    for kind in kinds or tuple(UNREADABLE):
        name, make = UNREADABLE[kind]
        where = f"{folder}/{name}" if folder else name
        (root / where).write_bytes(make(seed))
        truth.append(Truth(record=where, kind="unreadable", detail=kind))
    return truth
