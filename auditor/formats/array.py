"""NumPy files: npy, and npz (a zip of npy). Objects are never unpickled; sizes are checked before anything is inflated.

One 2-D or 3-D array is one image: (height, width), (height, width, 3 or 4) or (frames, height, width); 4-D is
(frames, height, width, channels). An npz of several arrays is a data set: a layout reads it with `members` and `load_member`.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from auditor.containers.guard import decoding
from auditor.containers.npy_header import data_offset, npy_header
from auditor.values.errors import UnreadableFile
from auditor.values.image import FieldValue, FileSource, Format, Header, Limits, Pixels, check_declared

FORMATS = {
    "npy": Format(words="NumPy array", suffixes=("npy",), holds="arrays"),
    "npz": Format(words="NumPy archive", suffixes=("npz",), shared=("npy",), holds="arrays"),
}
PRIORITY = 50
_MAGIC = b"\x93NUMPY"
_MOST_DEFLATE = 1040
"""Deflate cannot shrink data more than 1032-fold: a larger ratio is a lie in the zip's directory."""


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes: a zip counts only when its first member is an npy file."""
    if head.startswith(_MAGIC):
        return "npy"
    if head[:4] == b"PK\x03\x04":
        name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        if name.endswith(b".npy"):
            return "npz"
    return None


def open_header(source: FileSource, limits: Limits) -> Header:
    """Shape, depth and number of arrays.

    Raises:
        UnreadableFile: damaged, pickled objects, or it declares more than the limits allow.
    """
    name = sniff(source.content)
    if name == "npy":
        stored, dtype, _ = npy_header(source.content)
        count = 1
    else:
        inside = members(source, limits)
        count = len(inside)
        if count != 1:
            fields: dict[str, FieldValue] = {"container.format": "npz", "container.arrays": count}
            return Header(format="npz", shape=(), frames=0, fields=fields)
        stored, dtype = next(iter(inside.values()))
    frames, shape = as_frames(stored, dtype)
    check_declared(shape, frames, dtype.itemsize, limits)
    return Header(
        format=name or "npz",
        shape=shape,
        frames=frames,
        fields={
            "container.format": name,
            "container.arrays": count,
            "container.bit_depth": 1 if dtype.kind == "b" else dtype.itemsize * 8,
            "container.sample_kind": {"b": "boolean", "u": "unsigned", "i": "signed", "f": "float"}[dtype.kind],
            "container.channels": shape[2] if len(shape) == 3 else 1,
            "container.width": shape[1],
            "container.height": shape[0],
        },
    )


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:
    """The array as frames, in native byte order.

    Raises:
        UnreadableFile: kind `no-pixels` for an npz of several arrays; truncated, damaged or over the limits otherwise.
    """
    if not header.shape:
        raise UnreadableFile("no-pixels", "an npz of several arrays is a data set, not one image")
    if header.format == "npy":
        array = _npy_array(source.content, limits)
    else:
        array = load_member(source, next(iter(members(source, limits))), limits)
    return Pixels(array=array.reshape(header.frames, *header.shape))


def members(source: FileSource, limits: Limits) -> Mapping[str, tuple[tuple[int, ...], np.dtype[np.generic]]]:
    """The arrays of an npz in file order: name (without `.npy`) → shape and dtype. Inflates only their headers.

    Raises:
        UnreadableFile: no zip, or a damaged member. Members that are no npy files are left out.
    """
    found: dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]] = {}
    with decoding("npz file"), zipfile.ZipFile(io.BytesIO(source.content)) as archive:
        if len(archive.infolist()) > limits.elements:
            raise UnreadableFile("too-large", f"the npz holds more than {limits.elements:,} members")
        for info in archive.infolist():
            if not info.filename.endswith(".npy"):
                continue
            with archive.open(info) as member:
                shape, dtype, _ = npy_header(member.read(1 << 16))
            found[info.filename.removesuffix(".npy")] = (shape, dtype)
    return MappingProxyType(found)


def load_member(source: FileSource, name: str, limits: Limits) -> npt.NDArray[np.generic]:
    """One array of an npz, in native byte order.

    Raises:
        UnreadableFile: no such member, damaged, over `limits.decoded_bytes`, or it holds pickled objects.
    """
    with decoding("npz file"), zipfile.ZipFile(io.BytesIO(source.content)) as archive:
        if f"{name}.npy" not in archive.namelist():
            raise UnreadableFile("malformed", "the npz holds no array of that name")
        info = archive.getinfo(f"{name}.npy")
        if info.file_size > limits.decoded_bytes + (1 << 16):
            raise UnreadableFile(
                "too-large",
                f"an array of the npz declares {info.file_size / 2**20:,.0f} MiB, more than the limit of "
                f"{limits.decoded_bytes / 2**20:,.0f} MiB",
            )
        if info.compress_type == zipfile.ZIP_DEFLATED and info.file_size > _MOST_DEFLATE * max(info.compress_size, 64):
            raise UnreadableFile("malformed", "the npz declares more data than its compressed bytes can hold")
        with archive.open(info) as member:
            content = member.read(info.file_size)
    return _npy_array(content, limits)


def _npy_array(content: bytes, limits: Limits) -> npt.NDArray[np.generic]:
    shape, dtype, fortran = npy_header(content)
    check_declared(shape, 1, dtype.itemsize, limits)
    count = math.prod(shape)
    start = data_offset(content)
    if len(content) - start < count * dtype.itemsize:
        have = max(len(content) - start, 0)
        raise UnreadableFile("truncated", f"the array holds {have:,} of {count * dtype.itemsize:,} bytes")
    flat = np.frombuffer(content, dtype, count, start)
    array = flat.reshape(shape, order="F" if fortran else "C")
    return np.ascontiguousarray(array, dtype.newbyteorder("="))


def as_frames(stored: tuple[int, ...], dtype: np.dtype[np.generic]) -> tuple[int, tuple[int, ...]]:
    """Number of frames and the shape of one."""
    if dtype.kind not in "buif":
        raise UnreadableFile("unsupported", f"an array of {dtype.name} is no image")
    if not stored or 0 in stored or len(stored) == 1 or len(stored) > 4:
        raise UnreadableFile("no-pixels", f"an array of {len(stored)} dimensions, or without values, is no image")
    if len(stored) == 4:
        return stored[0], stored[1:]
    if len(stored) == 3 and stored[2] not in (3, 4):
        return stored[0], stored[1:]
    return 1, stored
