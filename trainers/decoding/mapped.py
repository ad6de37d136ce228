"""Arrays on disk that are filled little by little: their room is taken before the first value is written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike

PORTION = 1 << 22


def mapped_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> np.memmap:
    """A new npy file of zeros, mapped for writing.

    A mapped file that merely has its length has no room yet: where the disk is full, the system ends the process at the first
    value that finds none (SIGBUS), and nobody can say why. So the room is taken here, where its lack is an error.

    Raises:
        OSError: there is no room, or no right to write.
    """
    kind = np.dtype(dtype)
    with path.open("wb") as file:
        npy.write_array_header_2_0(file, {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": shape})
        size = kind.itemsize * int(np.prod(shape, dtype=np.int64))
        if size and hasattr(os, "posix_fallocate"):
            file.flush()
            os.posix_fallocate(file.fileno(), file.tell(), size)
        else:
            for start in range(0, size, PORTION):
                file.write(b"\0" * min(PORTION, size - start))
    array: np.memmap = npy.open_memmap(path, mode="r+")
    return array
