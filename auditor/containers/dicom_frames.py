"""Compressed DICOM frames, from every transfer syntax that a free codec decodes.

RLE, JPEG baseline and JPEG-LS are decoded by pydicom; JPEG 2000 by openjpeg, or where that is not installed by pydicom
through Pillow; lossless and 12-bit JPEG by imagecodecs, because pydicom has no free decoder for them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from auditor.containers.dicom_fields import OFFSET_LENGTHS, OFFSETS
from auditor.containers.dicom_header import Elements
from auditor.containers.dicom_image import Described, uid_name
from auditor.containers.guard import codec, decoding
from auditor.containers.inflate import RAW, inflate
from auditor.containers.jpeg_header import JPEG2000_START, JpegHeader, jpeg2000_size, read_jpeg_header
from auditor.values.errors import MissingExtraError, UnreadableFile

RLE = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70))
JPEG_LS = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (80, 81))
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))
LOSSY_JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51))
_LOSSLESS_JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (57, 70))
_LOGGERS = ("pydicom", "pydicom.pixels.decoders.base", "pydicom.pixels.utils", "openjpeg", "openjpeg.utils")
_EXTENDED_JPEG = "1.2.840.10008.1.2.4.51"


def in_pixels(array: npt.NDArray[np.generic], described: Described, by_plane: bool) -> npt.NDArray[np.generic]:
    """Samples of shape (frames, anything) as (frames, rows, columns[, samples])."""
    if described.samples == 1:
        return array.reshape(described.frames, described.rows, described.columns)
    if by_plane:
        planes = array.reshape(described.frames, described.samples, described.rows, described.columns)
        return np.moveaxis(planes, 1, -1)
    return array.reshape(described.frames, described.rows, described.columns, described.samples)


def _frames(elements: Elements, described: Described) -> Iterator[bytes]:
    """Encoded frames, in order."""
    from pydicom.encaps import generate_frames  # a third of a second to import: only where there is such a file

    assert elements.pixels is not None
    buffer = elements.data[elements.pixels.offset :]
    yield from generate_frames(buffer, number_of_frames=described.frames, extended_offsets=_extended_offsets(elements))


def _extended_offsets(elements: Elements) -> tuple[bytes, bytes] | None:
    offsets, lengths = elements.found.get(OFFSETS), elements.found.get(OFFSET_LENGTHS)
    return (offsets.value, lengths.value) if offsets and lengths else None


def decode_frames(elements: Elements, described: Described) -> tuple[npt.NDArray[np.generic], str]:
    """Decoded frames, and the colour space that they are in after decoding.

    Raises:
        UnreadableFile: truncated, malformed, an unsupported transfer syntax, or a codec is missing.
    """
    with decoding("DICOM pixels", loggers=_LOGGERS):
        frames = [frame for frame, _ in zip(_frames(elements, described), range(described.frames), strict=False)]
    if len(frames) < described.frames:
        raise UnreadableFile("truncated", f"the DICOM file holds {len(frames):,} of {described.frames:,} frames")
    syntax = elements.transfer_syntax if elements.declared else _guess(frames[0])
    headers = [_check_frame(frame, syntax, described) for frame in frames]
    if syntax == DEFLATED_FRAMES or (syntax == RLE and described.allocated == 1):
        return _packed_frames(frames, syntax, described), described.photometric
    first = headers[0]
    if syntax in _LOSSLESS_JPEG or (syntax == _EXTENDED_JPEG and first is not None and first.precision != 8):
        return _jpeg_frames(frames, described), described.photometric
    if syntax in JPEG_2000 and find_spec("openjpeg") is not None:
        return _jpeg2000_frames(frames, described)
    if syntax not in JPEG | JPEG_LS | JPEG_2000 | {RLE}:
        raise UnreadableFile(
            "unsupported", f"the DICOM transfer syntax {uid_name(syntax) or 'that the file names'} is not read"
        )
    return _by_pydicom(elements, syntax, described)


def _by_pydicom(elements: Elements, syntax: str, described: Described) -> tuple[npt.NDArray[np.generic], str]:
    from pydicom.pixels import get_decoder

    decoder = get_decoder(syntax)
    module, package = (
        ("jpeg_ls", "pyjpegls") if syntax in JPEG_LS
        else ("openjpeg", "pylibjpeg-openjpeg") if syntax in JPEG_2000
        else ("imagecodecs", "imagecodecs")
    )  # fmt: skip
    missing = MissingExtraError(package, extra="codecs", purpose=f"the DICOM file ({uid_name(syntax)})")
    if not decoder.is_available:
        raise UnreadableFile("missing-codec", str(missing))
    assert elements.pixels is not None
    try:
        with decoding("DICOM pixels", loggers=_LOGGERS):
            # raw: no colour conversion, which is slow there
            array, found = decoder.as_array(
                elements.data[elements.pixels.offset :],
                raw=True,
                rows=described.rows,
                columns=described.columns,
                samples_per_pixel=described.samples,
                number_of_frames=described.frames,
                bits_allocated=described.allocated,
                bits_stored=described.stored,
                pixel_representation=int(described.signed),
                planar_configuration=described.planar,
                photometric_interpretation=described.photometric,
                pixel_keyword="PixelData",
                extended_offsets=_extended_offsets(elements),
            )
            return array.reshape(described.frames, *described.stored_shape), str(found["photometric_interpretation"])
    except UnreadableFile:
        # what else is there (Pillow) reads some JPEG 2000 and no other: what it cannot read is not damaged for that
        if syntax in JPEG_2000 and find_spec(module) is None:
            raise UnreadableFile("missing-codec", str(missing)) from None
        raise


def _guess(frame: bytes) -> str:
    """The transfer syntax of a file that does not state it, from its first frame."""
    if frame[:4] == JPEG2000_START:
        return "1.2.840.10008.1.2.4.91"
    if frame[:3] == b"\xff\xd8\xff":
        process = read_jpeg_header(frame).process
        return "1.2.840.10008.1.2.4." + {0xC0: "50", 0xC3: "57", 0xF7: "81"}.get(process, "51")
    raise UnreadableFile("unsupported", "the DICOM file does not say how its pixels are compressed")


def _check_frame(frame: bytes, syntax: str, described: Described) -> JpegHeader | None:
    """The size inside the compressed frame must be the declared one: a decoder would believe the frame."""
    header = None
    if syntax in JPEG or syntax in JPEG_LS:
        header = read_jpeg_header(frame)
        size: tuple[int, ...] = (header.height, header.width, header.channels)
    elif syntax in JPEG_2000:
        found = jpeg2000_size(frame)
        if found is None:
            raise UnreadableFile("malformed", "a JPEG 2000 frame of the DICOM file has no header")
        size = found
    else:
        return None
    if size != (described.rows, described.columns, described.samples):
        raise UnreadableFile("malformed", "a compressed frame of the DICOM file has another size than the header declares")
    return header


def _jpeg2000_frames(frames: list[bytes], described: Described) -> tuple[npt.NDArray[np.generic], str]:
    stack = np.empty((described.frames, *described.stored_shape), described.dtype)
    with decoding("JPEG 2000 inside the DICOM file", loggers=_LOGGERS):
        import openjpeg.utils

        for i, frame in enumerate(frames):
            # without a JP2 wrapper: the codestream decoded is the one whose size was checked
            array = openjpeg.utils.decode(frame[frame.find(JPEG2000_START) :], 0)
            if array.shape != described.stored_shape or array.dtype.itemsize > described.dtype.itemsize:
                raise UnreadableFile("malformed", "a compressed frame of the DICOM file is not what the header declares")
            # writers disagree about the sign in the codestream; the header decides how the same bits are read
            stack[i] = array.astype(described.dtype, casting="unsafe")
    photometric = "RGB" if described.photometric in ("YBR_ICT", "YBR_RCT") else described.photometric
    return stack, photometric


def _jpeg_frames(frames: list[bytes], described: Described) -> npt.NDArray[np.generic]:
    shape = described.stored_shape
    stack = np.empty((described.frames, *shape), described.dtype)
    with decoding("lossless or 12-bit JPEG inside the DICOM file"):
        imagecodecs = codec("imagecodecs", "imagecodecs", purpose="lossless or 12-bit JPEG inside the DICOM file")
        for i, frame in enumerate(frames):
            # no colour transform here: the stored values come out, as the DICOM header describes them
            plain = None if described.samples == 1 else "RGB"
            array = imagecodecs.jpeg_decode(frame, colorspace=plain, outcolorspace=plain)
            if array.shape != shape or array.dtype.itemsize > described.dtype.itemsize:
                raise UnreadableFile("malformed", "a compressed frame of the DICOM file is not what the header declares")
            stack[i] = array.astype(f"u{described.dtype.itemsize}").view(described.dtype)
    return stack


def _packed_frames(frames: list[bytes], syntax: str, described: Described) -> npt.NDArray[np.generic]:
    """Deflated frames of any depth, and RLE frames of single bits, which pydicom does not decode."""
    samples = described.rows * described.columns * described.samples
    size = -(-samples * described.allocated // 8)
    if described.allocated == 1:
        return _bit_frames(frames, syntax, described, samples)
    kind = described.dtype.newbyteorder("<")
    parts = [inflate(frame, RAW, size) for frame in frames]
    if any(len(part) < size for part in parts):
        raise UnreadableFile("truncated", "a compressed frame of the DICOM file ends too early")
    flat = np.stack([np.frombuffer(part, kind) for part in parts]).astype(described.dtype)
    return in_pixels(flat, described, described.planar == 1)


def _bit_frames(frames: list[bytes], syntax: str, described: Described, samples: int) -> npt.NDArray[np.generic]:
    size = -(-samples // 8)
    rows = []
    for frame in frames:
        packed = inflate(frame, RAW, size) if syntax == DEFLATED_FRAMES else _unpack_rle(frame, size)
        if len(packed) < size:
            raise UnreadableFile("truncated", "a compressed frame of the DICOM file ends too early")
        rows.append(np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little", count=samples))
    return in_pixels(np.stack(rows), described, described.planar == 1)


def _unpack_rle(frame: bytes, size: int) -> bytes:
    """The single segment of an RLE frame (PS3.5 annex G)."""
    if len(frame) < 64 or struct.unpack_from("<I", frame)[0] != 1:
        raise UnreadableFile("malformed", "an RLE frame of the DICOM file has a damaged header")
    at, out = struct.unpack_from("<I", frame, 4)[0], bytearray()
    while len(out) < size and at + 1 < len(frame):
        code = frame[at]
        if code < 128:
            out += frame[at + 1 : at + 2 + code]
            at += 2 + code
        elif code > 128:
            out += frame[at + 1 : at + 2] * (257 - code)
            at += 2
        else:
            at += 1
    return bytes(out[:size])
