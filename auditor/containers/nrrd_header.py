"""The header of NRRD: fields, axes, and where its samples lie (teem, "Definition of NRRD File Format", versions 1 to 5)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.containers.orientation import axis_code
from auditor.containers.samples import Samples, data_files
from auditor.values.errors import UnreadableFile
from auditor.values.grid import grid_text
from auditor.values.image import FileSource, Limits, check_declared

MOST_HEADER = 1 << 20
"""Bytes of a header that are looked at; a real one has a few hundred."""
MAGIC = re.compile(rb"NRRD000[1-9]\r?\n")
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
SPACES = {"right-anterior-superior": (1, 1), "ras": (1, 1), "left-anterior-superior": (-1, 1), "las": (-1, 1),
           "left-posterior-superior": (-1, -1), "lps": (-1, -1)}  # fmt: skip
"""Name of a space → signs of its first two axes against right and front."""


@dataclass(frozen=True, kw_only=True)
class NrrdHeader:
    """A header as stored. `sizes` are those of the axes, fastest first; `space`, `colour` and `other` are positions in it."""

    sizes: tuple[int, ...]
    space: tuple[int, ...]
    colour: int | None
    other: tuple[int, ...]
    samples: Samples
    fields: dict[str, str]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one frame: (y, x) or (y, x, channels)."""
        wide, high = (*(self.sizes[axis] for axis in self.space), 1, 1)[:2]
        return (high, wide) if self.colour is None else (high, wide, self.sizes[self.colour])

    @property
    def frames(self) -> int:
        """Slices × everything that is no axis in space."""
        return math.prod(self.sizes[axis] for axis in (*self.space[2:], *self.other))


def header_lines(content: bytes, limits: Limits) -> tuple[list[str], int]:
    """The lines behind the first one, and where the data begins: behind the first blank line; −1 where there is none.

    Raises:
        UnreadableFile: the header is longer than the limits allow.
    """
    most = min(MOST_HEADER, limits.header_bytes)
    found = re.search(rb"\n\r?\n", content[:most])
    if found is None and len(content) > most:
        raise UnreadableFile("too-large", f"the NRRD header does not end within {most:,} bytes")
    text = content[: found.start()] if found is not None else content
    lines = text.decode("utf-8", "replace").splitlines()[1:]
    if len(lines) > limits.elements:
        raise UnreadableFile("too-large", f"the NRRD header has more than {limits.elements:,} lines")
    return lines, found.end() if found is not None else -1


def read_nrrd_header(source: FileSource, limits: Limits) -> NrrdHeader:
    """Parse the header; the samples are not read.

    Raises:
        UnreadableFile: truncated, damaged, no image, or it declares more than the limits allow.
    """
    lines, offset = header_lines(source.content, limits)
    fields: dict[str, str] = {}
    data: tuple[str, ...] = ()
    for number, line in enumerate(lines):
        name, mark, value = line.partition(": ") if ": " in line else line.partition(":")
        if line.startswith("#") or not mark or ":=" in line.split(": ")[0]:
            continue
        name = {"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip", "oldmin": "old min"}.get(
            name.strip().lower(), name.strip().lower()
        )
        fields[name] = value.strip()
        if name == "data file":
            data = data_files(value.strip(), lines[number + 1 :], limits, "NRRD")
            if value.strip().upper().startswith("LIST"):
                break
    if not data and offset < 0:
        raise UnreadableFile("truncated", "the NRRD file ends inside its header")
    sizes = _sizes(fields, limits)
    encoding = _ENCODINGS.get(fields.get("encoding", "").lower())
    if encoding is None:
        raise UnreadableFile("malformed", "the NRRD header names no encoding that NRRD has")
    space, colour, other = _axes(fields, sizes)
    samples = Samples(
        what="NRRD",
        dtype=_dtype(fields, encoding),
        count=math.prod(sizes),
        encoding=encoding,
        data=data,
        offset=offset,
        lines=_skip(fields, "line skip", 0, limits),
        skip=_skip(fields, "byte skip", -1, limits),
    )
    nrrd = NrrdHeader(sizes=sizes, space=space, colour=colour, other=other, samples=samples, fields=fields)
    check_declared(nrrd.shape, nrrd.frames, samples.dtype.itemsize, limits)
    return nrrd


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


def kinds_of(fields: dict[str, str]) -> list[str]:
    """What the axes are: `domain`, `3-color`, ..."""
    return [kind.lower() for kind in fields.get("kinds", "").split() if re.fullmatch(r"[\w\-?]{1,40}", kind)]


def _axes(fields: dict[str, str], sizes: tuple[int, ...]) -> tuple[tuple[int, ...], int | None, tuple[int, ...]]:
    """Axes in space (three at most), the axis of colours, all others; fastest first."""
    kinds = kinds_of(fields)
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
        raise UnreadableFile("unsupported", "the NRRD file holds no axis in space")
    return tuple(space), colour, tuple(i for i in range(len(sizes)) if i not in space and i != colour)


def vector(text: str) -> list[float]:
    """`(1,0,0.5)` as numbers; empty where it is none."""
    found = re.fullmatch(r"\(([^()]*)\)", text.strip())
    return [number for part in found[1].split(",") if (number := _number(part)) is not None] if found else []


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _directions(nrrd: NrrdHeader) -> dict[int, list[float]]:
    vectors = re.findall(r"none|\([^()]*\)", nrrd.fields.get("space directions", ""), re.IGNORECASE)
    return {i: vector(text) for i, text in enumerate(vectors)} if len(vectors) == len(nrrd.sizes) else {}


def spacings_of(nrrd: NrrdHeader) -> list[float | None]:
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


def _turned(nrrd: NrrdHeader) -> npt.NDArray[np.float64] | None:
    """Steps along the three axes with x to the right and y to the front; None where the header does not say them."""
    signs = SPACES.get(nrrd.fields.get("space", "").lower())
    columns = [_directions(nrrd).get(axis, []) for axis in nrrd.space]
    if signs is None or len(columns) != 3 or any(len(column) != 3 for column in columns):
        return None
    return np.asarray(np.array(columns).T * np.array([[signs[0]], [signs[1]], [1]]))


def orientation_of(nrrd: NrrdHeader) -> str:
    """`RAS` and the like; empty where the header does not place the image in a patient."""
    steps = _turned(nrrd)
    return "" if steps is None else axis_code(steps)


def grid_of(nrrd: NrrdHeader) -> str:
    """Where the voxels lie (`auditor.values.grid`); empty where directions or origin are not said."""
    steps, origin = _turned(nrrd), vector(nrrd.fields.get("space origin", ""))
    if steps is None or len(origin) != 3:
        return ""
    signs = SPACES[nrrd.fields["space"].lower()]
    return grid_text(np.column_stack([steps, np.array(origin) * (*signs, 1)]))
