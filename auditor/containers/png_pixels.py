"""16-bit PNG colour and alpha, which Pillow reads as 8 bits: inflate, undo the row filters, undo the interlacing.

Source: PNG specification, third edition (W3C 2025), clauses 7.2 (filtering), 8.2 (Adam7) and 9 (filter types).
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

from auditor.containers.inflate import ZLIB, inflate
from auditor.containers.png_header import PngHeader
from auditor.values.errors import UnreadableFile

_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row, first column, row step and column step of each pass."""


def decode_png16(content: bytes, header: PngHeader) -> npt.NDArray[np.uint16]:
    """Pixels of a 16-bit PNG with colour or alpha; shape (height, width, channels).

    Raises:
        UnreadableFile: truncated, a chunk's checksum does not fit, or an unknown filter.
    """
    passes = _ADAM7 if header.interlaced else ((0, 0, 1, 1),)
    sizes = [
        (-(-(header.height - row) // down), -(-(header.width - column) // across)) if header.width > column else (0, 0)
        for row, column, down, across in passes
    ]
    pixel = 2 * header.channels
    expected = sum(rows * (1 + columns * pixel) for rows, columns in sizes if rows > 0 and columns > 0)
    for start, length in header.data:
        stated = content[start + length : start + length + 4]
        if len(stated) < 4:
            raise UnreadableFile("truncated", "the PNG ends inside its pixels")
        if zlib.crc32(content[start - 4 : start + length]) != int.from_bytes(stated, "big"):
            raise UnreadableFile("malformed", "a checksum of the PNG does not fit its pixels")
    packed = b"".join(content[start : start + length] for start, length in header.data)
    raw = np.frombuffer(inflate(packed, ZLIB, expected), np.uint8)
    if raw.size < expected:
        raise UnreadableFile("truncated", f"the PNG holds {raw.size:,} of {expected:,} bytes of pixels")
    image = np.zeros((header.height, header.width, header.channels), np.uint16)
    at = 0
    for (row, column, down, across), (rows, columns) in zip(passes, sizes, strict=True):
        if rows <= 0 or columns <= 0:
            continue
        size = rows * (1 + columns * pixel)
        lines = raw[at : at + size].reshape(rows, 1 + columns * pixel)
        at += size
        plain = _unfilter(lines[:, 0], lines[:, 1:].reshape(rows, columns, pixel))
        image[row::down, column::across] = np.ascontiguousarray(plain).view(">u2")
    return image


def _unfilter(kinds: npt.NDArray[np.uint8], filtered: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Undo filters 0–4 of one pass.

    Every pixel needs its left, upper and upper-left neighbours, so all pixels on one anti-diagonal can be done at once.
    In a table with one more row and column of zeros they are a slice with a constant step.

    Args:
        kinds: filter of each row, shape (rows,).
        filtered: shape (rows, columns, bytes per pixel).
    """
    if kinds.max(initial=0) > 4:
        raise UnreadableFile("malformed", "the PNG uses an unknown row filter")
    rows, columns, _ = filtered.shape
    table = np.zeros((rows + 1, columns + 1, filtered.shape[2]), np.uint8)
    table[1:, 1:] = filtered
    if not kinds.any():
        return table[1:, 1:]
    flat = table.reshape((rows + 1) * (columns + 1), -1)
    width = columns + 1
    kind = np.concatenate([[0], kinds]).astype(np.int64)
    for diagonal in range(2, rows + columns + 1):
        first, last = max(1, diagonal - columns), min(rows, diagonal - 1)
        start = first * width + diagonal - first
        stop = start + (last - first) * columns + 1
        step = max(columns, 1)
        here = slice(start, stop, step)
        left = flat[start - 1 : stop - 1 : step].astype(np.int16)
        up = flat[start - width : stop - width : step].astype(np.int16)
        corner = flat[start - width - 1 : stop - width - 1 : step].astype(np.int16)
        rule = kind[first : last + 1, None]
        slope = up - corner
        lean = left - corner
        far_left, far_up, far_corner = np.abs(slope), np.abs(lean), np.abs(slope + lean)
        paeth = np.where((far_left <= far_up) & (far_left <= far_corner), left, np.where(far_up <= far_corner, up, corner))
        guess = np.where(rule == 4, paeth, np.where(rule == 3, (left + up) >> 1, np.where(rule == 2, up, left * (rule == 1))))
        flat[here] += guess.astype(np.uint8)
    return table[1:, 1:]
