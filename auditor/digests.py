"""Digests of what is in a file and of what is in a picture: equal ones mean the same content.

SHA-256, cut to 160 bits: processors have instructions for it, which makes it the fastest of the sound ones.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

HEX_DIGITS = 40


def content_digest(content: bytes) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(content, usedforsecurity=False).hexdigest()[:HEX_DIGITS]


def pixel_digest(array: npt.NDArray[np.generic]) -> str:
    """Of decoded values and their shape; equal for one picture in two containers, be one 8 and one 16 bits deep."""
    plain = plainest(array)
    dtype = smallest_type(plain)
    digest = hashlib.sha256(f"{dtype.str}{plain.shape}".encode(), usedforsecurity=False)
    for frame in plain if plain.ndim > 2 else (plain,):
        # frame by frame: a volume of 16 signed bits would need four times its memory at once
        digest.update(np.ascontiguousarray(frame, dtype).data)
    return digest.hexdigest()[:HEX_DIGITS]


def canonical(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The same picture as the same array: no opaque alpha, no three equal channels, the smallest sufficient unsigned type."""
    plain = plainest(array)
    return plain.astype(smallest_type(plain), copy=False)


def plainest(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Without opaque alpha, and three equal channels as one."""
    if array.ndim == 4 and array.shape[-1] in (2, 4):
        alpha = array[..., -1]
        opaque = np.iinfo(array.dtype.name).max if np.issubdtype(array.dtype, np.integer) else 1
        if np.all(alpha == opaque):
            array = array[..., :-1]
    if array.ndim == 4 and array.shape[-1] == 3 and all(np.array_equal(array[..., 0], array[..., c]) for c in (1, 2)):
        array = array[..., :1]
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    return array


def smallest_type(array: npt.NDArray[np.generic]) -> np.dtype[np.generic]:
    """The type in which values are compared: one for all pictures of the same values, however deep they are stored."""
    if array.dtype in (np.uint8, np.bool_):
        return np.dtype("u1")
    if np.issubdtype(array.dtype, np.integer) and array.size:
        low, high = int(array.min()), int(array.max())
        return np.dtype("<i8" if low < 0 else "u1" if high < 256 else "<u2" if high < 65536 else "<u8")
    return array.dtype.newbyteorder("<")
