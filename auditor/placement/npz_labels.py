"""What an npz of many images holds, by the headers of its arrays, and its labels. Runs in the bounded workers."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy_format

from auditor.containers.guard import decoding
from auditor.containers.npy_header import npy_header
from auditor.files import head_of
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits

MOST_MEMBERS = 1000
HEADER_BYTES = 1 << 16


def shapes(limits: Limits, path: Path) -> dict[str, tuple[int, ...]]:
    """Shape of every array of an npz, from the headers alone, or of an npy; empty for what is neither."""
    found: dict[str, tuple[int, ...]] = {}
    try:
        if path.suffix.lower() == ".npy":
            with decoding("npy file"):
                return {"": npy_header(head_of(path, min(HEADER_BYTES, limits.header_bytes)))[0]}
        with decoding("npz file"), zipfile.ZipFile(path) as archive:
            for member in archive.namelist()[:MOST_MEMBERS]:
                if member.endswith(".npy"):
                    with archive.open(member) as stream:
                        shape, dtype, _ = npy_header(stream.read(min(HEADER_BYTES, limits.header_bytes)))
                    # an array that cannot be in its member holds no records
                    if math.prod(shape) * dtype.itemsize <= archive.getinfo(member).file_size:
                        found[member.removesuffix(".npy")] = shape
    except UnreadableFile:
        return {}
    return found


def labels(limits: Limits, path: Path, member: str) -> npt.NDArray[np.generic]:
    """One array of labels.

    Raises:
        DatasetError: damaged, pickled objects, or larger than the limits allow.
        UnreadableFile: there is too little memory for it.
    """
    damaged = DatasetError(f"{path}: the labels `{member}` cannot be read (damaged, or pickled objects)")
    try:
        with decoding("npz file"), zipfile.ZipFile(path) as archive:
            with archive.open(f"{member}.npy") as stream:
                shape, dtype, _ = npy_header(stream.read(HEADER_BYTES))
            size = math.prod(shape) * dtype.itemsize
            if size > limits.table_bytes:
                raise DatasetError(
                    f"{path}: the labels `{member}` take more than {limits.table_bytes >> 20:,} MiB; raise [limits] table-bytes"
                )
            with archive.open(f"{member}.npy") as stream:
                array: npt.NDArray[np.generic] = npy_format.read_array(stream, allow_pickle=False)
    except UnreadableFile as error:
        if error.kind == "memory":
            raise
        raise damaged from None
    return array
