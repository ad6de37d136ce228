"""A glance at a pair of pictures: are their middle frequencies alike where one is said to lie in the other?

A picture's glance is the beginning of the cosine transform of the locally normalised picture, in one byte per number. Waves
can be drawn at any place and scale, so a glance is laid over another without warping pixels, many pairs at a time, by three
small matrix products. Radiographs of one view and slices of one organ agree in their outlines and fail here, a hundred times
cheaper than by registration.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.keypoints import box
from auditor.evidence.likeness.voting import DOWN, RIGHT, SWAPPED, Positions

WAVES = 48
"""Waves along each side: the shortest is four pixels of the proof long."""
REACH, FLOOR, MOST = 15, 3.0, 2.0
"""Side of the surroundings that a pixel is normalised by, and grey levels added to their spread; larger values are cut."""
GRID, SQUARE = 28, 4
"""Sampled points along each side of what two pictures have in common, and along each side of a compared square. Of the rows of
squares every second is looked at, none at an edge, where captions stand."""
SHOWS = 0.1
"""Spread of a square, relative to the mean of all, from which it shows something."""
QUARTER = 0.25
MIN_ALIKE = 0.75
"""Lower quartile of the squares' correlations from which a pair is worth a closer look. It leaves 2,048 of 2,050 changed copies
of development images (.80: one less) and 9 of 1,770 pairs of phantoms of different chests, the most alike of strangers."""
FINE = 2048
"""Steps along a side in which places are known."""

Glances = npt.NDArray[np.int8]
Sides = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Waved = npt.NDArray[np.floating]

_ORDER = np.arange(WAVES)
_BOOK = np.cos(np.pi * np.arange(FINE + 1)[:, None] / FINE * _ORDER).astype(np.float32)
_POINTS = (np.arange(GRID) + 0.5) / GRID
_ROWS = _POINTS.reshape(-1, SQUARE)[1::2].ravel()
_SQUARES = (np.kron(np.eye(GRID // SQUARE), np.ones((SQUARE, 1))) / SQUARE).astype(np.float32)
_DAMPED = np.exp(-(_ORDER[:, None] ** 2 + _ORDER[None] ** 2) / WAVES**2).astype(np.float32)


def glance_of(picture: npt.NDArray[np.uint8]) -> Glances:
    """Of a proof; shape (WAVES, WAVES)."""
    centred = picture.astype(np.float32)
    centred = centred - box(centred, REACH)
    spread = np.sqrt(np.maximum(box(centred * centred, REACH), 0))
    values = np.clip(centred / (spread + np.float32(FLOOR)), -MOST, MOST)
    down, right = (_waves(n) for n in values.shape)
    waves = down.T @ values @ right * _DAMPED
    waves[0] *= 0.5
    waves[:, 0] *= 0.5
    return np.asarray(np.rint(waves * (127 / max(float(np.abs(waves).max()), 1e-6))), np.int8)


@lru_cache(maxsize=64)
def _waves(side: int) -> npt.NDArray[np.float32]:
    """The waves at the pixels of a side; shape (side, WAVES)."""
    return np.asarray(_BOOK[np.rint((np.arange(side) + 0.5) * (FINE / side)).astype(np.int64)], np.float32)


def alikeness(a: Glances, b: Glances, shape_a: Sides, shape_b: Sides, at: Positions) -> Floats:
    """Lower quartile of the correlations of the squares that show something in either picture; shape (pairs,).

    Args:
        a, b: the glances of each pair; shape (pairs, WAVES, WAVES).
        shape_a, shape_b: height and width of the proofs; shape (pairs, 2).
        at: where b lies in a.
    """
    swap = SWAPPED[at.orientation]
    first = np.where(swap[:, None, None], a.transpose(0, 2, 1), a).astype(np.float32)
    shape = np.where(swap[:, None], shape_a[:, ::-1], shape_a).astype(np.float64)
    sides_b = shape_b.astype(np.float64)
    here_y, there_y = _in_common(at.scale_y * DOWN[at.orientation], at.shift_y, shape[:, 0], sides_b[:, 0], _ROWS)
    here_x, there_x = _in_common(at.scale_x * RIGHT[at.orientation], at.shift_x, shape[:, 1], sides_b[:, 1], _POINTS)
    left = _BOOK[here_y] @ first @ _BOOK[here_x].transpose(0, 2, 1)
    right = _BOOK[there_y] @ b.astype(np.float32) @ _BOOK[there_x].transpose(0, 2, 1)
    alike, shows = _squares(left, right * at.polarity[:, None, None].astype(np.float32))
    ordered = np.sort(np.where(shows, alike, 2), axis=1)
    place = ((shows.sum(axis=1) - 1) * QUARTER).astype(np.int64)
    return np.asarray(ordered[np.arange(len(ordered)), np.maximum(place, 0)], np.float64)


def _in_common(
    scale: Floats, shift: Floats, length: Floats, length_b: Floats, points: Floats
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Places of what two sides have in common, in a and in b, in steps of a side; shape (pairs, points)."""
    one, other = -shift / scale, (length_b - 1 - shift) / scale
    low, high = np.maximum(np.minimum(one, other), 0), np.minimum(np.maximum(one, other), length - 1)
    here = low[:, None] + (high - low)[:, None] * points
    there = scale[:, None] * here + shift[:, None]
    steps = (np.rint((place + 0.5) * (FINE / side)[:, None]) for place, side in ((here, length), (there, length_b)))
    here_at, there_at = (np.clip(step, 0, FINE).astype(np.int64) for step in steps)
    return here_at, there_at


def _squares(a: Waved, b: Waved) -> tuple[Waved, npt.NDArray[np.bool_]]:
    """Correlation of each square and whether it shows something in either picture; shape (pairs, squares)."""
    down = _SQUARES.T[: len(_ROWS) // SQUARE, : len(_ROWS)]
    x, y, xx, yy, xy = (down @ product @ _SQUARES for product in (a, b, a * a, b * b, a * b))
    spread_x, spread_y = (np.maximum(square - mean * mean, 0) for square, mean in ((xx, x), (yy, y)))
    alike = (xy - x * y) / np.sqrt(spread_x * spread_y + np.float32(1e-9))
    shows = (spread_x > SHOWS * spread_x.mean(axis=(1, 2), keepdims=True)) | (
        spread_y > SHOWS * spread_y.mean(axis=(1, 2), keepdims=True)
    )
    squares = alike.shape[1] * alike.shape[2]
    return alike.reshape(-1, squares), shows.reshape(-1, squares)
