"""The header of NIfTI-1 and NIfTI-2, both byte orders, read by struct.

Source: nifti1.h (NIH, 2000–2005) and nifti2.h (2011).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.containers.orientation import axis_code
from auditor.values.errors import UnreadableFile
from auditor.values.grid import grid_text

HEADER_BYTES = 544
DATATYPES = {
    2: ("uint8", "u1", 1), 4: ("int16", "i2", 1), 8: ("int32", "i4", 1), 16: ("float32", "f4", 1), 64: ("float64", "f8", 1),
    128: ("RGB24", "u1", 3), 256: ("int8", "i1", 1), 512: ("uint16", "u2", 1), 768: ("uint32", "u4", 1),
    1024: ("int64", "i8", 1), 1280: ("uint64", "u8", 1), 2304: ("RGBA32", "u1", 4),
}  # fmt: skip
"""Datatype code → name, numpy dtype, channels. Complex and 128-bit numbers are no images that the checks can read."""


@dataclass(frozen=True, kw_only=True)
class NiftiHeader:
    """The header as stored. `sides` are the lengths of all axes, fastest first; `order` is `<` or `>`.

    `orientation` is where the three axes run to (`RAS`), `grid` where every voxel lies (`auditor.values.grid`), from the sform,
    else the qform; empty where neither is set, or the one that is set places nothing. `qform_grid` is the qform's, where set.
    """

    version: int
    order: str
    paired: bool
    sides: tuple[int, ...]
    datatype: int
    bitpix: int
    pixdim: tuple[float, ...]
    offset: int
    slope: float
    intercept: float
    qform: int
    sform: int
    units: int
    intent: int
    described: bool
    orientation: str = ""
    grid: str = ""
    qform_grid: str = ""

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Stored type of one sample."""
        return np.dtype(self.order + DATATYPES[self.datatype][1])

    @property
    def channels(self) -> int:
        """3 for RGB, 4 for RGBA, 1 otherwise."""
        return DATATYPES[self.datatype][2]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one frame: (y, x) or (y, x, channels)."""
        wide, high = (*self.sides, 1)[:2]
        return (high, wide) if self.channels == 1 else (high, wide, self.channels)

    @property
    def frames(self) -> int:
        """Slices × everything beyond the third axis."""
        return math.prod(self.sides[2:])


def version_of(head: bytes) -> tuple[int, str] | None:
    """(1 or 2, byte order) when `head` starts with a NIfTI header, single file or pair; else None."""
    for order in "<>":
        if len(head) >= 348 and struct.unpack_from(order + "i", head)[0] == 348 and head[344:348] in (b"n+1\0", b"ni1\0"):
            return 1, order
        if len(head) >= 12 and struct.unpack_from(order + "i", head)[0] == 540 and head[4:7] in (b"n+2", b"ni2"):
            return 2, order
    return None


def read_nifti_header(head: bytes) -> NiftiHeader:
    """Parse the first `HEADER_BYTES` bytes.

    Raises:
        UnreadableFile: truncated, impossible axes, or a datatype that is no image.
    """
    found = version_of(head)
    if found is None:
        raise UnreadableFile("malformed", "the NIfTI header is damaged")
    version, order = found
    if len(head) < (348 if version == 1 else 540):
        raise UnreadableFile("truncated", "the NIfTI header is cut short")

    def at(code: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + code, head, offset)

    if version == 1:
        dims, (datatype, bitpix), pixdim = at("8h", 40), at("2h", 70), at("8f", 76)
        offset, slope, intercept = at("3f", 108)
        (qform, sform), units, (intent,), text = at("2h", 252), head[123], at("h", 68), head[148:228]
        paired = head[344:347] == b"ni1"
        quaternion, rows = at("6f", 256), at("12f", 280)
    else:
        dims, (datatype, bitpix), pixdim = at("8q", 16), at("2h", 12), at("8d", 104)
        (offset,), (slope, intercept) = at("q", 168), at("2d", 176)
        (qform, sform), (units,), (intent,), text = at("2i", 344), at("i", 500), at("i", 504), head[240:320]
        paired = head[4:7] == b"ni2"
        quaternion, rows = at("6d", 352), at("12d", 400)
    axes = int(dims[0])
    sides = tuple(int(side) for side in dims[1 : axes + 1])
    if not 1 <= axes <= 7 or any(side < 1 for side in sides):
        raise UnreadableFile("malformed", "the NIfTI header declares impossible axes")
    if 3000 <= intent < 3100:
        raise UnreadableFile("unsupported", "a CIFTI file (values on surfaces and networks) is no image")
    if datatype not in DATATYPES:
        raise UnreadableFile("unsupported", f"NIfTI samples of type {int(datatype)} (complex, bits or 128-bit) are not read")
    if not math.isfinite(offset) or offset < 0:
        raise UnreadableFile("malformed", "the NIfTI header declares an impossible place for the pixels")
    by_quaternion = _qform(quaternion, pixdim) if qform > 0 else np.zeros((3, 4))
    placed = np.array(rows, float).reshape(3, 4) if sform > 0 else by_quaternion
    return NiftiHeader(
        version=version,
        order=order,
        paired=paired,
        sides=sides,
        datatype=int(datatype),
        bitpix=int(bitpix),
        pixdim=tuple(float(value) for value in pixdim),
        offset=max(int(offset), 0 if paired else 352 if version == 1 else 544),
        slope=float(slope),
        intercept=float(intercept),
        qform=int(qform),
        sform=int(sform),
        units=int(units),
        intent=int(intent),
        described=bool(text.strip(b"\0 ")),
        orientation=axis_code(placed[:, :3]),
        grid=grid_text(placed),
        qform_grid=grid_text(by_quaternion),
    )


def _qform(numbers: tuple[float, ...], pixdim: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """The quaternion's rotation, scaled by pixdim and moved by the offset; the third axis turns over where pixdim[0] is −1."""
    b, c, d = numbers[:3]
    if not all(map(math.isfinite, (*numbers, *pixdim[:4]))):
        return np.full((3, 4), np.nan)
    rest = 1.0 - b * b - c * c - d * d
    if rest < 0:  # rounded when it was written: no fourth part is left, and the three are brought to length one
        length = math.sqrt(b * b + c * c + d * d)
        b, c, d = b / length, c / length, d / length
    a = math.sqrt(max(0.0, rest))
    matrix = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    matrix[:, 2] *= -1.0 if pixdim[0] < 0 else 1.0
    return np.column_stack([matrix * np.abs(pixdim[1:4]), numbers[3:6]])
