"""A stack of pictures as a NIfTI-1 file with nothing in it but its levels, and where its voxels lie where masks lie on them."""

from __future__ import annotations

import gzip
import math
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.values.grid import Grid, grid_of
from auditor.values.image import Header

Array = npt.NDArray[Any]
NOWHERE = np.eye(3, 4)
"""Voxels of 1 × 1 × 1 mm, the first at the origin."""


def place_of(header: Header) -> tuple[Grid, bool]:
    """Where the voxels of a file lie, and whether it says more of it than how far they are apart."""
    grid = grid_of(header.facts.get("grid"))
    if grid is not None:
        return grid, True
    steps = [header.facts.get(name) for name in ("spacing_column", "spacing_row", "slice_spacing")]
    known = [float(v) if isinstance(v, int | float) and math.isfinite(v) and v > 0 else 1.0 for v in steps]
    return np.column_stack([np.diag(known), np.zeros(3)]), False


def nifti_stack(levels: Array, grid: Grid = NOWHERE, said: bool = True) -> bytes:
    """A gzipped NIfTI-1 file of (frames, height, width) or, of 8 bits, (frames, height, width, 3).

    Args:
        grid: where the voxels lie (`auditor.values.grid`). said: the file says it; else only how far they are apart.
    """
    frames, height, width = levels.shape[:3]
    code = 128 if levels.ndim == 4 else 2 if levels.dtype == np.uint8 else 512
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, width, height, frames, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, code, 24 if code == 128 else 8 * levels.dtype.itemsize)
    steps = np.linalg.norm(grid[:, :3], axis=0)
    struct.pack_into("<8f", header, 76, 1.0, *map(float, steps), 0.0, 0.0, 0.0, 0.0)
    struct.pack_into("<3f", header, 108, 352.0, 1.0, 0.0)
    header[123] = 2  # millimetres
    struct.pack_into("<2h", header, 252, 0, int(said))  # no quaternion; the matrix below
    struct.pack_into("<12f", header, 280, *map(float, grid.ravel()))
    header[344:348] = b"n+1\0"
    content = levels.astype(levels.dtype.newbyteorder("<")).tobytes()
    return gzip.compress(bytes(header) + b"\0" * 4 + content, compresslevel=0, mtime=0)
