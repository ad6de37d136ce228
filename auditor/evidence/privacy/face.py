"""Is there a face on the front of a head? A nose and two eye sockets, measured on the skin's surface.

The nose is the one ridge in the middle of the front that stands out from the cheeks on both sides; the eye sockets are
hollows beside its upper part that lie behind brow and cheek. Cutting, shaving, blurring and stripping take both away.
Lengths are millimetres, and are looked for in proportion to the head's length (front to back, 195 mm in adults): Farkas,
Anthropometry of the Head and Face, 1994 (nose 20 mm in front of the cheeks, 50 mm high).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from auditor.evidence.privacy.front import STEP, Front, front_of, is_volume, line_of
from auditor.evidence.privacy.skin import Floats
from auditor.values.image import Header, Pixels

Grid = npt.NDArray[np.float64]
State = Literal["no head", "cannot tell", "seen"]
STATES: tuple[State, ...] = ("no head", "cannot tell", "seen")

ADULT = 195.0
LENGTH = (120.0, 250.0)
WIDTH = (90.0, 215.0)
LONGER = (0.85, 1.75)
"""Length over width of a head."""
DEEP = -1e4

LITTLE, SIZE, SHAPE, TOP, EDGE, ABOVE, AIR = REASONS = (
    "too little of a body is in the picture",
    "the body has not the size of a head",
    "the body has not the shape of a head",
    "the top of the body is not in the picture",
    "the front is cut off by the edge of the picture",
    "the picture ends above the nose",
    "no body stands out from air",
)


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the front of one body shows.

    Args:
        state: `seen` where the place of a face lies within the picture, whatever is left there; with a reason, a part of it.
        nose: how far the ridge in the middle stands out beyond what a smooth head has there; in proportion to an adult's head.
        blur: width of the edge between air and skin around the nose.
        sockets: depth of the shallower one of two hollows beside it; negative: bulging, as a smooth head is.
        reason: why nothing, or no more, can be told; one of `REASONS`.
    """

    state: State
    nose: float = 0.0
    sockets: float = 0.0
    blur: float = 0.0
    reason: str = ""


def face_facts(header: Header, pixels: Pixels) -> Floats:
    """What the pass keeps of one file: of a volume five numbers (`packed`), of a slice its line (`front.line_of`).

    Nothing of a volume that is kept shows the face.
    """
    if not is_volume(header):
        return line_of(header, pixels)
    # which way the frames of a DICOM object are stacked is said frame by frame only: both are looked at
    ways = (False, True) if header.format == "dicom" else (False,)
    fronts = [front_of(header, pixels, reverse=way) for way in ways]
    looks = [Look(state="no head", reason=AIR) if front is None else look(front) for front in fronts]
    return packed(max(looks, key=lambda seen: (STATES.index(seen.state), seen.nose)))


def packed(seen: Look) -> Floats:
    """As numbers; shape (5,)."""
    reason = REASONS.index(seen.reason) if seen.reason else -1
    return np.array([STATES.index(seen.state), seen.nose, seen.sockets, seen.blur, reason], np.float32)


def unpacked(numbers: Floats) -> Look:
    """From the numbers of `packed`."""
    state, nose, sockets, blur, reason = numbers.tolist()
    said = "" if reason < 0 else REASONS[int(reason)]
    return Look(state=STATES[int(state)], nose=nose, sockets=sockets, blur=blur, reason=said)


def look(front: Front) -> Look:
    """Look for a face."""
    depth = front.depth
    wide = np.isfinite(depth).sum(axis=1) * STEP
    filled = np.flatnonzero(wide >= 30)
    if len(filled) * STEP < 50:
        return Look(state="no head", reason=LITTLE)
    top = int(filled[-1])
    upper = filled[filled > top - 130 / STEP]
    width = float(np.nanmax(wide[upper]))
    # the rows of the first half must widen towards it: a trunk is as wide at its first slice
    closed = top < len(wide) - 1 or float(wide[top]) < 0.7 * width
    with np.errstate(invalid="ignore"):
        lengths = np.array([np.nanmax(depth[row]) - front.back[row] for row in upper])
    length = float(np.nanpercentile(lengths, 90))
    if not WIDTH[0] <= width <= WIDTH[1] or not LENGTH[0] <= length <= LENGTH[1]:
        return Look(state="no head", reason=SIZE)
    if not LONGER[0] <= length / width <= LONGER[1]:
        return Look(state="no head", reason=SHAPE)
    if not closed:
        return Look(state="cannot tell", reason=TOP)
    low, high = top - round(0.9 * length / STEP), top - round(0.3 * length / STEP)
    if high <= max(low, 0):
        return Look(state="cannot tell", reason=ABOVE)
    if front.cut[max(low, 0) : high].mean() > 0.2:
        return Look(state="cannot tell", reason=EDGE)
    nose, place = _nose(depth, rows=(max(low, 0), high), length=length)
    sockets = _sockets(depth, place, length) if place is not None else DEEP
    return Look(
        state="seen",
        nose=nose * ADULT / length,
        sockets=max(sockets, -50.0) * ADULT / length,
        blur=_edge(front.blur, place, length) if place is not None else 0.0,
        reason=ABOVE if top - round(0.7 * length / STEP) < 0 else "",
    )


def _nose(depth: Grid, *, rows: tuple[int, int], length: float) -> tuple[float, tuple[int, int] | None]:
    """How far the ridge stands out, and where its tip is (row, column)."""
    from scipy import ndimage  # slow to import, and few files show a head

    arm = max(2, round(0.123 * length / STEP))
    solid = np.isfinite(depth)
    filled = np.where(solid, depth, DEEP)
    # Cavities that a cut has opened (sinuses, mouth) would make a ridge of what lies between them: hollows are filled first.
    filled = ndimage.grey_closing(filled, size=(1, 2 * (3 * arm // 4) + 1))
    filled = ndimage.grey_closing(filled, size=(2 * (2 * arm // 3) + 1, 1))
    smooth = ndimage.gaussian_filter(np.where(filled > DEEP / 2, filled, np.nan), (0.7, 0.0))
    ridge = np.full(depth.shape, np.nan)
    left, right, centre = smooth[:, : -2 * arm], smooth[:, 2 * arm :], smooth[:, arm:-arm]
    # A nose falls off at both sides; the slanting edge of a hole, at one.
    ridge[:, arm:-arm] = np.minimum(centre - (left + right) / 2, 2.5 * (centre - np.maximum(left, right)))
    columns = np.arange(depth.shape[1])
    lowest, highest = np.argmax(solid, axis=1), len(columns) - 1 - np.argmax(solid[:, ::-1], axis=1)
    middle, half = (lowest + highest) / 2, np.maximum((highest - lowest + 1) / 2, 1.0)
    ridge -= _bulge((columns - middle[:, None]) / half[:, None], arm / half[:, None], length / 2)
    part = ridge[rows[0] : rows[1]]
    if not np.isfinite(part).any():
        return 0.0, None
    axis = float(np.median(middle[rows[0] : rows[1]][solid[rows[0] : rows[1]].any(axis=1)]))
    near = np.abs(columns - axis) <= 0.2 * length / STEP
    ahead = smooth[rows[0] : rows[1]]
    middles = smooth[rows[0] : rows[1] + round(0.2 * length / STEP), near]
    foremost = float(np.max(middles, initial=DEEP, where=np.isfinite(middles)))
    heights = np.full(len(part), np.nan)
    places = np.zeros(len(part), np.int64)
    for row, values in enumerate(part):
        inside = np.where(near & np.isfinite(values), values, -np.inf)
        best = int(np.argmax(inside))
        # a nose is about as far in front as the forehead: what a cut has left of the jaw lies far behind
        if not np.isfinite(inside[best]) or ahead[row, best] < foremost - 0.12 * length:
            continue
        # rims that stand at both sides of a hole are no nose: there is one ridge alone
        far = np.abs(columns - best) >= 1.5 * arm
        other = float(np.nanmax(np.where(far & np.isfinite(values), values, 0.0), initial=0.0))
        heights[row], places[row] = inside[best] - max(other, 0.0), best
    # a ridge of a nose's height: the third best of its rows counts, so that one odd row is nothing
    known = np.where(np.isfinite(heights), heights, -np.inf)
    run = ndimage.minimum_filter1d(known, 3, mode="constant", cval=-np.inf)
    tip = int(np.argmax(run))
    if not np.isfinite(run[tip]):
        return 0.0, None
    labels, _ = ndimage.label(known >= 0.5 * run[tip])
    extent = float((labels == labels[tip]).sum()) * STEP
    if run[tip] > 0 and not 0.05 * length <= extent <= 0.5 * length:
        return 0.0, (rows[0] + tip, int(places[tip]))
    return float(run[tip]), (rows[0] + tip, int(places[tip]))


def _bulge(place: Grid, arm: Grid, radius: float) -> Grid:
    """How far an ellipse stands out at `place` from its two sides at a distance `arm`, both in half widths of the body."""

    def front(at: Grid) -> Grid:
        return radius * np.sqrt(np.maximum(1 - at**2, 0.0))

    return np.asarray(front(place) - (front(place - arm) + front(place + arm)) / 2)


def _sockets(depth: Grid, tip: tuple[int, int], length: float) -> float:
    """Depth of the shallower of two hollows, above the tip and beside it."""
    arm = max(2, round(0.11 * length / STEP))
    hollow = np.full(depth.shape, np.nan)
    hollow[arm:-arm] = (depth[2 * arm :] + depth[: -2 * arm]) / 2 - depth[arm:-arm]
    row, column = tip
    # what stands out most may be the tip of the nose or its root between the eyes
    rows = slice(row, row + round(0.36 * length / STEP))
    near, far = round(0.1 * length / STEP), round(0.24 * length / STEP)
    found = []
    for side in (slice(max(column - far, 0), max(column - near + 1, 0)), slice(column + near, column + far + 1)):
        part = hollow[rows, side]
        found.append(float(np.nanmax(part)) if np.isfinite(part).any() else DEEP)
    return min(found)


def _edge(blur: Grid, tip: tuple[int, int], length: float) -> float:
    """Usual width of the skin's edge around the nose."""
    row, column = tip
    below, above, side = round(0.1 * length / STEP), round(0.25 * length / STEP), round(0.18 * length / STEP)
    part = blur[max(row - below, 0) : row + above, max(column - side, 0) : column + side + 1]
    return float(np.nanmedian(part)) if np.isfinite(part).any() else 0.0
