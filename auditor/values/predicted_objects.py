"""Somebody's predicted boxes or points: plain values, no reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

Shape = Literal["boxes", "points"]
COLUMNS: dict[Shape, tuple[str, ...]] = {"boxes": ("x0", "y0", "x1", "y1"), "points": ("x", "y")}
"""Coordinates in pixels; `x1`, `y1` is the far corner."""


@dataclass(frozen=True, kw_only=True)
class PredictedObjects:
    """What a detector saw in the images.

    Args:
        shape: boxes or points.
        objects: one row per object: `record`, `label` (empty: the file names none), the columns of `COLUMNS`, `score` 0-1.
        origin: name of the file.
        out_of_fold: False when declared in-sample.
    """

    shape: Shape
    objects: pd.DataFrame
    origin: str
    out_of_fold: bool = True
