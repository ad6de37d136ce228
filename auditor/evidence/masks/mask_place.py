"""Where the outline of a mask fits its picture best: on the spot, or some way off.

Outlines are laid over the edges of the picture and moved about. In a collection whose masks fit, the fit is best on the spot;
one that fits clearly better elsewhere, in a collection where nearly all fit on the spot, was shifted. Where few fit anywhere
(outlines that follow no edge, as those of tumours in MR may), nothing can be told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from auditor.evidence.masks.outlines import Lines

MOVED = 0.16
"""So far, as a share of the shorter side, outlines are moved."""
ON_THE_SPOT = 2
"""Small pixels that are no shift: a line is a pixel wide, and its edge as much again."""
LEAST_FIT = 0.12
"""Least correlation of outlines with edges that is a fit at all. Of 150 crops of electron microscopy 1 in 20 fits by less than
.20, of 60 stained cells by less than .24; shifted outlines fit by −.04 to .15 where they are drawn."""
LEAST_GAIN = 0.12
"""By so much better elsewhere is clearly better: .05 at most in those 210 pictures, .34 to .42 in shifted crops."""
MIN_PAIRS, LEAST_SHARE = 20, 0.7
"""So many pictures, and so large a share of them, must fit on the spot before one that does not is a finding."""
LEAST_SIDE = 24
"""Smaller pictures have no place to move to."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How one mask fits its picture.

    Args:
        here, best: correlation of outlines and edges on the spot (within two small pixels), and where it is largest.
        down, right: from the outlines as drawn to where they fit best, as shares of the height and width.
    """

    here: float
    best: float
    down: float
    right: float

    @property
    def on_the_spot(self) -> bool:
        """It fits, and nowhere clearly better."""
        return self.here >= LEAST_FIT and self.best - self.here < LEAST_GAIN

    @property
    def shifted(self) -> bool:
        """It fits elsewhere, clearly better than where it is drawn."""
        return self.best >= LEAST_FIT and self.best - self.here >= LEAST_GAIN


def fit_of(picture: Lines, outlines: Lines) -> Fit | None:
    """Lay outlines over the edges of a picture of the same proportions; None where there is nothing to compare."""
    height, width = outlines.shape
    if min(height, width) < LEAST_SIDE or not picture.size:
        return None
    if abs(picture.shape[0] * width - picture.shape[1] * height) > 0.03 * picture.shape[1] * height:
        return None  # IN006 tells of masks of another size
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    edges = np.sqrt(np.hypot(cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)))
    room = int(MOVED * min(height, width))
    core = cv2.GaussianBlur(outlines, (0, 0), 1)[room : height - room, room : width - room]
    if core.std() < 1e-6 or edges.std() < 1e-6:
        return None
    fits = cv2.matchTemplate(edges.astype(np.float32), np.ascontiguousarray(core), cv2.TM_CCOEFF_NORMED)
    spot = slice(room - ON_THE_SPOT, room + ON_THE_SPOT + 1)
    row, column = np.unravel_index(int(fits.argmax()), fits.shape)
    return Fit(
        here=float(fits[spot, spot].max()), best=float(fits.max()),
        down=(int(row) - room) / height, right=(int(column) - room) / width,
    )  # fmt: skip


def can_tell(fits: Iterable[Fit]) -> bool:
    """Nearly all masks fit on the spot, so that one that does not is unlike them."""
    fits = list(fits)
    fitting = sum(fit.on_the_spot for fit in fits)
    return fitting >= MIN_PAIRS and fitting >= LEAST_SHARE * len(fits)
