"""What an HDF5 file of many images holds, and its labels. Runs in the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from auditor.containers.hdf5_file import arrays, read_array
from auditor.values.image import Limits


def shapes(limits: Limits, path: Path) -> dict[str, tuple[int, ...]]:  # noqa: ARG001
    """Shape of every array of numbers.

    Raises:
        UnreadableFile: damaged, or h5py is not installed.
    """
    return {name: shape for name, (shape, _) in arrays(path).items()}


def labels(limits: Limits, path: Path, member: str) -> npt.NDArray[np.generic]:
    """One array of labels; axes of length one are left out (PCam's are N × 1 × 1 × 1).

    Raises:
        UnreadableFile: no such array, damaged, or larger than the limits allow.
    """
    array = read_array(path, member, limits.table_bytes)
    return array.reshape(len(array), -1) if array.ndim > 2 and array[:1].size == 1 else array
