"""Heads made in code: cranium, jaw, neck, nose, brows, eye sockets, skull, airways; whole and defaced in several ways.

Sizes follow adult anthropometry (Farkas 1994) and vary with the seed. No real head was used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Volume = npt.NDArray[np.float32]

DEFACED = ("zeroed", "sheared", "blurred", "stripped")
OTHERS = ("abdomen", "thorax", "knee", "ball", "cylinder", "neck", "foot")


@dataclass(frozen=True, kw_only=True)
class Head:
    """Millimetres; x to the left, y to the back, z to the head, the centre of the cranium at 0."""

    size: float
    wide: float
    long: float
    nose: float
    nose_wide: float
    socket: float
    brow: float
    chin: float
    lean: tuple[float, float, float]


def head_of(seed: int, *, child: bool = False) -> Head:
    """One person."""
    rng = np.random.default_rng([seed, 77])
    return Head(
        size=rng.uniform(0.75, 0.85) if child else rng.uniform(0.93, 1.08),
        wide=rng.uniform(70, 80),
        long=rng.uniform(90, 102),
        nose=rng.uniform(11, 16) if child else rng.uniform(16, 24),
        nose_wide=rng.uniform(14, 19),
        socket=rng.uniform(7, 13),
        brow=rng.uniform(1, 5),
        chin=rng.uniform(2, 8),
        lean=(rng.uniform(-12, 12), rng.uniform(-8, 8), rng.uniform(-15, 10)),
    )


def grid(
    spacing: tuple[float, float, float], field: tuple[float, float, float], centre: tuple[float, float, float]
) -> list[Volume]:
    """z, y, x of every voxel, arrays (z, y, x); z rises to the head, y to the back, x to the left."""
    axes = [
        (np.arange(round(f / s)) - (round(f / s) - 1) / 2).astype(np.float32) * s + c
        for s, f, c in zip(spacing, field, centre, strict=True)
    ]
    return list(np.meshgrid(*axes, indexing="ij"))


def turned(places: list[Volume], lean: tuple[float, float, float]) -> list[Volume]:
    """Places in the frame of a head that is turned by degrees about z (yaw), y (roll), x (nod)."""
    z, y, x = places
    for (a, b), degrees in zip(((0, 1), (0, 2), (1, 2)), lean, strict=True):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        now = [x, y, z]
        now[a], now[b] = c * now[a] - s * now[b], s * now[a] + c * now[b]
        x, y, z = now
    return [z, y, x]


def _bell(value: Volume, width: float) -> Volume:
    return np.exp(-0.5 * (value / width) ** 2).astype(np.float32)


def _half(x: Volume, z: Volume, part: tuple[float, float, float, float, float]) -> tuple[Volume, Volume]:
    """Front and back of an ellipsoid (centre y, z; semi-axes x, y, z), ±inf beside it."""
    cy, cz, a, b, c = part
    inside = 1 - (x / a) ** 2 - ((z - cz) / c) ** 2
    root = np.where(inside > 0, b * np.sqrt(np.maximum(inside, 0)), -np.inf)
    return cy - root, cy + root


def surfaces(head: Head, x: Volume, z: Volume) -> tuple[Volume, Volume, Volume]:
    """Front with a face, front without its features, and back, y over (z, x)."""
    wide, long = head.wide, head.long
    front, back = _half(x, z, (0, 0, wide, long, 88))
    jaw, behind = _half(x, z, (-32, -55, 60, 58, 80))
    smooth, rear = np.minimum(front, jaw), np.maximum(back, behind)
    column = (np.abs(x) < 56) & (z < -60)
    neck = 52 * np.sqrt(np.maximum(0, 1 - (x / 56) ** 2))
    smooth = np.where(column, np.minimum(smooth, 18 - neck), smooth)
    rear = np.where(column, np.maximum(rear, 18 + neck), rear)
    # the nose: from the root (−8) to the tip (−52), wider below
    along = np.clip((-8 - z) / 44, 0, 1)
    below = np.clip((-52 - z) / 8, 0, 1)
    height = head.nose * (0.25 * (along > 0) + 0.75 * along) * (1 - below)
    nose = height * _bell(x, head.nose_wide * (0.35 + 0.35 * along))
    nose = ndimage.gaussian_filter(nose, 0.5)
    sockets = head.socket * (_bell(np.abs(x) - 31, 11) * _bell(z + 14, 9))
    brow = head.brow * _bell(z - 6, 6) * (np.abs(x) < 48)
    lips = 4 * _bell(z + 78, 7) * _bell(x, 18)
    chin = head.chin * _bell(z + 112, 9) * _bell(x, 16)
    face = np.where(np.isfinite(smooth), smooth - nose + sockets - brow - lips - chin, smooth)
    return face, smooth, rear


def render(
    seed: int,
    kind: str = "whole",
    *,
    modality: str = "CT",
    spacing: tuple[float, float, float] = (2, 2, 2),
    child: bool = False,
    field: tuple[float, float, float] = (260, 260, 200),
    centre: tuple[float, float, float] = (-25, 0, 0),
    lean: bool = True,
    noise: float = 0.03,
) -> Volume:
    """A volume (z, y, x), z rising to the head, y to the back, x to the left, in HU or arbitrary MR units."""
    rng = np.random.default_rng([seed, 5])
    places = grid(spacing, field, centre)
    if kind in OTHERS:
        tissue = _other(kind, places, rng)
    else:
        head = head_of(seed, child=child)
        z, y, x = turned(places, head.lean) if lean else places
        tissue = _tissue(head, kind, z / head.size, y / head.size, x / head.size)
    return _shown(tissue, kind, modality, rng, noise, spacing, places)


AIR, SOFT, FAT, BONE, BRAIN = range(5)


def _tissue(head: Head, kind: str, z: Volume, y: Volume, x: Volume) -> npt.NDArray[np.int8]:
    face, smooth, rear = surfaces(head, x, z)
    if kind == "stripped":
        brain = (x / (head.wide - 12)) ** 2 + (y / (head.long - 12)) ** 2 + ((z - 5) / 70) ** 2 < 1
        fissure = (np.abs(x) < 2) & (y < -0.6 * head.long)
        return np.where(brain & ~fissure, BRAIN, AIR).astype(np.int8)
    body = (y > face) & (y < rear)
    inner = (x / (head.wide - 7)) ** 2 + (y / (head.long - 7)) ** 2 + (z / 81) ** 2
    tissue = np.where(body, SOFT, AIR).astype(np.int8)
    tissue[body & (inner < 1.25) & (inner > 1.0) & (z > -60)] = FAT
    tissue[body & (inner < 1) & (z > -60)] = BONE
    tissue[body & ((x / (head.wide - 13)) ** 2 + (y / (head.long - 13)) ** 2 + (z / 75) ** 2 < 1) & (z > -55)] = BRAIN
    tissue[body & (y < face + 5)] = SOFT
    # airways: maxillary sinuses, nasal cavity, mouth and pharynx
    ahead = y - smooth
    airway = (((np.abs(x) - 26) / 13) ** 2 + ((ahead - 26) / 15) ** 2 + ((z + 42) / 16) ** 2 < 1) | (
        (np.abs(x) < 9) & (ahead > 2) & (ahead < 60) & (z < -28) & (z > -58)
    )
    airway |= (np.abs(x) < 18) & (ahead > 12) & (ahead < 60) & (z < -70) & (z > -78)
    airway |= (np.abs(x) < 9) & (ahead > 55) & (ahead < 72) & (z < -40)
    tissue[body & airway] = AIR
    if kind == "zeroed":
        # pydeface and its kin: a mask over the face, from brow to chin
        mask = (y < smooth + 32) & (z < 8) & (z > -125) & (np.abs(x) < 62)
        tissue[mask] = -1
    elif kind == "sheared":
        # quickshear: all in front of a plane from the brow to the back of the jaw
        tissue[(y + 0.55 * z < -(head.long - 20)) & (z < 20)] = -1
        tissue[(y < -(head.long - 20) - 0.55 * z) & (z < 20)] = -1
    return tissue


def _other(kind: str, places: list[Volume], rng: np.random.Generator) -> npt.NDArray[np.int8]:
    z, y, x = places
    size = rng.uniform(0.9, 1.1)
    if kind in ("abdomen", "thorax"):
        body = (x / (165 * size)) ** 2 + (y / (115 * size)) ** 2 < 1
        tissue = np.where(body, SOFT, AIR).astype(np.int8)
        if kind == "thorax":
            lungs = ((np.abs(x) - 75) / (55 * size)) ** 2 + (y / (80 * size)) ** 2 < 1
            tissue[lungs & body] = AIR
        return tissue
    if kind == "knee":
        limb = np.hypot(x, y) < 62 * size - 0.05 * np.abs(z)
        cap = (x / 22) ** 2 + ((y + 62 * size) / 9) ** 2 + (z / 25) ** 2 < 1
        bone = np.hypot(x, y) < 28
        return np.where(bone, BONE, np.where(limb | cap, SOFT, AIR)).astype(np.int8)
    if kind == "ball":
        return np.where(np.sqrt(x**2 + y**2 + (z - places[0].mean()) ** 2) < 88 * size, SOFT, AIR).astype(np.int8)
    if kind == "cylinder":
        inside = (np.hypot(x, y) < 95 * size) & (np.abs(z - places[0].mean()) < 90)
        return np.where(inside, SOFT, AIR).astype(np.int8)
    if kind == "neck":
        return np.where(np.hypot(x, y) < 58 * size, SOFT, AIR).astype(np.int8)
    toes = (np.abs(x) < 45) & (np.abs(y) < 120 * size) & (z < -40) & (z > -100) | (np.hypot(x, y - 60) < 45) & (z >= -40)
    return np.where(toes, SOFT, AIR).astype(np.int8)


VALUES = {
    "CT": {AIR: -1000.0, SOFT: 40.0, FAT: -90.0, BONE: 900.0, BRAIN: 35.0, -1: -1000.0},
    "T1": {AIR: 0.0, SOFT: 500.0, FAT: 1000.0, BONE: 60.0, BRAIN: 650.0, -1: 0.0},
    "T2": {AIR: 0.0, SOFT: 350.0, FAT: 700.0, BONE: 50.0, BRAIN: 600.0, -1: 0.0},
}


def _shown(
    tissue: npt.NDArray[np.int8],
    kind: str,
    modality: str,
    rng: np.random.Generator,
    noise: float,
    spacing: tuple[float, float, float],
    places: list[Volume],
) -> Volume:
    values = np.zeros(tissue.shape, np.float32)
    for code, value in VALUES[modality].items():
        values[tissue == code] = value
    values = ndimage.gaussian_filter(values, [0.7 / s for s in spacing])
    if modality == "CT":
        values += rng.normal(0, 20 + 600 * noise, values.shape).astype(np.float32)
    else:
        lean = np.linspace(0.75, 1.25, values.shape[1], dtype=np.float32)[:: rng.choice([-1, 1])]
        values = values * lean[None, :, None]
        sigma = 1000 * noise
        real, imaginary = rng.normal(0, sigma, (2, *values.shape)).astype(np.float32)
        values = np.hypot(values + real, imaginary)
    if kind == "blurred":
        z, y, _ = places
        soft = ndimage.gaussian_filter(values, [11 / s for s in spacing])
        # blended in, as the tools do it
        share = np.clip((-15 - y) / 20, 0, 1) * np.clip((35 - z) / 20, 0, 1) * np.clip((z + 160) / 20, 0, 1)
        values = share * soft + (1 - share) * values
    # what was taken away is one value, without noise
    values[tissue == -1] = VALUES[modality][AIR]
    return values
