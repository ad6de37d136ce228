"""NIfTI-1 and NIfTI-2, single files (.nii), plain or gzipped, both byte orders.

Axes (x, y, z) become frames (z, y, x). With more than three axes the frames of one slice follow each other (z first, then
t), so that the middle frame lies in the middle of the body. Stored values; `scl_slope` and `scl_inter` are passed on.
"""

from __future__ import annotations

import math

import numpy as np

from auditor.containers.guard import decoding
from auditor.containers.inflate import GZIP, gunzip_start, inflate
from auditor.containers.nifti_header import DATATYPES, HEADER_BYTES, NiftiHeader, read_nifti_header, version_of
from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue, FileSource, Format, Header, Limits, Pixels, check_declared

FORMATS = {"nifti": Format(words="NIfTI", suffixes=("nii", "nii.gz"), shared=("hdr",))}
PRIORITY = 50


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes, looking through gzip."""
    return "nifti" if version_of(gunzip_start(head) or head) else None


def open_header(source: FileSource, limits: Limits) -> Header:
    """What the header says.

    Raises:
        UnreadableFile: damaged, a pair (.hdr and .img), no image, or it declares more than the limits allow.
    """
    packed = source.content[:2] == b"\x1f\x8b"
    header = _read(source, limits)
    fields: dict[str, FieldValue] = {
        "container.format": "nifti",
        "container.compression": "gzip" if packed else "none",
        "container.bit_depth": header.dtype.itemsize * 8,
        "container.sample_kind": {"u": "unsigned", "i": "signed", "f": "float"}[header.dtype.kind],
        "container.channels": header.channels,
        "container.width": header.shape[1],
        "container.height": header.shape[0],
        "container.byte_order": "little" if header.order == "<" else "big",
        "nifti.version": header.version,
        "nifti.datatype": DATATYPES[header.datatype][0],
        "nifti.bitpix": header.bitpix,
        "nifti.axes": len(header.sides),
        "nifti.qform_code": header.qform,
        "nifti.sform_code": header.sform,
        "nifti.xyzt_units": header.units,
        "nifti.intent_code": header.intent,
        "nifti.descrip": "yes" if header.described else "no",
        "nifti.scl_slope": _finite(header.slope),
        "nifti.scl_inter": _finite(header.intercept),
        "nifti.vox_offset": header.offset,
    }
    for i, side in enumerate(header.sides[:4], 1):
        fields[f"nifti.dim{i}"] = side
        fields[f"nifti.pixdim{i}"] = _finite(header.pixdim[i])
    facts: dict[str, FieldValue] = {"orientation": header.orientation} if header.orientation else {}
    for name, axis in (("spacing_column", 1), ("spacing_row", 2), ("slice_spacing", 3)):
        if axis <= len(header.sides) and math.isfinite(header.pixdim[axis]):
            facts[name] = abs(header.pixdim[axis])
    if not packed:
        facts["pixel_bytes"] = max(0, len(source.content) - header.offset)
        facts["pixel_bytes_expected"] = math.prod(header.sides) * header.channels * header.dtype.itemsize
    return Header(format="nifti", shape=header.shape, frames=header.frames, fields=fields, facts=facts)


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:
    """Decode all frames, in native byte order.

    Raises:
        UnreadableFile: truncated, damaged, or over the limits.
    """
    nifti = _read(source, limits)
    count = math.prod(nifti.sides) * nifti.channels
    size = count * nifti.dtype.itemsize
    content = source.content
    if content[:2] == b"\x1f\x8b":
        # the declared size was checked against the limits: it is also all that is inflated
        content = inflate(content, GZIP, nifti.offset + size)
    if len(content) < nifti.offset + size:
        have = max(len(content) - nifti.offset, 0)
        raise UnreadableFile("truncated", f"the NIfTI file holds {have:,} of {size:,} bytes of pixels")
    with decoding("NIfTI image"):
        flat = np.frombuffer(content, nifti.dtype, count, nifti.offset)
        wide, high, deep, *rest = (*nifti.sides, 1, 1)
        more = math.prod(rest)
        array = flat.reshape(more, deep, high, wide, nifti.channels)
        array = np.moveaxis(array, 1, 0).reshape(header.frames, *header.shape)
        array = array.astype(nifti.dtype.newbyteorder("="))
    # a slope of 0 means "not scaled" by the standard
    scaled = math.isfinite(nifti.slope) and nifti.slope != 0 and math.isfinite(nifti.intercept)
    return Pixels(array=array, slope=nifti.slope if scaled else 1.0, intercept=nifti.intercept if scaled else 0.0)


def _read(source: FileSource, limits: Limits) -> NiftiHeader:
    head = source.content[:HEADER_BYTES]
    if head[:2] == b"\x1f\x8b":
        head = inflate(source.content[: 1 << 16], GZIP, HEADER_BYTES)
    header = read_nifti_header(head)
    if header.paired:
        raise UnreadableFile("unsupported", "a pair of .hdr and .img is not read: join it to one .nii file first")
    if header.offset > limits.header_bytes:
        raise UnreadableFile("too-large", "the NIfTI header extensions are larger than the limit")
    check_declared(header.shape, header.frames, header.dtype.itemsize, limits)
    return header


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
