"""Synthetic blood smears: red cells in the stain, size and crowding of their patient; the positive class shows a white cell."""

from __future__ import annotations

import numpy as np

from auditor.degrade.phantom import Plane, blurred, edge

_STAIN, _FIELD = 3, 4  # no stream of random numbers is shared with `auditor.degrade.phantom`


def smear(patient: int, image: int, *, white_cell: bool, seed: int = 0, side: int = 192) -> Plane:
    """A stained blood smear; shape (side, side, 3), RGB, 0–1.

    Args:
        patient: stain, cell size and crowding.
        image: which field of view.
        white_cell: the class: one white cell with a lobed, dark violet nucleus.
        seed: of the whole collection.
        side: pixels along one side.
    """
    own = np.random.default_rng([seed, _STAIN, patient])
    ground = np.array([0.91, 0.87, 0.84]) + own.normal(0, 0.015, 3)
    red = np.array([0.80, 0.52, 0.53]) + own.normal(0, 0.030, 3)
    violet = np.array([0.36, 0.18, 0.50]) + own.normal(0, 0.030, 3)
    size, crowd = own.uniform(0.044, 0.058), int(own.integers(45, 80))
    rng = np.random.default_rng([seed, _FIELD, patient, image])
    axis = (np.arange(side) + 0.5) / side
    y, x = np.meshgrid(axis, axis, indexing="ij")
    shade = 1 + 0.05 * (blurred(rng.standard_normal((side, side)), side / 6) * side / 6)
    picture: Plane = np.tile(ground, (side, side, 1))
    for _ in range(crowd):
        at, radius = rng.uniform(-0.03, 1.03, 2), size * rng.normal(1, 0.07)
        squash, turn = rng.normal(1, 0.06), rng.uniform(0, np.pi)
        window = tuple(slice(max(0, int((c - 1.4 * radius) * side)), max(0, int((c + 1.4 * radius) * side) + 1)) for c in at)
        dy, dx = y[window] - at[0], x[window] - at[1]
        distance = np.hypot((dy * np.cos(turn) + dx * np.sin(turn)) * squash, dx * np.cos(turn) - dy * np.sin(turn)) / radius
        pallor = 0.50 * np.exp(-((distance / 0.48) ** 2))  # the pale centre of a red cell
        rim = 0.10 * np.exp(-(((distance - 0.93) / 0.10) ** 2))
        thickness = (edge(distance - 1, 0.06) * np.clip(0.88 - pallor + rim, 0, 1))[..., None]
        picture[window] *= 1 - thickness * (1 - red / ground)
    if white_cell:
        picture = _white_cell(rng, picture, y, x, size=size, violet=violet)
    grain = blurred(rng.standard_normal(picture.shape), (0.7, 0.7, 0)) * 0.018
    picture = blurred(picture, (0.8, 0.8, 0)) * shade[..., None] + grain
    return np.clip(picture, 0, 1)


def _white_cell(
    rng: np.random.Generator,
    picture: Plane,
    y: Plane,
    x: Plane,
    *,
    size: float,
    violet: Plane,
) -> Plane:
    """Paint one white cell over the field: pale granular plasma, a nucleus of two to four lobes."""
    at, radius = rng.uniform(0.2, 0.8, 2), size * rng.uniform(1.6, 2.1)
    plasma = edge(np.hypot(y - at[0], x - at[1]) / radius - 1, 0.05)[..., None] * 0.85
    picture = picture * (1 - plasma) + np.array([0.78, 0.68, 0.82]) * plasma
    lobes = np.zeros_like(y)
    for angle in rng.uniform(0, 2 * np.pi) + np.arange(rng.integers(2, 5)) * 1.5:
        centre = at + 0.42 * radius * np.array([np.sin(angle), np.cos(angle)])
        lobes = np.maximum(lobes, edge(np.hypot(y - centre[0], x - centre[1]) / (0.44 * radius) - 1, 0.07))
    texture = 1 + 0.25 * blurred(rng.standard_normal(y.shape), 1.2)
    nucleus = lobes[..., None] * 0.92
    return picture * (1 - nucleus) + violet * texture[..., None] * nucleus
