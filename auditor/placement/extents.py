"""The box around a shape: x, y, width and height in pixels, of points, circles and ellipses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from auditor.placement.documents import Box

CORNERS = 72
Points = Sequence[tuple[float, float]]


def number(value: Any) -> float | None:
    """A finite number, also as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def pairs_of(points: Any) -> list[tuple[float, float]] | None:
    """Pairs of numbers; None where one is none."""
    if not isinstance(points, list):
        return None
    found: list[tuple[float, float]] = []
    for point in points:
        x, y = (number(point[0]), number(point[1])) if isinstance(point, (list, tuple)) and len(point) == 2 else (None, None)
        if x is None or y is None:
            return None
        found.append((x, y))
    return found


def around(points: Points) -> Box | None:
    """The box around points; None where there is none."""
    if not points:
        return None
    left, top = min(x for x, _ in points), min(y for _, y in points)
    return left, top, max(x for x, _ in points) - left, max(y for _, y in points) - top


def circle(points: Points) -> Box | None:
    """Around a circle that is said by its centre and a point on it."""
    if len(points) != 2:
        return None
    (x, y), edge = points
    return ellipse(x, y, math.dist((x, y), edge), math.dist((x, y), edge))


def ellipse(x: float, y: float, wide: float, high: float, turned: float = 0.0) -> Box:
    """Around an ellipse of two half-axes, turned by degrees."""
    angle = math.radians(turned)
    half = math.hypot(wide * math.cos(angle), high * math.sin(angle))
    tall = math.hypot(wide * math.sin(angle), high * math.cos(angle))
    return x - half, y - tall, 2 * half, 2 * tall


def rim(x: float, y: float, wide: float, high: float, turned: float = 0.0) -> list[tuple[float, float]]:
    """Corners of an ellipse of two half-axes, turned by degrees: so many that they are a thousandth off at most."""
    angle = math.radians(turned)
    found = []
    for step in range(CORNERS):
        along, across = wide * math.cos(2 * math.pi * step / CORNERS), high * math.sin(2 * math.pi * step / CORNERS)
        found.append((
            x + along * math.cos(angle) - across * math.sin(angle), y + along * math.sin(angle) + across * math.cos(angle),
        ))  # fmt: skip
    return found


def side(value: Any) -> int:
    """Rows or columns of a picture, as a document says; 0 where it says no whole number of them."""
    found = number(value)
    return int(found) if found is not None and found == int(found) and 0 < found < 1 << 31 else 0


def turned(box: Box, degrees: float) -> Box:
    """Around a box that is turned about its middle; one whose corners are swapped stays as it is, for a check to find."""
    x, y, wide, high = box
    if not degrees or wide < 0 or high < 0:
        return box
    angle = math.radians(degrees)
    half = (abs(wide * math.cos(angle)) + abs(high * math.sin(angle))) / 2
    tall = (abs(wide * math.sin(angle)) + abs(high * math.cos(angle))) / 2
    return x + wide / 2 - half, y + high / 2 - tall, 2 * half, 2 * tall
