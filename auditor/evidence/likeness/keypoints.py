"""Keypoints of a small grey picture: blobs at several sizes with the patch around each, and words made of the patches' signs.

A blob is a local extremum of the difference of Gaussians (Lowe 2004, IJCV 60) in the locally normalised picture, so
brightness, contrast and gamma change it little, and a crop keeps those inside it. The patch is turned so that its blob is
bright, which undoes an inversion; the word is taken in the one of the eight orientations (flips and quarter turns) in which
the patch grows brighter to the right and downwards, most along the rows. Beside each word stands its place: where the blob
lies, how large it is, and what was done to its patch. Two pictures are laid over each other by words and places alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.uint32]

SIZES: tuple[float, ...] = tuple(2.0 * 1.2**i for i in range(6))
"""Blob sizes (standard deviations, pixels). A crop to 60 % of the area enlarges by 1.29: one and a half steps."""
PER_SIZE = 14
MAX_WORDS = PER_SIZE * len(SIZES)
GRID = 8
REACH = 4.0
"""Half the side of a patch, in blob sizes."""
WORD_BITS = 40
WEAK_BITS = 24
"""Among so many leading bits the two least certain are looked for."""
ORIENTATIONS: tuple[tuple[bool, int, int], ...] = tuple((t, y, x) for t in (False, True) for y in (1, -1) for x in (1, -1))
"""(transposed, step along rows, step along columns): flip first, then transpose."""

_AXIS = ((np.arange(GRID) + 0.5) / GRID * 2 - 1).astype(np.float32)
_RIGHT, _DOWN = (plane.ravel() for plane in np.meshgrid(_AXIS, _AXIS))
_AROUND = [(np.float32(REACH * size) * _DOWN, np.float32(REACH * size) * _RIGHT) for size in SIZES]
_BORDER = cv2.BORDER_REPLICATE


@dataclass(frozen=True, kw_only=True)
class Keypoints:
    """Blobs, the strongest first.

    Args:
        y, x: centres in pixels; shape (k,).
        size: which of `SIZES`; shape (k,).
        polarity: 1 for a bright blob, −1 for a dark one; shape (k,).
        patches: the surroundings, as if the blob were bright; shape (k, GRID · GRID).
        strength: response of the blob, comparable within one picture; shape (k,).
    """

    y: npt.NDArray[np.int64]
    x: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    polarity: Plane
    patches: Plane
    strength: Plane


def locally_normalised(picture: npt.NDArray[Any], reach: int = 25, floor: float = 4.0) -> Plane:
    """Minus the local mean, over the local standard deviation (plus `floor` grey levels, which keeps noise small)."""
    values = picture.astype(np.float32)
    values = values - box(box(values, reach), reach)
    spread = box(box(values * values, reach), reach)
    return np.asarray(values / (np.sqrt(np.maximum(spread, 0)) + np.float32(floor)), np.float32)


def box(values: Plane, side: int) -> Plane:
    """Mean over a square."""
    return np.asarray(cv2.blur(values, (side, side), borderType=_BORDER), np.float32)


def smooth(picture: Plane, width: float) -> Plane:
    """Gaussian blur of standard deviation `width` in pixels."""
    side = 2 * int(np.ceil(3 * width)) + 1
    return np.asarray(cv2.GaussianBlur(picture, (side, side), width, borderType=_BORDER), np.float32)


def sampled(picture: Plane, y: Plane, x: Plane) -> Plane:
    """Linear interpolation; outside, the nearest border value. Places and result are two-dimensional."""
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=_BORDER), np.float32)


def keypoints(picture: npt.NDArray[np.uint8]) -> Keypoints:
    """Up to `PER_SIZE` blobs of each size.

    Args:
        picture: shape (height, width), about 96 × 96.
    """
    width = SIZES[0] / 1.2
    below = smooth(locally_normalised(picture), width)
    parts: list[tuple[npt.NDArray[Any], ...]] = []
    for step, size in enumerate(SIZES):
        level = smooth(below, float(np.sqrt(size * size - width * width)))
        response = level - below
        y, x = peaks(np.abs(response), reach=round(size * 0.75), margin=int(np.ceil(size * 1.5)))
        values = response[y, x]
        if len(y):
            down, right = _AROUND[step]
            around = sampled(level, y[:, None].astype(np.float32) + down, x[:, None].astype(np.float32) + right)
        else:
            around = np.zeros((0, GRID * GRID), np.float32)
        polarity = -np.sign(values)
        parts.append((y, x, np.full(len(y), step), polarity, around * polarity[:, None], np.abs(values)))
        below, width = level, size
    y, x, steps, polarity, patches, strength = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(-strength, kind="stable")
    return Keypoints(
        y=y[order], x=x[order], size=steps[order], polarity=polarity[order], patches=patches[order], strength=strength[order]
    )


def peaks(response: Plane, *, reach: int, margin: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The strongest local maxima within `reach` pixels, strongest first (by position where equal)."""
    inner = response[margin:-margin, margin:-margin]
    if inner.size == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    highest = cv2.dilate(response, _square(2 * reach + 1))[margin:-margin, margin:-margin]
    y, x = np.divmod(np.flatnonzero(inner == highest), inner.shape[1])
    heights = inner[y, x]
    order = np.argsort(-heights, kind="stable")[: min(PER_SIZE, np.count_nonzero(heights > 1e-3))]
    return y[order] + margin, x[order] + margin


@cache
def _square(side: int) -> npt.NDArray[np.uint8]:
    return np.ones((side, side), np.uint8)


def _frequencies() -> list[tuple[int, int]]:
    """Low frequencies first: they are the surest. (0, 0), (0, 1) and (1, 0) tell nothing after centring and turning."""
    pairs = [(a, s - a) for s in range(2, 2 * GRID) for a in range(max(0, s - GRID + 1), min(s, GRID - 1) + 1)]
    return pairs[:WORD_BITS]


def _waves() -> Plane:
    """What a word is made of, for patches in each of the eight orientations; shape (8, GRID · GRID, WORD_BITS)."""
    order, place = np.arange(GRID)[:, None], np.arange(GRID)[None]
    cosines = np.cos(np.pi * (place + 0.5) * order / GRID)
    waves = np.stack([np.outer(cosines[a], cosines[b]) for a, b in _frequencies()], axis=-1)
    back = []
    for transposed, y, x in ORIENTATIONS:
        # instead of turning every patch, the waves are turned back once
        wave = waves.transpose(1, 0, 2) if transposed else waves
        back.append(wave[::y, ::x].reshape(GRID * GRID, WORD_BITS))
    return np.asarray(back, np.float32)


_WAVES = _waves()
_SLOPES = np.stack([_RIGHT, _DOWN], axis=1)


def words(points: Keypoints) -> tuple[Words, Places]:
    """One word per keypoint and its place, the strongest keypoint first; both of shape (k,).

    The upper 40 bits of a word are signs of the patch's cosine transform, low frequencies first; below them twice six bits:
    which two of the first 24 are the least certain. A place is, from above: y and x (8 bits each), size (4), orientation (3),
    dark (1).
    """
    turn = orientation(points.patches)
    values = np.empty((len(turn), WORD_BITS), np.float32)
    for way in range(len(ORIENTATIONS)):
        of_way = np.flatnonzero(turn == way)
        if len(of_way):
            values[of_way] = points.patches[of_way] @ _WAVES[way]
    coded = np.zeros((len(turn), 8), np.uint8)
    coded[:, : WORD_BITS // 8] = np.packbits(values > 0, axis=1)
    size = np.abs(values[:, :WEAK_BITS])
    weakest = size.argmin(axis=1)
    size[np.arange(len(size)), weakest] = np.inf
    found = coded.view(">u8").ravel().astype(np.uint64) | (weakest << 6 | size.argmin(axis=1)).astype(np.uint64)
    place = points.y << 16 | points.x << 8 | points.size << 4 | turn << 1 | (points.polarity < 0)
    return found, place.astype(np.uint32)


def orientation(patches: Plane) -> npt.NDArray[np.int64]:
    """In which of `ORIENTATIONS` each patch is brighter to the right and downwards, most along the rows; shape (k,)."""
    right, down = (patches @ _SLOPES).T
    return np.asarray((np.abs(right) < np.abs(down)) * 4 + (down < 0) * 2 + (right < 0), np.int64)
