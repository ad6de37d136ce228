"""HDF5: a file of one array is an image or a stack, as npy is; one of several is a data set, which a layout reads.

h5py (the extra `hdf5`) reads it; without it every file says what is missing.
"""

from __future__ import annotations

import io

import numpy as np

from auditor.containers.hdf5_file import MAGIC, arrays, read_array
from auditor.formats.array import as_frames
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Format, Header, Limits, Pixels, check_declared

FORMATS = {"hdf5": Format(words="HDF5", suffixes=("h5", "hdf5"), holds="arrays", general=True)}
PRIORITY = 10


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes; MINC 2 is HDF5 too, and another format."""
    return "hdf5" if head.startswith(MAGIC) and b"minc-2.0" not in head else None


def open_header(source: FileSource, limits: Limits) -> Header:
    """Shape, depth and number of arrays.

    Raises:
        UnreadableFile: damaged, h5py is not installed, or it declares more than the limits allow.
    """
    inside = arrays(io.BytesIO(source.content))
    if len(inside) != 1:
        return Header(format="hdf5", shape=(), frames=0, fields={"container.format": "hdf5", "container.arrays": len(inside)})
    stored, dtype = next(iter(inside.values()))
    frames, shape = as_frames(stored, dtype)
    check_declared(shape, frames, dtype.itemsize, limits)
    return Header(
        format="hdf5",
        shape=shape,
        frames=frames,
        fields={
            "container.format": "hdf5",
            "container.arrays": 1,
            "container.bit_depth": 1 if dtype.kind == "b" else dtype.itemsize * 8,
            "container.channels": shape[2] if len(shape) == 3 else 1,
            "container.width": shape[1],
            "container.height": shape[0],
        },
    )


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:
    """The array as frames, in native byte order.

    Raises:
        UnreadableFile: kind `no-pixels` for a file of several arrays; damaged or over the limits otherwise.
    """
    if not header.shape:
        raise UnreadableFile("no-pixels", "an HDF5 file of several arrays, or of none, is a data set, not one image")
    stream = io.BytesIO(source.content)
    array = read_array(stream, next(iter(arrays(stream))), limits.decoded_bytes)
    return Pixels(array=np.ascontiguousarray(array).reshape(header.frames, *header.shape))
