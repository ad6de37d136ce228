"""Where one small picture lies in another: flips, quarter turns, inversion, scale, shift; from keypoints, then from pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.keypoints import ORIENTATIONS, Keypoints, Plane, box, reoriented, sampled, smooth

MIN_ALIKE = 0.8
"""Correlation of two patches that may be the same place."""
MAX_MATCHES = 400
SEEDS = 24
"""The most alike matches each propose a position; the one that most others agree with is taken."""
MIN_VOTES = 6
"""Keypoints that must agree on one position. The worst true copy tried had 22, two smears of one slide up to 9."""
SCALES = (0.6, 1.7)
MIN_OVERLAP = 500
LARGEST_STEP = np.array([0.03, 3, 0.03, 3, 0.03, 0.03])

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Picture b at y = scale_y · Y + shift_y + lean_y · X, x = scale_x · X + shift_x + lean_x · Y shows what a shows at (Y, X)
    after `orientation`. A copy does not lean; a second exposure does.

    `polarity` is −1 where b is an inversion of a; `votes` counts the keypoints that agree.
    """

    orientation: int
    polarity: int
    scale_y: float
    shift_y: float
    scale_x: float
    shift_x: float
    votes: int
    lean_y: float = 0.0
    lean_x: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Matches:
    orientation: npt.NDArray[np.int64]
    a: npt.NDArray[np.int64]
    b: npt.NDArray[np.int64]
    polarity: Plane
    scale: Plane
    from_y: Plane
    from_x: Plane
    to_y: Plane
    to_x: Plane


def register(a: Keypoints, b: Keypoints) -> Registration | None:
    """Position of b in a from their keypoints, or None where fewer than `MIN_VOTES` agree on one."""
    m = matches(a, b)
    if len(m.a) < MIN_VOTES:
        return None
    seeds = slice(0, min(SEEDS, len(m.a)))
    scale = m.scale[seeds, None]
    error_y = scale * (m.from_y - m.from_y[seeds, None]) + m.to_y[seeds, None] - m.to_y
    error_x = scale * (m.from_x - m.from_x[seeds, None]) + m.to_x[seeds, None] - m.to_x
    # Sizes are known to one step of the ladder, so the allowed error grows with the distance from the seed.
    far = np.hypot(m.from_y - m.from_y[seeds, None], m.from_x - m.from_x[seeds, None])
    agree = (
        (m.orientation == m.orientation[seeds, None])
        & (m.polarity == m.polarity[seeds, None])
        & (np.hypot(error_y, error_x) < 3 + 0.08 * far)
        & (np.abs(np.log(m.scale / scale)) < 0.3)
    )
    votes = [len(np.unique(m.a[row])) for row in agree]
    best = int(np.argmax(votes))
    if votes[best] < MIN_VOTES:
        return None
    same = (m.orientation == m.orientation[best]) & (m.polarity == m.polarity[best])
    return fitted(m, agree[best], same, best)


def matches(a: Keypoints, b: Keypoints) -> _Matches:
    """Pairs of keypoints with patches that are alike in one of the orientations, the most alike first."""
    flat = a.patches.reshape(len(a.patches), -1)
    found: list[tuple[npt.NDArray[np.int64], ...]] = []
    alike: list[Plane] = []
    for orientation in range(len(ORIENTATIONS)):
        likeness = flat @ reoriented(b.patches, orientation).reshape(len(b.patches), -1).T
        i, j = np.nonzero(likeness > MIN_ALIKE)
        found.append((np.full(len(i), orientation, np.int64), i, j))
        alike.append(likeness[i, j])
    order = np.argsort(-np.concatenate(alike), kind="stable")[:MAX_MATCHES]
    orientation_of, i, j = (np.concatenate(column)[order] for column in zip(*found, strict=True))
    y, x = oriented(orientation_of, a.y[i], a.x[i])
    return _Matches(
        orientation=orientation_of, a=i, b=j, polarity=a.polarity[i] * b.polarity[j], scale=b.size[j] / a.size[i],
        from_y=y, from_x=x, to_y=b.y[j], to_x=b.x[j],
    )  # fmt: skip


_TRANSPOSED = np.array([t for t, _, _ in ORIENTATIONS])
_DOWN = np.array([y for _, y, _ in ORIENTATIONS], np.float32)
_RIGHT = np.array([x for _, _, x in ORIENTATIONS], np.float32)


def oriented(orientation: npt.NDArray[np.int64] | int, y: Plane, x: Plane) -> tuple[Plane, Plane]:
    """Where offsets of a point in a to in b, without scale and shift."""
    swap = _TRANSPOSED[orientation]
    return np.where(swap, x, y) * _DOWN[orientation], np.where(swap, y, x) * _RIGHT[orientation]


def fitted(m: _Matches, agree: Flags, same: Flags, best: int) -> Registration | None:
    """Least squares over the matches that agree, twice, the second time over those that then lie within 2.5 pixels."""
    scale_y = scale_x = float(m.scale[best])
    shift_y = shift_x = 0.0
    for _ in range(2):
        scale_y, shift_y = line(m.from_y[agree], m.to_y[agree], scale_y)
        scale_x, shift_x = line(m.from_x[agree], m.to_x[agree], scale_x)
        if not all(SCALES[0] < s < SCALES[1] for s in (scale_y, scale_x)):
            return None
        error = np.hypot(scale_y * m.from_y + shift_y - m.to_y, scale_x * m.from_x + shift_x - m.to_x)
        closer = same & (error < 2.5)
        if len(np.unique(m.a[closer])) < MIN_VOTES:
            return None
        agree = closer
    return Registration(
        orientation=int(m.orientation[best]), polarity=int(m.polarity[best]), scale_y=scale_y, shift_y=shift_y,
        scale_x=scale_x, shift_x=shift_x, votes=len(np.unique(m.a[agree])),
    )  # fmt: skip


def line(u: Plane, v: Plane, slope: float) -> tuple[float, float]:
    """Slope and offset of v over u; the given slope where u hardly varies."""
    du, dv = u - u.mean(dtype=float), v - v.mean(dtype=float)
    if np.ptp(u) >= 8:
        slope = float((du * dv).sum() / (du * du).sum())
    return slope, float(v.mean(dtype=float) - slope * u.mean(dtype=float))


def refined(a: Plane, b: Plane, start: Registration, *, rounds: int = 6) -> Registration | None:
    """The same, to a tenth of a pixel: Gauss-Newton on the locally normalised pictures, with robust weights.

    What is burned into one of them weighs little. None where hardly anything overlaps.
    """
    left = prepared(a)
    right = prepared(b) * np.float32(start.polarity)
    slope_y, slope_x = np.gradient(right)
    y, x = grid(a, start.orientation)
    at = np.array([start.scale_y, start.shift_y, start.scale_x, start.shift_x, 0.0, 0.0])
    for _ in range(rounds):
        to_y = (at[0] * y + at[1] + at[4] * x).astype(np.float32)
        to_x = (at[2] * x + at[3] + at[5] * y).astype(np.float32)
        inside = (to_y >= 1) & (to_y <= b.shape[0] - 2) & (to_x >= 1) & (to_x <= b.shape[1] - 2)
        if int(inside.sum()) < MIN_OVERLAP:
            return None
        to_y, to_x = to_y[inside], to_x[inside]
        rest = left[inside] - sampled(right, to_y, to_x)
        weight = 1 / (1 + (rest / 0.7) ** 2)
        gy, gx = sampled(slope_y, to_y, to_x), sampled(slope_x, to_y, to_x)
        jacobian = np.stack([gy * y[inside], gy, gx * x[inside], gx, gy * x[inside], gx * y[inside]], axis=1)
        weighted = jacobian * weight[:, None]
        normal = (weighted.T @ jacobian).astype(float) + np.diag([0.1, 1e-3, 0.1, 1e-3, 0.1, 0.1])
        step = np.linalg.solve(normal, (weighted.T @ rest).astype(float))
        at = at + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        if max(abs(step[1]), abs(step[3])) < 0.02:
            break
    if not all(SCALES[0] < s < SCALES[1] for s in (at[0], at[2])):
        return None
    return Registration(
        orientation=start.orientation, polarity=start.polarity, scale_y=float(at[0]), shift_y=float(at[1]),
        scale_x=float(at[2]), shift_x=float(at[3]), votes=start.votes, lean_y=float(at[4]), lean_x=float(at[5]),
    )  # fmt: skip


def prepared(picture: Plane) -> Plane:
    """Slightly blurred and locally normalised."""
    blurred = smooth(picture, 1.5)
    centred = blurred - box(blurred, 17)
    return np.asarray(centred / (np.sqrt(np.maximum(box(centred * centred, 17), 0)) + 4), np.float32)


def grid(a: Plane, orientation: int) -> tuple[Plane, Plane]:
    """Every pixel of a, oriented like b; each of the shape of a."""
    y, x = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in a.shape), indexing="ij")
    return oriented(orientation, y, x)


def warped(a: Plane, b: Plane, r: Registration) -> tuple[Plane, Flags]:
    """b laid over a (inverted back where it is an inversion), and where there is anything of it; both of the shape of a."""
    y, x = grid(a, r.orientation)
    to_y = (r.scale_y * y + r.shift_y + r.lean_y * x).astype(np.float32)
    to_x = (r.scale_x * x + r.shift_x + r.lean_x * y).astype(np.float32)
    inside = (to_y >= 0) & (to_y <= b.shape[0] - 1) & (to_x >= 0) & (to_x <= b.shape[1] - 1)
    return sampled(b, to_y, to_x) * np.float32(r.polarity), inside
