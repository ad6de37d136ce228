"""Keypoints of a small grey picture: blobs at several sizes with the patch around each, and words made of the patches' signs.

A blob is a local extremum of the difference of Gaussians (Lowe 2004, IJCV 60) in the locally normalised picture, so
brightness, contrast and gamma change it little, and a crop keeps those inside it. The patch is turned so that its blob is
bright, which undoes an inversion; the word is taken in the one of the eight orientations (flips and quarter turns) in which
the patch grows brighter to the right and downwards, most along the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Plane = npt.NDArray[np.float32]

SIZES: tuple[float, ...] = tuple(2.0 * 1.2**i for i in range(6))
"""Blob sizes (standard deviations, pixels). A crop to 60 % of the area enlarges by 1.29: one and a half steps."""
PER_SIZE = 14
GRID = 8
REACH = 4.0
"""Half the side of a patch, in blob sizes."""
WORD_BITS = 40
WEAK_BITS = 24
"""Among so many leading bits the two least certain are looked for."""
ORIENTATIONS: tuple[tuple[bool, int, int], ...] = tuple((t, y, x) for t in (False, True) for y in (1, -1) for x in (1, -1))
"""(transposed, step along rows, step along columns): flip first, then transpose."""

_AXIS = ((np.arange(GRID) + 0.5) / GRID * 2 - 1).astype(np.float32)
_RIGHT, _DOWN = np.meshgrid(_AXIS, _AXIS)


@dataclass(frozen=True, kw_only=True)
class Keypoints:
    """Blobs, the strongest of each size first.

    Args:
        y, x: centres in pixels; shape (k,).
        size: standard deviation in pixels; shape (k,).
        polarity: 1 for a bright blob, −1 for a dark one; shape (k,).
        patches: bright-blob patches, mean 0 and length 1; shape (k, GRID, GRID).
        strength: response of the blob, comparable within one picture; shape (k,).
    """

    y: Plane
    x: Plane
    size: Plane
    polarity: Plane
    patches: Plane
    strength: Plane


def locally_normalised(picture: npt.NDArray[Any], reach: int = 25, floor: float = 4.0) -> Plane:
    """Minus the local mean, over the local standard deviation (plus `floor` grey levels, which keeps noise small)."""
    values = picture.astype(np.float32)
    values = values - box(box(values, reach), reach)
    spread = box(box(values * values, reach), reach)
    return np.asarray(values / (np.sqrt(np.maximum(spread, 0)) + floor), np.float32)


def box(values: Plane, side: int) -> Plane:
    """Mean over a square."""
    return np.asarray(ndimage.uniform_filter(values, side, mode="nearest"), np.float32)


def sampled(picture: Plane, y: Plane, x: Plane) -> Plane:
    """Linear interpolation; outside, the nearest border value."""
    y = np.clip(y, 0, picture.shape[0] - 1.001)
    x = np.clip(x, 0, picture.shape[1] - 1.001)
    top, left = y.astype(np.int32), x.astype(np.int32)
    down, right = (y - top).astype(np.float32), (x - left).astype(np.float32)
    flat, at = picture.ravel(), top * picture.shape[1] + left
    first = flat[at] * (1 - right) + flat[at + 1] * right
    at = at + picture.shape[1]
    second = flat[at] * (1 - right) + flat[at + 1] * right
    return np.asarray(first * (1 - down) + second * down, np.float32)


def keypoints(picture: npt.NDArray[np.uint8]) -> Keypoints:
    """Up to `PER_SIZE` blobs of each size.

    Args:
        picture: shape (height, width), about 96 × 96.
    """
    normal = locally_normalised(picture)
    width = SIZES[0] / 1.2
    below = smooth(normal, width)
    parts: list[tuple[Plane, Plane, Plane, Plane, Plane, Plane]] = []
    for size in SIZES:
        level = smooth(below, float(np.sqrt(size * size - width * width)))
        response = level - below
        y, x = peaks(np.abs(response), reach=2 * round(size * 0.75) + 1, margin=int(np.ceil(size * 1.5)))
        values = response[y, x]
        patches = sampled(
            level,
            y[:, None, None].astype(np.float32) + _DOWN * np.float32(REACH * size),
            x[:, None, None].astype(np.float32) + _RIGHT * np.float32(REACH * size),
        )
        polarity = -np.sign(values)
        patches = patches * polarity[:, None, None]
        patches = patches - patches.mean(axis=(1, 2), keepdims=True)
        patches = patches / (np.sqrt((patches * patches).sum(axis=(1, 2), keepdims=True)) + 1e-6)
        sizes = np.full(len(y), size, np.float32)
        parts.append((y.astype(np.float32), x.astype(np.float32), sizes, polarity, patches, np.abs(values)))
        below, width = level, size
    y32, x32, sizes, polarity, patches, strength = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Keypoints(y=y32, x=x32, size=sizes, polarity=polarity, patches=patches, strength=strength)


def smooth(picture: Plane, width: float) -> Plane:
    """Gaussian blur of standard deviation `width` in pixels."""
    return np.asarray(ndimage.gaussian_filter(picture, width, mode="nearest", truncate=3), np.float32)


def peaks(response: Plane, *, reach: int, margin: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The strongest local maxima, strongest first (by position where equal)."""
    inner = response[margin:-margin, margin:-margin]
    if inner.size == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    highest = ndimage.maximum_filter(response, reach, mode="nearest")[margin:-margin, margin:-margin]
    y, x = np.nonzero((inner == highest) & (inner > 1e-3))
    order = np.argsort(-inner[y, x], kind="stable")[:PER_SIZE]
    return y[order] + margin, x[order] + margin


def _cosines() -> Plane:
    order, place = np.arange(GRID)[:, None], np.arange(GRID)[None]
    return np.asarray(np.cos(np.pi * (place + 0.5) * order / GRID), np.float32)


_COSINES = _cosines()
# Low frequencies first: they are the surest. (0, 0), (0, 1) and (1, 0) tell nothing after centring and turning.
_FREQUENCIES = [(a, s - a) for s in range(2, 2 * GRID) for a in range(max(0, s - GRID + 1), min(s, GRID - 1) + 1)][:WORD_BITS]


def words(points: Keypoints) -> npt.NDArray[np.uint64]:
    """One word per keypoint, the strongest keypoint first.

    The upper 40 bits are signs of the patch's cosine transform, low frequencies first; below them twice six bits: which two
    of the first 24 are the least certain. Shape (k,).
    """
    waves = np.einsum("ai,kij,bj->kab", _COSINES, turned(points.patches), _COSINES, optimize=True)
    values = np.stack([waves[:, a, b] for a, b in _FREQUENCIES], axis=1)
    bits = (values > 0).astype(np.uint64)
    places = np.arange(63, 63 - WORD_BITS, -1).astype(np.uint64)
    found = np.bitwise_or.reduce(bits << places, axis=1) if len(bits) else np.zeros(0, np.uint64)
    weak = np.argsort(np.abs(values[:, :WEAK_BITS]), axis=1, kind="stable")[:, :2].astype(np.uint64)
    if len(bits):
        found = found | (weak[:, 0] << np.uint64(6)) | weak[:, 1]
    return np.asarray(found[np.argsort(-points.strength, kind="stable")], np.uint64)


def turned(patches: Plane) -> Plane:
    """Each patch in its own orientation: brighter to the right and downwards, most along the rows."""
    right, down = (patches * _RIGHT).sum(axis=(1, 2)), (patches * _DOWN).sum(axis=(1, 2))
    result = np.where((right < 0)[:, None, None], patches[:, :, ::-1], patches)
    result = np.where((down < 0)[:, None, None], result[:, ::-1], result)
    return np.where((np.abs(right) < np.abs(down))[:, None, None], result.transpose(0, 2, 1), result)


def reoriented(patches: Plane, orientation: int) -> Plane:
    """Patches in one of the eight `ORIENTATIONS`."""
    transposed, y, x = ORIENTATIONS[orientation]
    result = patches[:, ::y, ::x]
    return result.transpose(0, 2, 1) if transposed else result
