"""Where one small picture lies in another to a tenth of a pixel: scale, shift and lean, from the pixels themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.keypoints import ORIENTATIONS, Plane, box, sampled, smooth
from auditor.evidence.likeness.voting import SCALES

MIN_OVERLAP = 500
LARGEST_STEP = np.array([0.03, 3, 0.03, 3, 0.03, 0.03])
COARSE_ROUNDS, FINE_ROUNDS = 4, 4
"""Steps on every second pixel of each side, then on all; fewer where they no longer move."""
STILL = 0.02
"""Pixels that a step must move to be followed by another."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Picture b at y = scale_y · Y + shift_y + lean_y · X, x = scale_x · X + shift_x + lean_x · Y shows what a shows at (Y, X)
    after `orientation`. A copy does not lean; a second exposure does.

    `polarity` is −1 where b is an inversion of a.
    """

    orientation: int
    polarity: int
    scale_y: float
    shift_y: float
    scale_x: float
    shift_x: float
    lean_y: float = 0.0
    lean_x: float = 0.0


def oriented(orientation: int, y: Plane, x: Plane) -> tuple[Plane, Plane]:
    """Where offsets of a point in a to in b, without scale and shift."""
    transposed, down, right = ORIENTATIONS[orientation]
    y, x = (x, y) if transposed else (y, x)
    return y * np.float32(down), x * np.float32(right)


def prepared(picture: Plane) -> Plane:
    """Slightly blurred and locally normalised."""
    blurred = smooth(picture, 1.5)
    centred = blurred - box(blurred, 17)
    return np.asarray(centred / (np.sqrt(np.maximum(box(centred * centred, 17), 0)) + np.float32(4)), np.float32)


def layers_of(ready: Plane) -> Plane:
    """A `prepared` picture and its slopes down and to the right; shape (height, width, 3)."""
    return np.dstack([ready, *np.gradient(ready)]).astype(np.float32)


def refined(a: Plane, layers: Plane, start: Registration) -> Registration | None:
    """The same, to a tenth of a pixel: Gauss-Newton with robust weights, so that what is burned into one weighs little.

    Args:
        a: one picture, `prepared`.
        layers: of the other one (`layers_of`).
        start: within some pixels.

    Returns:
        None where hardly anything overlaps, or one had to be stretched too much.
    """
    layers = layers if start.polarity > 0 else -layers
    y, x = grid(a.shape, start.orientation)
    at = np.array([start.scale_y, start.shift_y, start.scale_x, start.shift_x, start.lean_y, start.lean_x])
    for stride, rounds in ((2, COARSE_ROUNDS), (1, FINE_ROUNDS)):
        part = np.s_[::stride, ::stride]
        for _ in range(rounds):
            step = stepped(np.ascontiguousarray(a[part]), layers, y[part], x[part], at, stride)
            if step is None:
                return None
            at = at + step
            if max(abs(step[1]), abs(step[3])) < STILL:
                break
    if not all(SCALES[0] < s < SCALES[1] for s in (at[0], at[2])):
        return None
    scale_y, shift_y, scale_x, shift_x, lean_y, lean_x = (float(value) for value in at)
    return replace(start, scale_y=scale_y, shift_y=shift_y, scale_x=scale_x, shift_x=shift_x, lean_y=lean_y, lean_x=lean_x)


def stepped(
    left: Plane, layers: Plane, y: Plane, x: Plane, at: npt.NDArray[np.float64], stride: int
) -> npt.NDArray[np.float64] | None:
    """One step of Gauss and Newton; None where hardly anything overlaps."""
    scale_y, shift_y, scale_x, shift_x, lean_y, lean_x = (np.float32(value) for value in at)
    to_y, to_x = scale_y * y + shift_y + lean_y * x, scale_x * x + shift_x + lean_x * y
    height, width = layers.shape[:2]
    inside = (to_y >= 1) & (to_y <= height - 2) & (to_x >= 1) & (to_x <= width - 2)
    if int(inside.sum()) * stride * stride < MIN_OVERLAP:
        return None
    there = sampled(layers, to_y, to_x)
    rest = left - there[..., 0]
    weight = inside / (1 + (rest / np.float32(0.7)) ** 2)
    slope_y, slope_x = there[..., 1], there[..., 2]
    jacobian = np.stack([p.ravel() for p in (slope_y * y, slope_y, slope_x * x, slope_x, slope_y * x, slope_x * y)])
    weighted = jacobian * weight.ravel()
    normal = (weighted @ jacobian.T).astype(float) * stride * stride + np.diag([0.1, 1e-3, 0.1, 1e-3, 0.1, 0.1])
    step = np.linalg.solve(normal, (weighted @ rest.ravel()).astype(float) * stride * stride)
    return np.clip(step, -LARGEST_STEP, LARGEST_STEP)


@lru_cache(maxsize=32)
def grid(shape: tuple[int, ...], orientation: int) -> tuple[Plane, Plane]:
    """Every pixel of a picture of this shape, oriented like b; each of that shape, and never written to."""
    y, x = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape), indexing="ij")
    return oriented(orientation, y, x)


def warped(a: Plane, b: Plane, r: Registration) -> tuple[Plane, Flags]:
    """b laid over a (inverted back where it is an inversion), and where there is anything of it; both of the shape of a."""
    y, x = grid(a.shape, r.orientation)
    to_y = (r.scale_y * y + r.shift_y + r.lean_y * x).astype(np.float32)
    to_x = (r.scale_x * x + r.shift_x + r.lean_x * y).astype(np.float32)
    inside = (to_y >= 0) & (to_y <= b.shape[0] - 1) & (to_x >= 0) & (to_x <= b.shape[1] - 1)
    return sampled(b, to_y, to_x) * np.float32(r.polarity), inside
