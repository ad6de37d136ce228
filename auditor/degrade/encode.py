"""Writes one synthetic image into any of the containers that the tests and the demo need. Same image and seed, same bytes.

Kinds: `png8 png16 tiff8 tiff16 jpeg bmp dicom8 dicom12 dicom16 nifti8 nifti16`; the number is the stored depth.
PNG, TIFF, JPEG and BMP take grey and RGB (`png16` with an RGB image is a 48-bit PNG, which Pillow opens as 8-bit `RGB`);
DICOM takes grey, or RGB at 8 bits; NIfTI takes grey. PNG and NIfTI are written here byte by byte: Pillow writes no 16-bit
RGB, and nibabel is an extra. UIDs hang on the seed alone; no clock and no host name goes into a file.
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import tifffile
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

Picture = npt.NDArray[Any]
"""(height, width) or (height, width, 3); unsigned integers use the full range of their type, floats are 0–1."""

SUFFIX: Mapping[str, str] = {
    "png8": ".png", "png16": ".png", "tiff8": ".tif", "tiff16": ".tif", "jpeg": ".jpg", "bmp": ".bmp",
    "dicom8": ".dcm", "dicom12": ".dcm", "dicom16": ".dcm", "nifti8": ".nii.gz", "nifti16": ".nii.gz",
}  # fmt: skip
"""Kind → usual suffix."""


def to_depth(image: Picture, bits: int) -> Picture:
    """The image with `bits` bits per sample (8: uint8; 9–16: uint16), over the full range of that depth; a copy.

    An image of exactly that depth keeps its values; 8 → 16 bits repeats the byte (×257), so 16 → 8 gives it back.

    Raises:
        ValueError: a depth outside 8–16, or an array of another type or shape.
    """
    if not 8 <= bits <= 16:
        raise ValueError(f"{bits} bits per sample: 8 to 16 can be stored")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ValueError(f"an image of shape {image.shape}: (height, width) or (height, width, 3) is wanted")
    target = np.dtype(np.uint8 if bits == 8 else np.uint16)
    top = (1 << bits) - 1
    if image.dtype.kind == "f":
        scaled: Picture = np.rint(np.clip(image, 0.0, 1.0) * top).astype(target)
        return scaled
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image of type {image.dtype}: uint8, uint16 or float is wanted")
    if image.dtype == target and bits in (8, 16):
        return image.copy()
    wide = image.astype(np.uint32) * (257 if image.dtype == np.uint8 else 1)
    return (wide >> (16 - bits)).astype(target)


def write_image(path: Path, image: Picture, kind: str, *, seed: int = 0, tags: Mapping[str, Any] | None = None) -> None:
    """Write `image` to `path` as `kind`, whatever the suffix.

    Args:
        path: where; the folder is there.
        image: see `Picture`.
        kind: a key of `SUFFIX`.
        seed: names the UIDs of a DICOM file; use another one for each image.
        tags: DICOM only: keyword → value, on top of the standard header.

    Raises:
        ValueError: an unknown kind, or an image that it cannot hold.
    """
    if kind not in SUFFIX:
        raise ValueError(f"no kind of image file is called {kind!r}; there are: {', '.join(SUFFIX)}")
    path.write_bytes(encode(image, kind, seed=seed, tags=tags))


def encode(image: Picture, kind: str, *, seed: int = 0, tags: Mapping[str, Any] | None = None) -> bytes:
    """The bytes that `write_image` writes."""
    name = kind.rstrip("0123456789")
    pixels = to_depth(image, int(kind[len(name) :] or 8))
    if name == "png":
        return png(pixels)
    if name == "dicom":
        return dicom(pixels, bits=int(kind[len(name) :]), seed=seed, tags=tags or {})
    if name == "nifti":
        return nifti(pixels)
    stream = io.BytesIO()
    if name == "tiff":
        photometric = "rgb" if pixels.ndim == 3 else "minisblack"
        tifffile.imwrite(stream, pixels, photometric=photometric, compression="zlib", metadata=None, software=False)
    elif name == "jpeg":
        Image.fromarray(pixels).save(stream, "JPEG", quality=92)
    else:
        Image.fromarray(pixels).save(stream, "BMP")
    return stream.getvalue()


def png_chunk(name: bytes, content: bytes) -> bytes:
    """Length, name, content, CRC (PNG specification, 5.3)."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(pixels: Picture, *, level: int = 6) -> bytes:
    """A grey or RGB PNG of 8 or 16 bits; every row filtered with `Up` (type 2). `level`: of zlib, 0 = stored as it is."""
    height, width = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0
    rows = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">"))).view(np.uint8).reshape(height, -1)
    filtered = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))
    content = np.concatenate([np.full((height, 1), 2, np.uint8), filtered], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, colour, 0, 0, 0)
    parts = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(content, level)), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def file_meta(instance: str, syntax: str) -> FileMetaDataset:
    """Group 0002 of a computed-radiography file (DICOM PS3.10, 7.1)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = generate_uid(entropy_srcs=["medaudit"])
    meta.ImplementationVersionName = "MEDAUDIT"
    return meta


def dicom(pixels: Picture, *, bits: int, seed: int, tags: Mapping[str, Any]) -> bytes:
    """A computed radiograph with a full, valid and de-identified header; explicit VR little endian."""

    def uid(of: str) -> str:
        return str(generate_uid(entropy_srcs=["medaudit", of, str(seed)]))

    dataset = FileDataset("", {}, file_meta=file_meta(uid("instance"), ExplicitVRLittleEndian), preamble=b"\0" * 128)
    height, width = pixels.shape[:2]
    colour = pixels.ndim == 3
    if colour and bits != 8:
        raise ValueError("DICOM RGB is written with 8 bits")
    standard: dict[str, Any] = {
        "SOPClassUID": ComputedRadiographyImageStorage, "SOPInstanceUID": uid("instance"),
        "StudyInstanceUID": uid("study"), "SeriesInstanceUID": uid("series"),
        "PatientID": "", "PatientName": "", "PatientBirthDate": "", "PatientSex": "",
        "PatientIdentityRemoved": "YES", "DeidentificationMethod": "synthetic", "BurnedInAnnotation": "NO",
        "StudyDate": "", "StudyTime": "", "AccessionNumber": "", "StudyID": "", "ReferringPhysicianName": "",
        "Modality": "CR", "Manufacturer": "Phantom", "BodyPartExamined": "CHEST", "ViewPosition": "PA",
        "SeriesNumber": 1, "InstanceNumber": 1, "PatientOrientation": "", "ImageType": ["ORIGINAL", "PRIMARY"],
        "PixelSpacing": [1.4, 1.4], "Rows": height, "Columns": width, "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2", "PixelRepresentation": 0,
        "BitsAllocated": 8 * pixels.dtype.itemsize, "BitsStored": bits, "HighBit": bits - 1,
    }  # fmt: skip
    if colour:
        standard["PlanarConfiguration"] = 0
    for keyword, value in {**standard, **tags}.items():
        setattr(dataset, keyword, value)
    content = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    dataset.add_new("PixelData", "OB" if bits == 8 else "OW", content + b"\0" * (len(content) % 2))
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def nifti(pixels: Picture) -> bytes:
    """A gzipped NIfTI-1 single file (348-byte header, data from byte 352) of one slice, 1.4 mm pixels.

    Raises:
        ValueError: an RGB image.
    """
    if pixels.ndim != 2:
        raise ValueError("NIfTI is written from grey images")
    height, width = pixels.shape
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, width, height, 1, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2 if pixels.dtype == np.uint8 else 512, 8 * pixels.dtype.itemsize)
    struct.pack_into("<8f", header, 76, 1.0, 1.4, 1.4, 1.4, 0.0, 0.0, 0.0, 0.0)
    struct.pack_into("<3f", header, 108, 352.0, 1.0, 0.0)
    header[123] = 2  # millimetres
    struct.pack_into("<2h", header, 252, 0, 1)  # no quaternion; the matrix below, scanner space
    struct.pack_into("<12f", header, 280, 1.4, 0, 0, 0, 0, 1.4, 0, 0, 0, 0, 1.4, 0)
    header[344:348] = b"n+1\0"
    content = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    return gzip.compress(bytes(header) + b"\0" * 4 + content, compresslevel=6, mtime=0)
