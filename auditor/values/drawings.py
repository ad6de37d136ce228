"""What outlines of objects (polygons, run lengths) are once they were drawn into their pictures; the drawings are not kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # a worker draws and needs no tables
    import pandas as pd

OUTLINES = "outlines"
"""`format` of the masks that were made of outlines, where those of files have the name of their image format."""


@dataclass(frozen=True, kw_only=True)
class Drawings:
    """Outlines as drawn.

    Args:
        objects: one row per outline: `record`, `box` (its position in `Dataset.boxes`), `problem` (why it was not drawn; empty:
            it was), `corners` (0 of run lengths), `area` (by its corners, square pixels), `pixels` (drawn ones, inside the
            picture), `crossed` (pixels that another rule of filling would count otherwise), `outside` (pixels beyond the border
            of the picture), `x0`, `y0`, `x1`, `y1` (its extent; NaN: it is empty).
        pairs: outlines of one record whose extents share half of their area: `first`, `second` (positions in `Dataset.boxes`),
            `iou` of what was drawn.
        images: as `Dataset.masks`: `path` is the file of annotations, `format` `OUTLINES`, height and width those of the
            picture that the annotations speak of; nothing more of a record not all of whose objects were drawn.
        crowded: outlines that were not compared with all others of their picture, because they are too many.
    """

    objects: pd.DataFrame
    pairs: pd.DataFrame
    images: pd.DataFrame
    crowded: int = 0

    @property
    def left(self) -> int:
        """How many could be read and were not drawn all the same."""
        return int(self.objects["problem"].str.startswith(NOT_DRAWN).sum())


NOT_DRAWN = "not drawn: "
"""Begins the reason where an outline may be as right as any other, and nothing was learnt of it."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One picture to be drawn: rows and columns (0: not known), and of each object the value it is drawn with and its
    outline, packed."""

    height: int
    width: int
    objects: Sequence[tuple[int, bytes]]


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """What was drawn.

    Args:
        problems: of each object, empty where it was drawn.
        facts: corners, area, pixels, crossed, outside, x0, y0, x1, y1 of each, shape (objects, 9); NaN where not drawn.
        pairs: positions of two objects and their intersection over union, shape (pairs, 3).
        crowded: objects that were not compared with all others.
        numbers: as those of a mask (`auditor.evidence.masks.mask_facts.mask_numbers`); None unless every object was drawn.
        lines: of the whole picture, as those of a mask; empty where there is nothing.
    """

    problems: tuple[str, ...]
    facts: npt.NDArray[np.float64]
    pairs: npt.NDArray[np.float64]
    crowded: int = 0
    numbers: npt.NDArray[np.float32] | None = None
    lines: bytes = b""
