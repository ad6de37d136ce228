"""The front of a body in CT and MR: how far the skin reaches forward, by height and side. Measured in the pass.

A volume (NIfTI, multi-frame DICOM) gives its whole front at once. A slice of a DICOM series gives one line of it, and the
lines of a series are put together afterwards (`assembled`). Lengths are millimetres throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.evidence.privacy.skin import Floats, edge_width, first_skin, largest, physical, skin_level
from auditor.values.image import FieldValue, Header, Pixels

STEP = 3.0
"""Side of a cell of the front."""
FINEST = 1.9
"""Voxels finer than this are skipped over: a face is told from 3 mm."""
MOST_VOXELS = 8_000_000
WIDEST = 260.0
"""No head is as wide; lines of wider bodies are not kept."""
LEAST_AREA = 1500.0
"""Square millimetres of a slice that a head takes where it is more than its tip."""
WIDEST_GAP = 10.0
"""Slices further apart than this leave a gap in the front."""
LEAST_SLICES = 8

REACH = 24.0
"""So far into the body is its brightness near the skin looked for."""

FRONTED = frozenset({"CT", "MR"})
_LINE = 5
_PAIRS = (frozenset("AP"), frozenset("RL"), frozenset("HF"))


@dataclass(frozen=True, kw_only=True)
class Front:
    """The front of one body on a grid of `STEP`.

    Args:
        depth: how far the skin reaches to the front, (rows, columns), rows rising to the head; NaN where there is no body.
        back: the rearmost place of the body per row; NaN likewise.
        cut: True per row where the body reaches the edge of the picture in front, so that its front is not seen.
        blur: width of the edge between air and skin, (rows, columns); NaN where there is no body.
    """

    depth: npt.NDArray[np.float64]
    blur: npt.NDArray[np.float64]
    back: npt.NDArray[np.float64]
    cut: npt.NDArray[np.bool_]


def is_volume(header: Header) -> bool:
    """A stack of grey frames that says where up and front are."""
    deep = header.fields.get("nifti.dim3", header.frames)
    grey = len(header.shape) == 2 and header.format in ("nifti", "dicom")
    large = isinstance(deep, int) and deep >= LEAST_SLICES and min(header.shape) >= LEAST_SLICES
    known = header.format == "nifti" or header.fields.get("dicom.Modality") in FRONTED
    return grey and large and known and len(_ways(header)) == 3


def front_of(header: Header, pixels: Pixels, *, reverse: bool = False) -> Front | None:
    """The front of a volume; None where no body stands out from air. `reverse` takes its slices the other way round."""
    from scipy import ndimage  # slow to import, and few files show a head

    ways = _ways(header)
    units = _unit(header)
    spacing = [_number(header.facts.get(name)) * units for name in ("slice_spacing", "spacing_row", "spacing_column")]
    if header.format == "dicom":
        spacing[0] = _number(header.facts.get("frame_spacing"))
    deep = header.fields.get("nifti.dim3", header.frames)
    if not all(0.1 <= side <= WIDEST_GAP for side in spacing) or not isinstance(deep, int):
        return None
    array = pixels.array.reshape(deep, -1, *pixels.array.shape[1:])[:: -1 if reverse else 1, 0]
    order = [_axis(ways, pair) for pair in ("HF", "AP", "RL")]
    array = np.transpose(array, order)
    spacing = [spacing[axis] for axis in order]
    up, front, _ = (ways[axis] for axis in order)
    array = array[:: 1 if up == "H" else -1, :: 1 if front == "P" else -1]
    steps = [max(1, int(FINEST / side)) for side in spacing]
    while np.prod([-(-n // s) for n, s in zip(array.shape, steps, strict=True)]) > MOST_VOXELS:
        steps = [s + 1 for s in steps]
    array = array[tuple(slice(None, None, s) for s in steps)]
    spacing = [side * s for side, s in zip(spacing, steps, strict=True)]
    values = physical(array, pixels)
    skin = skin_level(values, header)
    if skin is None:
        return None
    values = ndimage.gaussian_filter(values, 0.6, mode="nearest")
    body = largest(values > skin)
    if body is None:
        return None
    depth, cut = first_skin(body, values, skin, axis=1)
    blur = spacing[1] * edge_width(body, values, axis=1, reach=round(REACH / spacing[1]))
    some: npt.NDArray[np.bool_] = np.any(body, axis=2)
    back = np.where(some.any(axis=1), body.shape[1] - 1 - np.argmax(some[:, ::-1], axis=1), np.nan)
    rows = np.arange(0, (array.shape[0] - 1) * spacing[0] + 1e-6, STEP) / spacing[0]
    columns = np.arange(0, (array.shape[2] - 1) * spacing[2] + 1e-6, STEP) / spacing[2]
    if min(len(rows), len(columns)) < LEAST_SLICES:
        return None
    grid = np.meshgrid(rows, columns, indexing="ij")
    fine = ndimage.map_coordinates(-spacing[1] * depth, grid, order=1, mode="nearest", prefilter=False)
    nearest = np.rint(rows).astype(np.int64)
    blur = blur[nearest][:, np.rint(columns).astype(np.int64)]
    return Front(depth=fine, blur=blur, back=-spacing[1] * back[nearest], cut=cut[nearest])


def line_of(header: Header, pixels: Pixels) -> Floats:
    """What one slice adds to the front of its series; empty where it adds nothing.

    Returns:
        (first cell, rearmost place, cut, brightness of the body, area), then the depth cell by cell, then the blur likewise;
        one row of the front for an axial slice, one column for a sagittal one. Only the first five numbers, NaN the second,
        where there is no body.
    """
    from scipy import ndimage

    nothing = np.empty(0, np.float32)
    ways = str(header.facts.get("orientation", ""))
    names = ("spacing_row", "spacing_column", "plane_row", "plane_column", "slice_position")
    numbers = [_number(header.facts.get(name)) for name in names]
    if (
        header.format != "dicom"
        or header.frames != 1
        or len(header.shape) != 2
        or len(ways) != 2
        or not np.isfinite(numbers).all()
    ):
        return nothing
    if str(header.fields.get("dicom.Modality", "")) not in FRONTED or sum(way in "AP" for way in ways) != 1:
        return nothing
    down, across, along_row, along_column, _ = numbers
    if not 0.05 <= min(down, across) <= max(down, across) <= WIDEST_GAP:
        return nothing
    array = pixels.array[0]
    # `ways` says where the rows run to (axis 1 of the array), then the columns (axis 0).
    sides = [(ways[1], down, along_column), (ways[0], across, along_row)]
    if ways[0] in "AP":
        array, sides = array.T, sides[::-1]
    (front, deep, origin), (way, side, start) = sides
    backwards = front == "A"
    array = array[:: -1 if backwards else 1]
    steps = [max(1, int(0.5 * FINEST / deep)), max(1, int(0.5 * FINEST / side))]
    values = physical(array[:: steps[0], :: steps[1]], pixels)
    skin = skin_level(values, header)
    body = None if skin is None else largest(ndimage.binary_opening(values > skin, iterations=2))
    area = 0.0 if body is None else float(body.sum()) * deep * side * steps[0] * steps[1]
    if skin is None or body is None or area < LEAST_AREA:
        return np.array([0, np.nan, 0, 0, area], np.float32)
    depth, cut = first_skin(body[None], values[None], skin, axis=1)
    sign = 1.0 if way in "LH" else -1.0
    place = sign * (start + side * steps[1] * np.arange(values.shape[1]))
    first_row = origin + deep * (array.shape[0] - 1 if backwards else 0)
    # in the direction of the front: places fall from the first row on, whichever way the columns run
    ahead = (1.0 if backwards else -1.0) * first_row - deep * steps[0] * depth[0]
    rear = (1.0 if backwards else -1.0) * first_row - deep * steps[0] * int(np.flatnonzero(body.any(axis=1))[-1])
    cells = np.floor(place / STEP).astype(np.int64)
    seen = np.isfinite(ahead)
    if seen.sum() < 3 or (way in "RL" and np.ptp(place[seen]) > WIDEST):
        return nothing
    low, high = int(cells[seen].min()), int(cells[seen].max())
    deep *= steps[0]
    blur = deep * edge_width(body[None], values[None], axis=1, reach=round(REACH / deep))[0]
    count = np.bincount(cells[seen] - low, minlength=high - low + 1).astype(float)
    count[count == 0] = np.nan
    lines = [np.bincount(cells[seen] - low, what[seen], high - low + 1) / count for what in (ahead, blur)]
    head = [low, rear, float(cut[0]), float(np.median(values[body])), area]
    return np.concatenate([head, *lines]).astype(np.float32)


def assembled(lines: Sequence[Floats], positions: npt.NDArray[np.float64], ways: str, *, rising: bool) -> Front | None:
    """The front of a series from the lines of its slices; None where they are too few, too far apart, or show no body.

    Args:
        lines: see `line_of`, one per slice.
        positions: along the normal of the slices.
        ways: where rows and columns run to, as in `Header.facts`.
        rising: the normal runs to the head (axial) or to the left (sagittal).
    """
    places = positions if rising else -positions
    order = np.argsort(places, kind="stable")
    kept = order[np.concatenate([[True], np.diff(places[order]) > 0.05])] if len(order) else order
    bright = np.array([lines[i][3] for i in kept])
    known = bright > 0
    if known.sum() < LEAST_SLICES or float(np.median(np.diff(places[kept]))) > WIDEST_GAP:
        return None
    # a slice of air alone has noise for its brightest
    empty = ~known | (bright < 0.35 * np.median(bright[known])) if bright[known].min() > 0 else ~known
    shown = [lines[i] for i, none in zip(kept, empty, strict=True) if not none]
    low = int(min(line[0] for line in shown))
    high = int(max(line[0] + (len(line) - _LINE) // 2 for line in shown))
    table, edge = np.full((2, len(kept), high - low), np.nan)
    rear, cut = np.full(len(kept), np.nan), np.zeros(len(kept), np.bool_)
    for row, (i, none) in enumerate(zip(kept, empty, strict=True)):
        if not none:
            start, (ahead, blur) = int(lines[i][0]) - low, np.split(lines[i][_LINE:], 2)
            table[row, start : start + len(ahead)] = ahead
            edge[row, start : start + len(ahead)] = blur
            rear[row], cut[row] = lines[i][1], bool(lines[i][2])
    at = places[kept]
    fine = np.arange(at[0], at[-1] + 1e-6, STEP)
    after = np.clip(np.searchsorted(at, fine), 1, len(at) - 1)
    share = (fine - at[after - 1]) / (at[after] - at[after - 1])
    blend = (1 - share)[:, None] * table[after - 1] + share[:, None] * table[after]
    blend[at[after] - at[after - 1] > WIDEST_GAP] = np.nan
    nearest = np.where(share < 0.5, after - 1, after)
    if set(ways) & {"H", "F"}:
        # sagittal: each slice is a column, and the rear of the body is that of all of them
        shape = blend.shape[1]
        return Front(
            depth=blend.T,
            blur=edge[nearest].T,
            back=np.full(shape, np.nanmin(rear)),
            cut=np.full(shape, bool(cut.mean() > 0.3)),
        )
    return Front(depth=blend, blur=edge[nearest], back=rear[nearest], cut=cut[nearest])


def _ways(header: Header) -> str:
    """Where the axes (slice, row number, column number) of the array run to in DICOM's letters: `HPL` for axial slices."""
    said = str(header.facts.get("orientation", ""))
    if header.format == "nifti":
        # nifti.h names x, y, z by S and I, the array is z, y, x
        named = {"S": "H", "I": "F"}
        ways = "".join(named.get(letter, letter) for letter in said[::-1])
        # an affine that is no rotation may send two axes the same way
        return ways if all(pair & set(ways) for pair in _PAIRS) else ""
    if len(said) != 2:
        return ""
    left = [pair for pair in _PAIRS if not pair & set(said)]
    # frames of an enhanced object may rise either way: `auditor.evidence.privacy.face` looks at both
    return sorted(left[0])[-1 if left[0] == {"A", "P"} else 0] + said[1] + said[0] if len(left) == 1 else ""


def _axis(ways: str, pair: str) -> int:
    return next(axis for axis, way in enumerate(ways) if way in pair)


def _unit(header: Header) -> float:
    """Millimetres per unit of a NIfTI header (xyzt_units: 1 metre, 2 millimetre, 3 micrometre; 0 not said)."""
    said = header.fields.get("nifti.xyzt_units")
    return {1: 1000.0, 3: 0.001}.get(said & 7, 1.0) if isinstance(said, int) else 1.0


def _number(value: FieldValue) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
