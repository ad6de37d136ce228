"""Do two images lie in the same place? Their grids compared: distance of neighbours, direction, first pixel.

Rounding is no difference: what counts is how far one and the same pixel is apart, in steps from pixel to pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from auditor.values.grid import Grid, corners, farthest, grid_text, smallest_step

SAME_STEPS = 0.25
"""Pixels that lie closer than this share of the smallest step are in one place; half a pixel is a known mistake."""
ELSEWHERE_STEPS = 1.0
"""From here on a pixel of the one lies on another pixel of the other."""


def parted(one: Grid, other: Grid, sides: tuple[int, int, int], max_spacing_change: float) -> tuple[str, str, float] | None:
    """(what differs, the two values, how far a pixel is apart at most, in steps); None where the two are one place.

    Args:
        sides: columns, rows and slices, the same in both.
        max_spacing_change: relative difference of a distance that counts.
    """
    several = np.array(sides) > 1
    a, b = (np.linalg.norm(grid[:, :3], axis=0) for grid in (one, other))
    away = farthest(one, other, sides)
    if (several & (np.abs(a - b) > max_spacing_change * np.maximum(a, b))).any():
        return "spacing", f"{_listed(a)} and {_listed(b)} mm (columns, rows, slices)", away
    # each step as long as in the first, from one place: what is left is the direction alone
    turned = np.column_stack([other[:, :3] / b * a, one[:, 3]])
    if farthest(one, turned, sides) > SAME_STEPS:
        cosines = np.clip((one[:, :3] / a * (other[:, :3] / b)).sum(axis=0), -1, 1)[several]
        angle = float(np.degrees(np.arccos(cosines)).max())
        return "direction", f"the axes run up to {angle:.3g}° apart", away
    gap = float(np.linalg.norm(one[:, 3] - other[:, 3]))
    if gap > SAME_STEPS * smallest_step(one, sides):
        return "origin", f"the first pixels lie {gap:.4g} mm apart", away
    return None


def parted_as_places(one: Grid, other: Grid, sides: tuple[int, int, int]) -> tuple[str, str, float] | None:
    """As `parted` where the axes may run otherwise by right (a DICOM series and a NIfTI file of it): the places alone count."""
    first, second = corners(one, sides), corners(other, sides)
    gaps = np.linalg.norm(first[:, None] - second[None], axis=2)
    away = float(max(gaps.min(axis=1).max(), gaps.min(axis=0).max())) / smallest_step(one, sides)
    return ("place", f"their corners lie up to {away:.3g} pixels apart", away) if away > SAME_STEPS else None


def series_grid(slices: Sequence[Grid]) -> Grid | None:
    """The grid of parallel slices (each one's steps along slices is only declared), in the order along their normal."""
    normal = np.cross(slices[0][:, 0], slices[0][:, 1])
    ordered = sorted(slices, key=lambda grid: float(normal @ grid[:, 3]))
    step = (ordered[-1][:, 3] - ordered[0][:, 3]) / max(len(slices) - 1, 1)
    whole = np.column_stack([ordered[0][:, :2], step, ordered[0][:, 3]])
    return whole if grid_text(whole) else None


def is_default(grid: Grid) -> bool:
    """What programs write that know no place: steps of one unit along the axes, from nought."""
    return bool(np.allclose(np.abs(grid), np.column_stack([np.eye(3), np.zeros(3)])))


def _listed(steps: npt.NDArray[np.float64]) -> str:
    return " × ".join(f"{step:.4g}" for step in steps)
