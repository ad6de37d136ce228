"""NIfTI-1 and NIfTI-2, single files (.nii) and pairs (.hdr with .img beside it), plain or gzipped, both byte orders.

Axes (x, y, z) become frames (z, y, x). With more than three axes the frames of one slice follow each other (z first, then
t), so that the middle frame lies in the middle of the body. Stored values; `scl_slope` and `scl_inter` are passed on.
"""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import numpy as np

from auditor.containers.guard import decoding
from auditor.containers.inflate import GZIP, gunzip_start, inflate, inflated
from auditor.containers.nifti_header import DATATYPES, HEADER_BYTES, NiftiHeader, read_nifti_header, version_of
from auditor.containers.source import name_beside, place_beside, read_source
from auditor.values.errors import UnreadableFile
from auditor.values.grid import farthest, grid_of
from auditor.values.image import FieldValue, FileSource, Format, Header, Limits, Pixels, check_declared

FORMATS = {"nifti": Format(words="NIfTI", suffixes=("nii", "nii.gz"), shared=("hdr",))}
PRIORITY = 50
GZIP_MARK = b"\x1f\x8b"
_STANDARD_SPACES = (3, 4)
"""Codes of the sform for Talairach and MNI: there it differs from the qform, which tells of the scanner, by right."""


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes, looking through gzip."""
    return "nifti" if version_of(gunzip_start(head) or head) else None


def open_header(source: FileSource, limits: Limits) -> Header:
    """What the header says.

    Raises:
        UnreadableFile: damaged, half a pair, no image, or it declares more than the limits allow.
    """
    header = _read(source, limits)
    partner = _partner(source) if header.paired else None
    packed = source.content[:2] == GZIP_MARK or (partner is not None and partner.suffix.lower() == ".gz")
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
    facts = _place_facts(header) | _scaling_facts(header)
    for name, axis in (("spacing_column", 1), ("spacing_row", 2), ("slice_spacing", 3)):
        if axis <= len(header.sides) and math.isfinite(header.pixdim[axis]):
            facts[name] = abs(header.pixdim[axis])
    if len(header.sides) > 3:
        facts["frames_per_slice"] = math.prod(header.sides[3:])
    if not packed:
        there = len(source.content) if partner is None else partner.stat().st_size
        facts["pixel_bytes"] = max(0, there - header.offset)
        facts["pixel_bytes_expected"] = math.prod(header.sides) * header.channels * header.dtype.itemsize
    beside = () if partner is None else (name_beside(source, partner),)
    return Header(format="nifti", shape=header.shape, frames=header.frames, fields=fields, facts=facts, beside=beside)


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:
    """Decode all frames, in native byte order.

    Raises:
        UnreadableFile: truncated, damaged, or over the limits.
    """
    nifti = _read(source, limits)
    count = math.prod(nifti.sides) * nifti.channels
    size = count * nifti.dtype.itemsize
    content: bytes | bytearray = read_source(_partner(source), limits).content if nifti.paired else source.content
    if content[:2] == GZIP_MARK:
        # the declared size was checked against the limits: it is also all that is inflated
        content = inflated(content, GZIP, nifti.offset + size)
    if len(content) < nifti.offset + size:
        have = max(len(content) - nifti.offset, 0)
        raise UnreadableFile("truncated", f"the NIfTI file holds {have:,} of {size:,} bytes of pixels")
    with decoding("NIfTI image"):
        flat = np.frombuffer(content, nifti.dtype, count, nifti.offset)
        wide, high, deep, *rest = (*nifti.sides, 1, 1)
        more = math.prod(rest)
        array = flat.reshape(more, deep, high, wide, nifti.channels)
        array = np.moveaxis(array, 1, 0).reshape(header.frames, *header.shape)
        array = array.astype(nifti.dtype.newbyteorder("="), copy=False)
    slope, intercept = _scaling(nifti)
    return Pixels(array=array, slope=slope, intercept=intercept)


def _scaling(header: NiftiHeader) -> tuple[float, float]:
    """Slope and intercept as readers apply them; a slope of 0 means "not scaled" by the standard, and so does none."""
    scaled = math.isfinite(header.slope) and header.slope != 0 and math.isfinite(header.intercept)
    return (header.slope, header.intercept) if scaled else (1.0, 0.0)


def _scaling_facts(header: NiftiHeader) -> dict[str, FieldValue]:
    """What readers make of the stored values, where they make something else of them; and a scaling that cannot be meant."""
    slope, intercept = _scaling(header)
    if math.isinf(header.slope) or (math.isfinite(header.slope) and header.slope != 0 and not math.isfinite(header.intercept)):
        word = "infinite" if math.isinf(header.slope) or math.isinf(header.intercept) else "undefined"
        return {"scaling_fault": f"scl_slope is {word}" if math.isinf(header.slope) else f"scl_inter is {word}"}
    return {"slope": slope, "intercept": intercept} if (slope, intercept) != (1.0, 0.0) else {}


def _place_facts(header: NiftiHeader) -> dict[str, FieldValue]:
    """Where the voxels lie, whether the header says it at all, and how far what it says twice is apart."""
    facts: dict[str, FieldValue] = {"placed": "yes" if header.grid else "no"} if len(header.sides) > 2 else {}
    if header.orientation:
        facts["orientation"] = header.orientation
    grid, other = grid_of(header.grid), grid_of(header.qform_grid)
    if grid is None:
        return facts
    facts["grid"] = header.grid
    sides = (*header.sides, 1, 1)[:3]
    if header.sform > 0 and other is not None:
        facts["forms_apart"] = farthest(grid, other, sides)
        facts["forms_same_space"] = "no" if header.sform in _STANDARD_SPACES and header.qform != header.sform else "yes"
    steps = np.linalg.norm(grid[:, :3], axis=0)
    given = np.abs(header.pixdim[1:4])
    known = (np.array(sides) > 1) & np.isfinite(given)
    if known.any():
        facts["pixdim_apart"] = float((np.abs(given - steps) / steps)[known].max())
    return facts


def _partner(source: FileSource) -> Path:
    """The file of the pixels that belongs to a header of its own.

    Raises:
        UnreadableFile: it is not there, or leaves the dataset.
    """
    for suffix in (".img", ".img.gz", ".IMG"):
        with suppress(UnreadableFile):
            return place_beside(source, source.path.with_suffix(suffix).name)
    raise UnreadableFile("refused", "half a pair: the .img that belongs to this .hdr is not beside it")


def _read(source: FileSource, limits: Limits) -> NiftiHeader:
    head = source.content[:HEADER_BYTES]
    if head[:2] == GZIP_MARK:
        head = inflate(source.content[: 1 << 16], GZIP, HEADER_BYTES)
    header = read_nifti_header(head)
    if header.offset > limits.header_bytes:
        raise UnreadableFile("too-large", "the NIfTI header extensions are larger than the limit")
    check_declared(header.shape, header.frames, header.dtype.itemsize, limits)
    return header


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
