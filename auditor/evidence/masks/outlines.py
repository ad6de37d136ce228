"""The lines between the values of a mask as a small picture: it is laid over the image to see whether the mask lies on it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 96
"""Longest side, as that of a thumbnail."""
LEAST_COVER = 0.25
"""A small pixel is on a line when lines cover so much of it."""

Lines = npt.NDArray[np.float32]


def packed_outlines(mask: npt.NDArray[np.generic]) -> bytes:
    """The lines of one frame, shape (height, width), as a PNG of two values whose longest side is at most 96."""
    lines = np.zeros(mask.shape, np.float32)
    down, across = mask[1:] != mask[:-1], mask[:, 1:] != mask[:, :-1]
    for part, found in ((lines[1:], down), (lines[:-1], down), (lines[:, 1:], across), (lines[:, :-1], across)):
        part[found] = 1
    shrunk = SIDE / max(mask.shape)
    if shrunk < 1:
        height, width = (max(1, round(side * shrunk)) for side in mask.shape)
        lines = np.asarray(cv2.resize(lines, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    drawn = np.where(lines > LEAST_COVER, 255, 0).astype(np.uint8)
    return bytes(cv2.imencode(".png", drawn, [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes())


def unpacked(content: bytes) -> Lines:
    """A small grey picture (an outline, a thumbnail), 0–1; no pixel where it is none."""
    if not content:
        return np.empty((0, 0), np.float32)
    read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if read is None:
        return np.empty((0, 0), np.float32)
    return np.asarray(np.asarray(read, np.float32) / 255, np.float32)
