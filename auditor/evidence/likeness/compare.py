"""Is one picture a copy of another? Registered, then compared place by place, coarse and fine structure alike.

Two patients' radiographs, two slices of a series and two fields of a slide agree in what all such pictures show; a copy agrees
in its fine structure, nearly everywhere, however it was cropped, turned, compressed or windowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from auditor.evidence.likeness.keypoints import Plane, box, smooth
from auditor.evidence.likeness.registration import Flags, Registration, layers_of, prepared, refined, warped

SIDE, STEP = 12, 6
"""Side of the compared squares and their distance, pixels of the proof."""
MIN_CONTRAST = 3.0
MIN_FINE_CONTRAST = 2.0
"""Standard deviation, grey levels of 256, from which a square shows something and not the proof's own noise."""


@dataclass(frozen=True, kw_only=True)
class Standard:
    """How alike two pictures must be to show one scene, and to be copies. Correlations are over squares that show something.

    Args:
        coarse: median correlation.
        quartile: lower quartile of the correlations.
        fine: median correlation of the fine structure (differences within about two pixels).
        squares: compared squares, at least.
        covered: part of the overlap's squares that show something in both, at least.
        agreeing: part of the squares that show something in either picture and correlate above 0.8: a mark or caption
            burned into one of them takes the rest.
        overlap: part of the smaller picture that must lie within the other.
        overlap_of_larger: part of the larger one; a crop to 60 % of the area leaves .6 of it, less its edge.
        inside: the same for a copy: it shows nothing beyond its original. (Copies of the development images: .951 or more;
            the same field photographed again: .93 or less.)
        lean: rotation or shear up to which it is a copy. (Copies: 99.5 % up to .0044; second exposures: 22 of 24 above .006.)
    """

    coarse: float = 0.95
    quartile: float = 0.88
    fine: float = 0.88
    squares: int = 40
    covered: float = 0.2
    agreeing: float = 0.5
    overlap: float = 0.75
    overlap_of_larger: float = 0.5
    inside: float = 0.94
    lean: float = 0.006


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What the comparison of two registered pictures gave; fields as in `Standard`."""

    registration: Registration
    coarse: float
    quartile: float
    fine: float
    squares: int
    covered: float
    agreeing: float
    quadrants: int
    overlap: float
    overlap_of_larger: float

    def copies(self, standard: Standard) -> bool:
        """True when one lies within the other, without leaning."""
        lean = max(abs(self.registration.lean_y), abs(self.registration.lean_x))
        return self.overlap >= standard.inside and lean <= standard.lean

    def meets(self, standard: Standard) -> bool:
        """True when each measure is good enough and three quarters of the picture take part (no ruler, no caption)."""
        names = ("coarse", "quartile", "fine", "squares", "covered", "agreeing", "overlap", "overlap_of_larger")
        return self.quadrants >= 3 and all(getattr(self, name) >= getattr(standard, name) for name in names)


@dataclass(frozen=True, eq=False)
class Proof:
    """A small picture, grey levels 0–255, and what its comparisons need of it alone: made once, since a picture that has one
    copy often has many."""

    picture: Plane

    @cached_property
    def ready(self) -> Plane:
        """`prepared` to be registered."""
        return prepared(self.picture)

    @cached_property
    def layers(self) -> Plane:
        """That, and its slopes."""
        return layers_of(self.ready)

    @cached_property
    def coarse(self) -> Squares:
        """Squares of its coarse structure."""
        return Squares.of(smooth(self.picture, 0.7))

    @cached_property
    def fine(self) -> Squares:
        """Squares of its fine structure."""
        return Squares.of(detail(self.picture))


@dataclass(frozen=True, kw_only=True, eq=False)
class Squares:
    """Mean and variance of the squares of a picture: `about` is the picture about its middle, so that squares of grey levels
    keep their last digits."""

    about: Plane
    mean: Plane
    variance: Plane

    @staticmethod
    def of(picture: Plane) -> Squares:
        """Of any plane."""
        about = picture - np.float32(picture.mean())
        mean = squares_mean(about)
        return Squares(about=about, mean=mean, variance=np.maximum(squares_mean(about * about) - mean**2, 0))

    def shows(self, contrast: float) -> Flags:
        """Squares that show more than `contrast`."""
        return self.variance > contrast**2

    def correlation(self, other: Squares) -> Plane:
        """Of each square with that of another picture."""
        both = squares_mean(self.about * other.about) - self.mean * other.mean
        return np.asarray(both / np.sqrt(np.maximum(self.variance * other.variance, 1e-6)), np.float32)


def compare(one: Proof, other: Proof, start: Registration, standard: Standard = Standard()) -> Likeness | None:
    """How alike two proofs are where they overlap, or None where no position was found or the overlap is too small.

    Args:
        one, other: the proofs.
        start: about where the other lies in the one.
        standard: what overlap is needed.
    """
    a, b = one.picture, other.picture
    found = refined(one.ready, other.layers, start)
    if found is None:
        return None
    laid, inside = warped(a, b, found)
    part_a = float(inside.mean())
    part_b = float(inside.sum()) * found.scale_y * found.scale_x / b.size
    part_a, part_b = min(part_a, 1.0), min(part_b, 1.0)
    if max(part_a, part_b) < standard.overlap or min(part_a, part_b) < standard.overlap_of_larger:
        return None
    whole = squares_mean(inside.astype(np.float32)) > 0.999
    coarse_laid = Squares.of(smooth(laid, 0.7))
    shows_a, shows_b = one.coarse.shows(MIN_CONTRAST), coarse_laid.shows(MIN_CONTRAST)
    both, either = whole & shows_a & shows_b, whole & (shows_a | shows_b)
    if not both.any():
        return None
    correlation = one.coarse.correlation(coarse_laid)
    fine_laid = Squares.of(detail(laid))
    fine_both = whole & one.fine.shows(MIN_FINE_CONTRAST) & fine_laid.shows(MIN_FINE_CONTRAST)
    fine = one.fine.correlation(fine_laid)
    count, total = int(both.sum()), int(whole.sum())
    if not count or not int(fine_both.sum()):
        return None
    lower, middle = (float(v) for v in np.quantile(correlation[both], (0.25, 0.5)))
    return Likeness(
        registration=found,
        coarse=middle,
        quartile=lower,
        fine=float(np.median(fine[fine_both])),
        squares=min(count, int(fine_both.sum())),
        covered=count / total,
        agreeing=float((correlation[both] > 0.8).sum() / either.sum()),
        quadrants=quadrants(whole, both & (correlation > 0.8)),
        overlap=max(part_a, part_b),
        overlap_of_larger=min(part_a, part_b),
    )


def detail(picture: Plane) -> Plane:
    """Structure of about one to four pixels."""
    return smooth(picture, 0.6) - smooth(picture, 2.0)


def squares_mean(picture: Plane) -> Plane:
    """Mean of each square; shape (rows of squares, columns of squares)."""
    half, (height, width) = SIDE // 2, picture.shape
    means = box(picture, SIDE)
    return means[half : height - half + 1 : STEP, half : width - half + 1 : STEP]


def quadrants(whole: Flags, good: Flags) -> int:
    """In how many of the four quarters of the overlap at least a twentieth of the squares agree."""
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    middle, centre = int(rows[0] + rows[-1] + 1) // 2, int(columns[0] + columns[-1] + 1) // 2
    parts = [(v, h) for v in (slice(None, middle), slice(middle, None)) for h in (slice(None, centre), slice(centre, None))]
    return sum(bool(good[p].sum() > 0.05 * whole[p].sum()) for p in parts if whole[p].any())
