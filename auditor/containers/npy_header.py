"""The header of an npy file: shape, type and order of the array, and where its values start."""

from __future__ import annotations

import io

import numpy as np

from auditor.containers.guard import decoding
from auditor.values.errors import UnreadableFile


def data_offset(content: bytes) -> int:
    """Where the values of npy content start."""
    wide = content[6] >= 2
    length = int.from_bytes(content[8:12], "little") if wide else int.from_bytes(content[8:10], "little")
    return length + (12 if wide else 10)


def npy_header(content: bytes) -> tuple[tuple[int, ...], np.dtype[np.generic], bool]:
    """Shape, dtype and Fortran order of npy content.

    Raises:
        UnreadableFile: damaged, or pickled objects, or no plain numbers.
    """
    with decoding("npy header"):
        stream = io.BytesIO(content[: 1 << 16])
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        elif version in ((2, 0), (3, 0)):
            # version 3 differs in allowing names that are not Latin-1, which a plain dtype does not have
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
        else:
            raise UnreadableFile("unsupported", "an npy file of unknown version")
    if dtype.hasobject:
        raise UnreadableFile("refused", "the array holds pickled Python objects, which are never loaded")
    if any(side < 0 for side in shape):
        raise UnreadableFile("malformed", "the array declares a negative size")
    return tuple(int(side) for side in shape), dtype, bool(fortran)
