"""MetaImage: one file (.mha), or a header (.mhd) and its pixels beside it. Source: ITK, MetaIO, documentation of the tags.

Read here, bounded: every element type, both byte orders, zlib, text, one data file or a list of slices. The axes (x, y, z)
become frames (z, y, x); further axes lie within a slice's place, as in NIfTI; channels stay channels. Stored values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.containers.guard import decoding
from auditor.containers.orientation import axis_code
from auditor.containers.samples import Samples, container_fields, data_files
from auditor.values.errors import UnreadableFile
from auditor.values.fields import words
from auditor.values.grid import grid_text
from auditor.values.image import FieldValue, FileSource, Format, Header, Limits, Pixels, check_declared
from auditor.values.person_columns import column_kind

FORMATS = {"metaimage": Format(words="MetaImage", suffixes=("mha", "mhd"))}
PRIORITY = 50
MOST_HEADER = 1 << 18
"""Bytes of a header that are looked at; a real one has a few hundred."""
_START = re.compile(rb"(?:ObjectType|NDims|Comment)[ \t]*=[^\n]{0,400}\n")
_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_KNOWN = frozenset((
    "objecttype", "ndims", "dimsize", "elementtype", "elementdatafile", "elementspacing", "elementsize", "binarydata",
    "binarydatabyteordermsb", "elementbyteordermsb", "compresseddata", "compresseddatasize", "compressionlevel",
    "transformmatrix",
    "rotation", "orientation", "offset", "origin", "position", "centerofrotation", "anatomicalorientation",
    "elementnumberofchannels", "headersize", "modality", "elementmin", "elementmax", "elementtointensityfunctionslope",
    "elementtointensityfunctionoffset", "transformtype",
))  # fmt: skip
"""Tags of MetaIO that hold no free text."""


@dataclass(frozen=True, kw_only=True)
class _Meta:
    """A header as stored. `sides` are the lengths of the axes, fastest first."""

    sides: tuple[int, ...]
    channels: int
    samples: Samples
    tags: Mapping[str, str]

    @property
    def shape(self) -> tuple[int, ...]:
        wide, high = (*self.sides, 1)[:2]
        return (high, wide) if self.channels == 1 else (high, wide, self.channels)

    @property
    def frames(self) -> int:
        return math.prod(self.sides[2:])


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes: a tag of MetaImage, and that the object is an image."""
    if _START.match(head) is None:
        return None
    image = re.search(rb"^ObjectType[ \t]*=[ \t]*Image\s*$", head, re.MULTILINE)
    return "metaimage" if image or re.search(rb"^(?:DimSize|ElementType)[ \t]*=", head, re.MULTILINE) else None


def open_header(source: FileSource, limits: Limits) -> Header:
    """What the header says.

    Raises:
        UnreadableFile: damaged, no image, a data file that is not there, or it declares more than the limits allow.
    """
    meta = _read(source, limits)
    spacings = _numbers(meta.tags.get("elementspacing", meta.tags.get("elementsize", "")))
    origin = _numbers(meta.tags.get("offset", meta.tags.get("position", meta.tags.get("origin", ""))))
    samples = meta.samples
    order = "big" if samples.dtype.byteorder == ">" else "little"
    fields = container_fields("metaimage", samples, meta.shape, channels=meta.channels, byte_order=order) | {
        "metaimage.axes": len(meta.sides),
        "metaimage.text": "yes" if samples.encoding == "text" else "no",
        "metaimage.anatomical": _letters(meta.tags.get("anatomicalorientation", "")),
    }
    facts: dict[str, FieldValue] = {}
    for number, name in enumerate(("spacing_column", "spacing_row", "slice_spacing")[: len(meta.sides)]):
        fields[f"metaimage.size{number + 1}"] = meta.sides[number]
        if number < len(origin):
            fields[f"metaimage.origin{number + 1}"] = origin[number]
        if len(spacings) == len(meta.sides):
            fields[f"metaimage.spacing{number + 1}"] = facts[name] = abs(spacings[number])
    steps = _directions(meta)
    if steps is not None and (orientation := axis_code(steps)):
        facts["orientation"] = orientation
    if len(meta.sides) >= 3:
        grid = _grid(meta, steps, spacings, origin)
        facts |= {"placed": "yes", "grid": grid} if grid else {"placed": "no"}
    facts |= samples.facts(source)
    return Header(
        format="metaimage", shape=meta.shape, frames=meta.frames, fields=fields, facts=facts, beside=samples.beside(source)
    )


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:
    """Decode all frames, in native byte order.

    Raises:
        UnreadableFile: truncated, damaged, over the limits, or a data file is not there.
    """
    meta = _read(source, limits)
    flat = meta.samples.read(source, limits)
    with decoding("MetaImage"):
        wide, high, deep, *rest_ = (*meta.sides, 1, 1)
        array = flat.reshape(math.prod(rest_), deep, high, wide, meta.channels)
        array = np.moveaxis(array, 1, 0).reshape(header.frames, *header.shape)
        array = np.ascontiguousarray(array, meta.samples.dtype.newbyteorder("="))
    return Pixels(array=array)


def texts(source: FileSource, limits: Limits) -> Iterator[tuple[str, str, bool]]:
    """Comments, and tags that MetaImage does not have: what they are called, the text, and whether it is certainly personal."""
    for key, value in _lines(source.content, limits)[0]:
        if key.lower() in ("comment", "name", "objectsubtype", "acquisitiondate"):
            yield f"MetaImage {key.capitalize()}", value, False
        elif key.lower() not in _KNOWN:
            yield "MetaImage tag", value, bool(value) and column_kind(words(key)) is not None


def _lines(content: bytes, limits: Limits) -> tuple[list[tuple[str, str]], int]:
    """Tags and values up to `ElementDataFile`, which is the last, and where the bytes behind it begin."""
    most = min(MOST_HEADER, limits.header_bytes)
    found = re.search(rb"^ElementDataFile[ \t]*=[^\n]*(?:\n|\Z)", content[:most], re.MULTILINE)
    if found is None:
        kind, why = (
            ("too-large", f"does not end within {most:,} bytes") if len(content) > most else ("truncated", "is cut short")
        )
        raise UnreadableFile(kind, f"the MetaImage header {why}")
    text = content[: found.end()].decode("utf-8", "replace")
    pairs = [line.partition("=") for line in text.splitlines() if "=" in line]
    return [(key.strip(), value.strip()) for key, _, value in pairs], found.end()


def _read(source: FileSource, limits: Limits) -> _Meta:
    pairs, offset = _lines(source.content, limits)
    tags = {key.lower(): value for key, value in pairs}
    sides = _sides(tags)
    code = _TYPES.get(tags.get("elementtype", "").upper().removesuffix("_ARRAY"))
    if code is None:
        raise UnreadableFile("unsupported", "the MetaImage header declares a type of samples that is not read")
    channels = tags.get("elementnumberofchannels", "1")
    if not re.fullmatch(r"[1-9]\d{0,2}", channels):
        raise UnreadableFile("malformed", "the MetaImage header declares an impossible number of channels")
    big = _yes(tags.get("elementbyteordermsb", tags.get("binarydatabyteordermsb", "")))
    skip = tags.get("headersize", "0").split()[:1] or ["0"]
    if not re.fullmatch(r"-1|\d{1,12}", skip[0]):
        raise UnreadableFile("malformed", "the MetaImage header declares an impossible size of another header")
    value, text = tags["elementdatafile"], tags.get("binarydata", "True").lower() in ("false", "0")
    below = source.content[offset : offset + MOST_HEADER].decode("utf-8", "replace").splitlines()
    data = () if value.upper() == "LOCAL" else data_files(value, below, limits, "MetaImage")
    if not data and value.upper() != "LOCAL":
        raise UnreadableFile("malformed", "the MetaImage header names no data file")
    samples = Samples(
        what="MetaImage",
        dtype=np.dtype((">" if big else "<") + code),
        count=math.prod(sides) * int(channels),
        encoding="text" if text else "zlib" if _yes(tags.get("compresseddata", "")) else "raw",
        data=data,
        offset=offset,
        skip=int(skip[0]),
        packed_skip=True,
    )
    meta = _Meta(sides=sides, channels=int(channels), samples=samples, tags=tags)
    check_declared(meta.shape, meta.frames, samples.dtype.itemsize, limits)
    return meta


def _sides(tags: Mapping[str, str]) -> tuple[int, ...]:
    axes, sides = tags.get("ndims", ""), tags.get("dimsize", "").split()
    if not re.fullmatch(r"[1-9]", axes) or len(sides) != int(axes):
        raise UnreadableFile("malformed", "the MetaImage header declares impossible axes")
    if not all(re.fullmatch(r"\d{1,10}", side) and int(side) for side in sides):
        raise UnreadableFile("malformed", "the MetaImage header declares impossible axes")
    return tuple(int(side) for side in sides)


def _yes(text: str) -> bool:
    return text.lower() in ("true", "1", "yes")


def _numbers(text: str) -> list[float]:
    """All of them, or none where one is no finite number."""
    try:
        found = [float(part) for part in text.split()]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []


def _letters(text: str) -> str | None:
    return text.upper() if re.fullmatch(r"[RLAPSI?]{2,3}", text.upper()) else None


def _directions(meta: _Meta) -> npt.NDArray[np.float64] | None:
    """Where three axes run to, x to the right and y to the front: ITK's space runs to the left, the back and up, and a row of
    the matrix is an axis. None where it is not said."""
    given = meta.tags.get("transformmatrix", meta.tags.get("rotation", meta.tags.get("orientation", "")))
    matrix = _numbers(given)
    if len(meta.sides) < 3 or len(matrix) != len(meta.sides) ** 2:
        return None
    rows = np.array(matrix).reshape(len(meta.sides), -1)[:3, :3]
    return np.asarray(rows.T * np.array([[-1], [-1], [1]]))


def _grid(meta: _Meta, steps: npt.NDArray[np.float64] | None, spacings: list[float], origin: list[float]) -> str:
    """Where the voxels lie (`auditor.values.grid`); empty where directions, spacing or origin are not said."""
    if steps is None or len(spacings) != len(meta.sides) or len(origin) < 3:
        return ""
    return grid_text(np.column_stack([steps * np.abs(spacings[:3]), np.array(origin[:3]) * (-1, -1, 1)]))
