"""What a file of boxes says of one image, before it is known which record that is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One `<object>`: what it is called, its corners (x0, y0, x1, y1 in pixels; None: not four numbers), its line."""

    name: str
    corners: tuple[float, float, float, float] | None
    line: int


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """One annotation: the image that it names (empty: none), and its objects."""

    filename: str
    things: tuple[Thing, ...]
