"""NRRD, attached and detached (teem, "Definition of NRRD File Format", versions 1 to 5).

Header and pixels are read here, bounded: encodings raw, gzip, bzip2, hex and text, both byte orders, line and byte skips, one
data file or several. The axes in space (x, y, z) become frames (z, y, x); an axis of colours becomes channels; every other
axis (directions of a diffusion scan, times) lies within a slice's place, as in NIfTI. Stored values; `old min` is not applied.
"""

from __future__ import annotations

import bz2
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.containers.guard import decoding
from auditor.containers.inflate import GZIP, inflated
from auditor.containers.orientation import axis_code
from auditor.containers.source import name_beside, place_beside, read_source
from auditor.values.errors import UnreadableFile
from auditor.values.fields import words
from auditor.values.grid import grid_text
from auditor.values.image import FieldValue, FileSource, Format, Header, Limits, Pixels, check_declared
from auditor.values.person_columns import column_kind

FORMATS = {"nrrd": Format(words="NRRD", suffixes=("nrrd", "nhdr"))}
PRIORITY = 50
MOST_HEADER = 1 << 20
"""Bytes of a header that are looked at; a real one has a few hundred."""
_MAGIC = re.compile(rb"NRRD000[1-9]\r?\n")
_TYPES = {
    "i1": "signed char|int8|int8_t", "u1": "uchar|unsigned char|uint8|uint8_t", "f4": "float", "f8": "double",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i4": "int|signed int|int32|int32_t", "u4": "uint|unsigned int|uint32|uint32_t",
    "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
}  # fmt: skip
_DTYPES = {name: dtype for dtype, names in _TYPES.items() for name in names.split("|")}
_ENCODINGS = {"raw": "raw", "txt": "text", "text": "text", "ascii": "text", "hex": "hex", "gz": "gzip", "gzip": "gzip",
              "bz2": "bzip2", "bzip2": "bzip2"}  # fmt: skip
_COLOURS = {"3-color": 3, "rgb-color": 3, "4-color": 4, "rgba-color": 4}
_IN_SPACE = ("domain", "space")
_SPACES = {"right-anterior-superior": (1, 1), "ras": (1, 1), "left-anterior-superior": (-1, 1), "las": (-1, 1),
           "left-posterior-superior": (-1, -1), "lps": (-1, -1)}  # fmt: skip
"""Name of a space → signs of its first two axes against right and front."""


@dataclass(frozen=True, kw_only=True)
class _Nrrd:
    """A header as stored. `sizes` are those of the axes, fastest first; `space`, `colour` and `other` are positions in it."""

    dtype: np.dtype[np.generic]
    sizes: tuple[int, ...]
    encoding: str
    space: tuple[int, ...]
    colour: int | None
    other: tuple[int, ...]
    data: tuple[str, ...]
    offset: int
    line_skip: int
    byte_skip: int
    fields: dict[str, str]

    @property
    def shape(self) -> tuple[int, ...]:
        wide, high = (*(self.sizes[axis] for axis in self.space), 1, 1)[:2]
        return (high, wide) if self.colour is None else (high, wide, self.sizes[self.colour])

    @property
    def frames(self) -> int:
        return math.prod(self.sizes[axis] for axis in (*self.space[2:], *self.other))

    @property
    def size(self) -> int:
        """Bytes of all samples."""
        return math.prod(self.sizes) * self.dtype.itemsize


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes."""
    return "nrrd" if _MAGIC.match(head) else None


def open_header(source: FileSource, limits: Limits) -> Header:
    """What the header says.

    Raises:
        UnreadableFile: damaged, no image, a data file that is not there, or it declares more than the limits allow.
    """
    nrrd = _read(source, limits)
    places = [place_beside(source, name) for name in nrrd.data]
    given = nrrd.fields
    fields: dict[str, FieldValue] = {
        "container.format": "nrrd",
        "container.compression": nrrd.encoding if nrrd.encoding in ("gzip", "bzip2") else "none",
        "container.bit_depth": nrrd.dtype.itemsize * 8,
        "container.sample_kind": {"u": "unsigned", "i": "signed", "f": "float"}[nrrd.dtype.kind],
        "container.channels": 1 if nrrd.colour is None else nrrd.sizes[nrrd.colour],
        "container.width": nrrd.shape[1],
        "container.height": nrrd.shape[0],
        "container.byte_order": "big" if given.get("endian", "").lower() == "big" else "little",
        "nrrd.version": int(source.content[7:8]),
        "nrrd.encoding": nrrd.encoding,
        "nrrd.detached": "yes" if nrrd.data else "no",
        "nrrd.axes": len(nrrd.sizes),
        "nrrd.space": given.get("space", "").lower() if given.get("space", "").lower() in _SPACES else None,
        "nrrd.kinds": "+".join(_kinds(given)) or None,
        "nrrd.content": "yes" if given.get("content") else "no",
    }
    spacings = _spacings(nrrd)
    origin = _vector(given.get("space origin", ""))
    for number, axis in enumerate(nrrd.space[:3], 1):
        fields[f"nrrd.size{number}"] = nrrd.sizes[axis]
        fields[f"nrrd.spacing{number}"] = spacings[axis]
        fields[f"nrrd.origin{number}"] = origin[number - 1] if len(origin) >= number else None
    orientation, grid = _orientation(nrrd), _grid(nrrd)
    facts: dict[str, FieldValue] = {"placed": "yes" if grid else "no"} if len(nrrd.space) == 3 else {}
    if orientation:
        facts["orientation"] = orientation
    if grid:
        facts["grid"] = grid
    for name, axis in zip(("spacing_column", "spacing_row", "slice_spacing"), nrrd.space, strict=False):
        spacing = spacings[axis]
        if spacing is not None:
            facts[name] = spacing
    if nrrd.encoding == "raw":
        there = sum(place.stat().st_size for place in places) if places else len(source.content) - nrrd.offset
        facts["pixel_bytes"] = max(0, there - max(nrrd.byte_skip, 0) * max(len(places), 1))
        facts["pixel_bytes_expected"] = nrrd.size
    beside = tuple(name_beside(source, place) for place in places)
    return Header(format="nrrd", shape=nrrd.shape, frames=nrrd.frames, fields=fields, facts=facts, beside=beside)


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:
    """Decode all frames, in native byte order.

    Raises:
        UnreadableFile: truncated, damaged, over the limits, or a data file is not there.
    """
    nrrd = _read(source, limits)
    if nrrd.data:
        share, rest = divmod(nrrd.size, len(nrrd.data))
        if rest:
            raise UnreadableFile("malformed", "the NRRD header names data files among which the pixels cannot be shared out")
        parts = [_decode(read_source(place_beside(source, name), limits).content, nrrd, share, limits) for name in nrrd.data]
        flat = parts[0] if len(parts) == 1 else np.concatenate(parts)
    else:
        flat = _decode(source.content[nrrd.offset :], nrrd, nrrd.size, limits)
    with decoding("NRRD image"):
        array = flat.reshape(nrrd.sizes[::-1])
        order = [*nrrd.space[2:], *nrrd.other[::-1], *nrrd.space[1::-1], *(() if nrrd.colour is None else (nrrd.colour,))]
        array = array.transpose([len(nrrd.sizes) - 1 - axis for axis in order])
        array = np.ascontiguousarray(array.reshape(header.frames, *header.shape), nrrd.dtype.newbyteorder("="))
    return Pixels(array=array)


def texts(source: FileSource, limits: Limits) -> Iterator[tuple[str, str, bool]]:
    """Free texts of the header: what they are called, the text, and whether its presence alone tells of a person."""
    head = _header(source.content, limits)[0]
    for line in head:
        key, mark, text = line.partition(":=")
        if line.startswith("#"):
            yield "NRRD comment", line[1:].strip(), False
        elif mark:
            yield "NRRD key", text.strip(), bool(text.strip()) and column_kind(words(key)) is not None
        elif line.lower().startswith("content:"):
            yield "NRRD content", line[8:].strip(), False


def _header(content: bytes, limits: Limits) -> tuple[list[str], int]:
    """The lines behind the first one, and where the data begins: behind the first blank line; −1 where there is none."""
    most = min(MOST_HEADER, limits.header_bytes)
    found = re.search(rb"\n\r?\n", content[:most])
    if found is None and len(content) > most:
        raise UnreadableFile("too-large", f"the NRRD header does not end within {most:,} bytes")
    text = content[: found.start()] if found is not None else content
    lines = text.decode("utf-8", "replace").splitlines()[1:]
    if len(lines) > limits.elements:
        raise UnreadableFile("too-large", f"the NRRD header has more than {limits.elements:,} lines")
    return lines, found.end() if found is not None else -1


def _read(source: FileSource, limits: Limits) -> _Nrrd:
    lines, offset = _header(source.content, limits)
    fields: dict[str, str] = {}
    data: list[str] = []
    for number, line in enumerate(lines):
        name, mark, value = line.partition(": ") if ": " in line else line.partition(":")
        if line.startswith("#") or not mark or ":=" in line.split(": ")[0]:
            continue
        name = {"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip", "oldmin": "old min"}.get(
            name.strip().lower(), name.strip().lower()
        )
        fields[name] = value.strip()
        if name == "data file":
            data = _data_files(value.strip(), lines[number + 1 :], limits)
            if value.strip().upper().startswith("LIST"):
                break
    if not data and offset < 0:
        raise UnreadableFile("truncated", "the NRRD file ends inside its header")
    sizes = _sizes(fields, limits)
    encoding = _ENCODINGS.get(fields.get("encoding", "").lower())
    if encoding is None:
        raise UnreadableFile("malformed", "the NRRD header names no encoding that NRRD has")
    space, colour, other = _axes(fields, sizes)
    nrrd = _Nrrd(
        dtype=_dtype(fields, encoding),
        sizes=sizes,
        encoding=encoding,
        space=space,
        colour=colour,
        other=other,
        data=tuple(data),
        offset=offset,
        line_skip=_skip(fields, "line skip", 0, limits),
        byte_skip=_skip(fields, "byte skip", -1, limits),
        fields=fields,
    )
    check_declared(nrrd.shape, nrrd.frames, nrrd.dtype.itemsize, limits)
    return nrrd


def _data_files(value: str, below: Sequence[str], limits: Limits) -> list[str]:
    """Names of the data files: one, a numbered pattern (`slice%03d.raw 1 10 1`), or a list below the field."""
    if value.upper().startswith("LIST"):
        names = [line.strip() for line in below if line.strip()]
    else:
        found = re.fullmatch(r"(.*%0?\d*d.*?)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)(?:\s+\d+)?", value)
        if found is None:
            return [value] if value else []
        first, last, step = (int(found[group]) for group in (2, 3, 4))
        count = (last - first) // step + 1 if step else 0
        if not 0 < count <= limits.frames:
            raise UnreadableFile("malformed", "the NRRD header numbers its data files impossibly")
        with decoding("NRRD header"):
            names = [found[1] % number for number in range(first, last + (1 if step > 0 else -1), step)]
    if not 0 < len(names) <= limits.frames:
        raise UnreadableFile("malformed", "the NRRD header lists no data file, or too many")
    return names


def _sizes(fields: dict[str, str], limits: Limits) -> tuple[int, ...]:
    dimension, sizes = fields.get("dimension", ""), fields.get("sizes", "").split()
    if not re.fullmatch(r"\d{1,2}", dimension) or not 1 <= int(dimension) <= 16 or len(sizes) != int(dimension):
        raise UnreadableFile("malformed", "the NRRD header declares impossible axes")
    if not all(re.fullmatch(r"\d{1,12}", size) and int(size) for size in sizes):
        raise UnreadableFile("malformed", "the NRRD header declares impossible axes")
    found = tuple(int(size) for size in sizes)
    if math.prod(found) > limits.pixels:
        raise UnreadableFile("too-large", f"the NRRD header declares more than {limits.pixels:,} samples, which is the limit")
    return found


def _dtype(fields: dict[str, str], encoding: str) -> np.dtype[np.generic]:
    code = _DTYPES.get(" ".join(fields.get("type", "").lower().split()))
    if code is None:
        kind = "unsupported" if fields.get("type", "").lower() == "block" else "malformed"
        raise UnreadableFile(kind, "the NRRD header declares a type of samples that is not read")
    endian = fields.get("endian", "").lower()
    if code[1] != "1" and encoding != "text" and endian not in ("little", "big"):
        raise UnreadableFile("malformed", "the NRRD header does not say the byte order")
    return np.dtype((">" if endian == "big" else "<") + code)


def _skip(fields: dict[str, str], name: str, least: int, limits: Limits) -> int:
    value = fields.get(name, "0")
    if not re.fullmatch(r"-?\d{1,12}", value) or not least <= int(value) <= limits.file_bytes:
        raise UnreadableFile("malformed", f"the NRRD header declares an impossible {name}")
    return int(value)


def _kinds(fields: dict[str, str]) -> list[str]:
    return [kind.lower() for kind in fields.get("kinds", "").split() if re.fullmatch(r"[\w\-?]{1,40}", kind)]


def _axes(fields: dict[str, str], sizes: tuple[int, ...]) -> tuple[tuple[int, ...], int | None, tuple[int, ...]]:
    """Axes in space (three at most), the axis of colours, all others; fastest first."""
    kinds = _kinds(fields)
    kinds = kinds if len(kinds) == len(sizes) else [""] * len(sizes)
    colour = next((i for i, kind in enumerate(kinds) if _COLOURS.get(kind) == sizes[i]), None)
    vectors = re.findall(r"none|\([^()]*\)", fields.get("space directions", ""), re.IGNORECASE)
    if len(vectors) == len(sizes):
        space = [i for i, vector in enumerate(vectors) if vector.lower() != "none"]
    else:
        space = [i for i, kind in enumerate(kinds) if kind in _IN_SPACE or kind in ("", "???", "none")]
    space = [i for i in space if i != colour][:3]
    if not space:
        space = [i for i in range(len(sizes)) if i != colour][:3]
    if not space:
        raise UnreadableFile("no-pixels", "the NRRD file holds no axis in space")
    return tuple(space), colour, tuple(i for i in range(len(sizes)) if i not in space and i != colour)


def _vector(text: str) -> list[float]:
    """`(1,0,0.5)` as numbers; empty where it is none."""
    found = re.fullmatch(r"\(([^()]*)\)", text.strip())
    return [number for part in found[1].split(",") if (number := _number(part)) is not None] if found else []


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _directions(nrrd: _Nrrd) -> dict[int, list[float]]:
    vectors = re.findall(r"none|\([^()]*\)", nrrd.fields.get("space directions", ""), re.IGNORECASE)
    return {i: _vector(text) for i, text in enumerate(vectors)} if len(vectors) == len(nrrd.sizes) else {}


def _spacings(nrrd: _Nrrd) -> list[float | None]:
    """Distance of neighbours along each axis, where the header says it."""
    directions, given = _directions(nrrd), nrrd.fields.get("spacings", "").split()
    found: list[float | None] = [None] * len(nrrd.sizes)
    for axis in range(len(nrrd.sizes)):
        if directions.get(axis):
            found[axis] = math.sqrt(sum(part * part for part in directions[axis]))
        elif len(given) == len(nrrd.sizes):
            spacing = _number(given[axis])
            found[axis] = abs(spacing) if spacing is not None else None
    return found


def _turned(nrrd: _Nrrd) -> npt.NDArray[np.float64] | None:
    """Steps along the three axes with x to the right and y to the front; None where the header does not say them."""
    signs = _SPACES.get(nrrd.fields.get("space", "").lower())
    columns = [_directions(nrrd).get(axis, []) for axis in nrrd.space]
    if signs is None or len(columns) != 3 or any(len(column) != 3 for column in columns):
        return None
    return np.asarray(np.array(columns).T * np.array([[signs[0]], [signs[1]], [1]]))


def _orientation(nrrd: _Nrrd) -> str:
    """`RAS` and the like; empty where the header does not place the image in a patient."""
    steps = _turned(nrrd)
    return "" if steps is None else axis_code(steps)


def _grid(nrrd: _Nrrd) -> str:
    """Where the voxels lie (`auditor.values.grid`); empty where directions or origin are not said."""
    steps, origin = _turned(nrrd), _vector(nrrd.fields.get("space origin", ""))
    if steps is None or len(origin) != 3:
        return ""
    signs = _SPACES[nrrd.fields["space"].lower()]
    return grid_text(np.column_stack([steps, np.array(origin) * (*signs, 1)]))


def _decode(content: bytes, nrrd: _Nrrd, size: int, limits: Limits) -> npt.NDArray[np.generic]:
    """`size` bytes of samples out of one file: lines are skipped as stored, bytes once it is decoded."""
    for _ in range(nrrd.line_skip):
        _, mark, content = content.partition(b"\n")
        if not mark:
            raise UnreadableFile("truncated", "the NRRD file ends before all of its pixels are there")
    if nrrd.encoding == "text":
        return _numbers(content, nrrd.dtype, size // nrrd.dtype.itemsize)
    skip = max(nrrd.byte_skip, 0)
    data: bytes | bytearray = content
    if nrrd.encoding in ("gzip", "bzip2") and (nrrd.byte_skip < 0 or skip > limits.header_bytes):
        raise UnreadableFile("malformed", "the NRRD header declares a byte skip that compressed pixels cannot have")
    if nrrd.encoding == "gzip":
        data = inflated(content, GZIP, skip + size)
    elif nrrd.encoding == "bzip2":
        data = _bunzip(content, skip + size)
    elif nrrd.encoding == "hex":
        with decoding("NRRD image"):
            data = bytes.fromhex(content.decode("ascii"))
    elif nrrd.byte_skip < 0:
        skip = len(data) - size
    if skip < 0 or len(data) - skip < size:
        have = max(len(data) - max(skip, 0), 0)
        raise UnreadableFile("truncated", f"the NRRD file holds {have:,} of {size:,} bytes of pixels")
    return np.frombuffer(data, nrrd.dtype, size // nrrd.dtype.itemsize, skip)


def _bunzip(content: bytes, at_most: int) -> bytes:
    """At most so many bytes of a bzip2 stream, of several in a row as well."""
    parts: list[bytes] = []
    stream, missing, rest = bz2.BZ2Decompressor(), at_most, content
    with decoding("NRRD image"):
        while missing > 0 and (rest or not stream.needs_input):
            part = stream.decompress(rest, missing)
            parts.append(part)
            missing -= len(part)
            rest = b""
            if stream.eof:
                rest, stream = stream.unused_data, bz2.BZ2Decompressor()
            elif not part and stream.needs_input:
                break
    return b"".join(parts)


def _numbers(content: bytes, dtype: np.dtype[np.generic], count: int) -> npt.NDArray[np.generic]:
    """`count` numbers written as text, separated by blanks or commas."""
    if len(content) < 2 * count - 1:
        raise UnreadableFile("truncated", f"the NRRD file holds too little text for {count:,} numbers")
    if re.search(rb"[^\d\s,.+\-eEnaifNAIFty]", content):
        raise UnreadableFile("malformed", "the NRRD file holds text that is no number")
    wide = np.dtype("f8") if dtype.kind == "f" else np.dtype("u8") if dtype == np.dtype("u8") else np.dtype("i8")
    with decoding("NRRD image"):
        values: npt.NDArray[Any] = np.fromstring(content.replace(b",", b" ").decode("ascii"), wide, count, sep=" ")
        if values.size and not _fit(values, dtype):
            raise UnreadableFile("malformed", "the NRRD file holds numbers that do not fit its type")
    if len(values) < count:
        raise UnreadableFile("truncated", f"the NRRD file holds {len(values):,} of {count:,} numbers")
    return np.asarray(values, dtype)


def _fit(values: npt.NDArray[np.generic], dtype: np.dtype[np.generic]) -> bool:
    if dtype.kind == "f":
        return True
    bounds = np.iinfo(dtype.name)
    return bool(bounds.min <= int(values.min()) and int(values.max()) <= bounds.max)
