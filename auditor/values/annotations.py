"""What files beside the images say of them, as it was read: boxes of one image, channels and masks of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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


@dataclass(frozen=True, kw_only=True)
class Description:
    """What `dataset.json` says: names of the channels in order, of the values in masks, and the files that it lists."""

    channels: tuple[str, ...] = ()
    values: Mapping[int, str] = field(default_factory=dict)
    listed: tuple[str, ...] = ()
    count: int | None = None
    notes: tuple[str, ...] = ()
