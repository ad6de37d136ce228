"""Synthetic chest radiographs that look real, with one anatomy per patient. (Blood smears: `auditor.degrade.smear`.)

Two images of one patient share the anatomy and differ in posture, breath, exposure and noise: as in life, soft tissue never
lies quite the same twice, so no two exposures fit onto each other. Images of two patients differ in all of it. The positive
class shows what a reader would see, a cloudy opacity in one lung. How plain it is varies, so that a linear model on
thumbnails is right in about 95 % of the images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Plane = npt.NDArray[np.float64]

_CHEST, _EXPOSURE, _OPACITY, _POSTURE = range(4)  # so that no two purposes ever share a random stream


@dataclass(frozen=True, kw_only=True)
class Chest:
    """One patient's anatomy. Lengths are fractions of the image side, x to the image's right, y down."""

    body: float
    lung_width: float
    lung_top: float
    dome: tuple[float, float]
    heart: tuple[float, float, float]
    rib_gap: float
    rib_bow: float
    rib_tilt: float
    rib_strength: float
    clavicle: float
    spine: float
    texture: int


def chest_of(patient: int, *, seed: int = 0) -> Chest:
    """The anatomy of a patient: same number and seed, same chest."""
    rng = np.random.default_rng([seed, _CHEST, patient])
    return Chest(
        body=rng.uniform(0.41, 0.49),
        lung_width=rng.uniform(0.150, 0.180),
        lung_top=rng.uniform(0.13, 0.19),
        dome=(rng.uniform(0.70, 0.77), rng.uniform(0.73, 0.81)),
        heart=(rng.uniform(0.050, 0.085), rng.uniform(0.600, 0.650), rng.uniform(0.115, 0.165)),
        rib_gap=rng.uniform(0.066, 0.084),
        rib_bow=rng.uniform(0.9, 1.6),
        rib_tilt=rng.uniform(0.02, 0.20),
        rib_strength=rng.uniform(0.055, 0.100),
        clavicle=rng.uniform(0.15, 0.20),
        spine=rng.uniform(0.045, 0.060),
        texture=int(rng.integers(2**31)),
    )


def radiograph(patient: int, image: int, *, opacity: bool, seed: int = 0, side: int = 224) -> Plane:
    """A frontal chest radiograph, bright = dense; shape (side, side), 0–1.

    Args:
        patient: which anatomy.
        image: which exposure: pose, breath, exposure, noise, where the opacity lies and how dense it is.
        opacity: the class: a cloudy consolidation in one lung.
        seed: of the whole collection.
        side: pixels along one side.
    """
    chest = chest_of(patient, seed=seed)
    rng = np.random.default_rng([seed, _EXPOSURE, patient, image])
    pose = Pose(turn=rng.normal(0, 0.018), scale=rng.normal(1.0, 0.020), down=rng.normal(0, 0.009), right=rng.normal(0, 0.009))
    y, x = _coordinates(pose, side)
    lungs = _lungs(chest, y, x, breath=rng.normal(0, 0.012))
    ribs, vessels = _ribs(chest, y, x), _vessels(chest, pose, side)
    if opacity:
        cloud = _cloud(np.random.default_rng([seed, _OPACITY, patient, image]), y, x)
        vessels = cloud + vessels * (1 - np.clip(3.0 * cloud, 0, 0.75))  # fluid in the air spaces hides the vessels
    inside = 0.17 + ribs + vessels
    picture = _body(chest, y, x) * (1 - lungs) + inside * lungs
    picture = np.maximum(picture, _heart(chest, y, x) * 0.64)
    picture = _settled(np.random.default_rng([seed, _POSTURE, patient, image]), picture + _bones(chest, y, x))
    return _exposed(rng, picture, side)


@dataclass(frozen=True, kw_only=True)
class Pose:
    """How the patient stood: a turn in radians, a scale, and shifts in fractions of the side."""

    turn: float
    scale: float
    down: float
    right: float


def _coordinates(pose: Pose, side: int) -> tuple[Plane, Plane]:
    """Where in the patient (y, x) each pixel lies."""
    axis = (np.arange(side) + 0.5) / side - 0.5
    y, x = np.meshgrid(axis, axis, indexing="ij")
    cos, sin = np.cos(pose.turn) * pose.scale, np.sin(pose.turn) * pose.scale
    return y * cos + x * sin + 0.5 + pose.down, x * cos - y * sin + pose.right


def blurred(plane: Plane, width: float | tuple[float, ...]) -> Plane:
    """A Gaussian blur; `width` in pixels."""
    blurred: Plane = ndimage.gaussian_filter(plane, width)
    return blurred


def edge(distance: Plane, width: float) -> Plane:
    """1 inside (negative distance), 0 outside, with a soft border."""
    return 1.0 / (1.0 + np.exp(np.clip(distance / width, -30, 30)))


def _plateau(distance: Plane) -> Plane:
    """exp(−d⁴): 1 within, 0 beyond, one unit of distance to each side."""
    square = distance * distance
    return np.exp(-square * square)


def _body(chest: Chest, y: Plane, x: Plane) -> Plane:
    """Soft tissue: the trunk, broad shoulders and the neck; denser where there is more of it."""
    across = np.abs(x)
    shoulder = 0.05 + 0.62 * np.clip(across - 0.10, 0, None) ** 1.25
    trunk = edge(across - chest.body - 0.10 * np.clip(0.45 - y, 0, None), 0.010) * edge(shoulder - y, 0.012)
    neck = edge(across - 0.105 - 0.05 * y, 0.012)
    tissue = np.maximum(trunk, neck)
    belly = 0.13 * edge(0.80 - y, 0.05)
    return tissue * (0.47 + belly + 0.10 * np.exp(-((across / 0.16) ** 2)))


def _lungs(chest: Chest, y: Plane, x: Plane, *, breath: float) -> Plane:
    """The two air-filled fields: narrow at the apex, cut off by the dome of the diaphragm."""
    fields = np.zeros_like(x)
    for sign, dome in zip((-1.0, 1.0), chest.dome, strict=True):
        centre = sign * (0.075 + chest.lung_width)
        height = np.clip((y - chest.lung_top) / (0.80 - chest.lung_top), 0, 1)
        width = chest.lung_width * (0.50 + 0.62 * np.sqrt(height)) * (1 - 0.10 * height**4)
        drift = sign * 0.035 * (height - 0.55)
        side_edge = edge(np.abs(x - centre - drift) - width, 0.010)
        apex = edge(np.hypot((x - centre) / 0.95, np.minimum(y - chest.lung_top - 0.13, 0)) - 0.13 - 0.25 * height, 0.012)
        floor = dome + breath + 1.5 * (x - centre + sign * 0.03) ** 2 + 0.10 * np.clip(sign * (x - centre), 0, None)
        fields += side_edge * apex * edge(y - floor, 0.008)
    return np.clip(fields, 0, 1)


def _heart(chest: Chest, y: Plane, x: Plane) -> Plane:
    """Heart, aortic arch and the upper mediastinum."""
    shift, level, radius = chest.heart
    down, right = y - level, x - shift
    along, aside = 0.62 * down + 0.78 * right, 0.78 * down - 0.62 * right  # the apex points down and to the image's right
    heart = edge(np.hypot(along / 1.22, aside / 0.88) - radius, 0.014)
    atrium = edge(np.hypot((x - shift + 0.075) / 0.80, y - level + 0.005) - 0.78 * radius, 0.014)
    arch = edge(np.hypot(x - 0.036, y - 0.35) - 0.047, 0.012)
    trunk = edge(np.hypot((x - 0.046) / 0.9, (y - 0.455) / 1.5) - 0.045, 0.014)
    stem = edge(np.abs(x - 0.004) - 0.050 - 0.03 * np.clip(y - 0.4, 0, 1), 0.010) * edge(0.12 - y, 0.03)
    shadow: Plane = np.max([heart, 0.97 * atrium, 0.88 * arch, 0.88 * trunk, 0.90 * stem], axis=0)
    return shadow


def _ribs(chest: Chest, y: Plane, x: Plane) -> Plane:
    """Nine pairs of ribs: arcs from the spine, rising then falling to the side, with a brighter lower border."""
    across = np.abs(x)
    path = -0.35 * chest.rib_tilt * across + chest.rib_bow * np.clip(across - 0.09, 0, None) ** 2
    along = (y - chest.lung_top - path) / chest.rib_gap
    along = along * (1 - 0.012 * along)  # the gaps widen downwards
    phase = along - np.floor(along)
    band = np.exp(-(((phase - 0.45) / 0.20) ** 2)) + 0.55 * np.exp(-(((phase - 0.66) / 0.055) ** 2))
    front = (y - chest.lung_top - 0.06 + 0.9 * (across - 0.14)) / (1.45 * chest.rib_gap)  # the anterior ends, fainter
    crossing = np.exp(-(((front - np.floor(front) - 0.5) / 0.24) ** 2)) * edge(0.13 - across, 0.03)
    return chest.rib_strength * (band + 0.45 * crossing)


def _vessels(chest: Chest, pose: Pose, side: int) -> Plane:
    """Markings that branch out from the two hila, thinner and fainter towards the border."""
    rng = np.random.default_rng(chest.texture)
    steps = np.arange(1, 25) / 24
    picture = np.zeros((side, side))
    at, heading, length = [], [], []
    for sign in (-1.0, 1.0):
        count = 9
        heading.append(np.where(sign > 0, 0, np.pi) + np.linspace(-1.25, 1.35, count) * sign + rng.normal(0, 0.12, count))
        at.append(np.stack([rng.normal(0.45, 0.022, count), sign * rng.normal(0.092, 0.006, count)], axis=1))
        length.append(rng.uniform(0.055, 0.095, count))
    start, angle, reach = np.concatenate(at), np.concatenate(heading), np.concatenate(length)
    for order in range(5):
        bend = angle[:, None] + rng.normal(0, 0.45, (len(angle), 1)) * steps
        stride = reach[:, None] / len(steps)
        path_y = start[:, :1] + np.cumsum(np.sin(bend) * stride, axis=1)
        path_x = start[:, 1:] + np.cumsum(np.cos(bend) * stride, axis=1)
        picture += _stroke(path_y, path_x, pose, side, width=0.0062 * 0.80**order) * 0.105 * 0.82**order
        start = np.repeat(np.stack([path_y[:, -1], path_x[:, -1]], axis=1), 2, axis=0)
        fork = np.tile([-1.0, 1.0], len(angle)) * rng.uniform(0.15, 0.60, 2 * len(angle))
        angle = np.repeat(bend[:, -1], 2) + fork
        reach = np.repeat(reach, 2) * rng.uniform(0.62, 0.92, 2 * len(reach))
    return np.minimum(picture, 0.26)


def _stroke(path_y: npt.NDArray[np.float64], path_x: npt.NDArray[np.float64], pose: Pose, side: int, *, width: float) -> Plane:
    """Points of paths drawn with a soft brush of `width`; about 1 on a line, more where lines cross."""
    cos, sin = np.cos(pose.turn) / pose.scale, np.sin(pose.turn) / pose.scale
    down, right = path_y - 0.5 - pose.down, path_x - pose.right  # the inverse of `_coordinates`
    row, column = (down * cos - right * sin + 0.5) * side, (right * cos + down * sin + 0.5) * side
    inside = (row >= 0) & (row < side) & (column >= 0) & (column < side)
    hits = np.bincount(row[inside].astype(int) * side + column[inside].astype(int), minlength=side * side)
    line = blurred(np.minimum(hits, 1.0).reshape(side, side), width * side)
    return np.minimum(line * (2.0 * width * side), 1.5)


def _bones(chest: Chest, y: Plane, x: Plane) -> Plane:
    """What lies over everything: spine, clavicles, shoulder blades, the air in the windpipe."""
    across = np.abs(x)
    spine = _plateau(x / chest.spine) * (0.070 + 0.030 * np.sin(2 * np.pi * y / 0.062))
    line = chest.clavicle - 0.30 * (across - 0.03) + 0.50 * (across - 0.18) ** 2
    clavicle = 0.13 * _plateau((y - line) / 0.015) * edge(0.035 - across, 0.01) * edge(across - 0.33, 0.02)
    blade = 0.07 * edge(np.abs(across - 0.395 - 0.12 * (y - 0.3)) - 0.030, 0.012) * edge(np.abs(y - 0.30) - 0.15, 0.03)
    windpipe = -0.13 * _plateau((x + 0.004) / 0.021) * edge(y - 0.34, 0.02)
    return spine + clavicle + blade + windpipe


def _cloud(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    """A consolidation: a few overlapping blobs with soft, uneven borders; lower fields more often."""
    sign = rng.choice((-1.0, 1.0))
    centre = (rng.normal(0.575, 0.060), sign * rng.normal(0.235, 0.022))
    size = rng.uniform(0.080, 0.125)
    cloud: Plane = 0.32 * np.exp(-((np.hypot((y - centre[0]) / 1.5, x - centre[1]) / (1.6 * size)) ** 2))  # a haze around it
    for _ in range(7):
        at = (centre[0] + rng.normal(0, 0.5 * size), centre[1] + rng.normal(0, 0.4 * size))
        radius = size * rng.uniform(0.45, 0.85)
        cloud += np.exp(-((np.hypot(y - at[0], x - at[1]) / radius) ** 2.4)) * rng.uniform(0.5, 1.0)
    rough = blurred(rng.standard_normal(x.shape), x.shape[0] / 60)
    rough = rough / np.std(rough)
    return rng.uniform(0.18, 0.30) * np.clip(cloud, 0, 1.1) * (1 + 0.13 * rough)


def _settled(rng: np.random.Generator, picture: Plane, *, reach: float = 0.018, waves: int = 4) -> Plane:
    """The body bent a little, smoothly, another way in every exposure: by up to about `reach` of the side."""
    side = picture.shape[0]
    axis = np.arange(side) / side
    y, x = np.meshgrid(axis, axis, indexing="ij")
    moved = []
    for plane in (y, x):
        field = np.zeros_like(plane)
        for down in range(waves):
            for right in range(waves):
                strength = rng.normal() / (1 + down * down + right * right)
                field += strength * np.cos(np.pi * (down * y + right * x) + rng.uniform(0, 2 * np.pi))
        moved.append((plane + reach * field / max(1e-9, float(np.abs(field).max()))) * side)
    bent: Plane = ndimage.map_coordinates(picture, moved, order=1, mode="nearest")
    return bent


def _exposed(rng: np.random.Generator, picture: Plane, side: int) -> Plane:
    """What the machine makes of it: blur, uneven field, gain, quantum noise, the collimator's edge and the side marker."""
    picture = blurred(picture, 0.0035 * side)
    axis = np.linspace(-1, 1, side)
    picture = picture * (1 + rng.normal(0, 0.03) * axis[None, :] + rng.normal(0, 0.03) * axis[:, None])
    picture = np.clip(picture * rng.normal(1.12, 0.035) + rng.normal(0.035, 0.012), 0, None)
    grain = blurred(rng.standard_normal((side, side)), 0.5) * 2.0
    picture = picture + grain * 0.0085 * np.sqrt(picture + 0.05)
    edge = max(1, round(side * abs(rng.normal(0.0, 0.010))))
    picture[:edge] = picture[-edge:] = 0.01
    glyph = np.array([[1, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 0], [1, 0, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1]])
    mark = np.kron(glyph, np.ones((max(1, side // 90),) * 2)) > 0
    top, left = round(side * rng.uniform(0.05, 0.09)), round(side * rng.uniform(0.04, 0.08))
    picture[top : top + mark.shape[0], left : left + mark.shape[1]][mark] = 0.97
    return np.clip(picture, 0, 1)
