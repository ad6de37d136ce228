"""Is one picture a copy of another? Registered, then compared place by place, coarse and fine structure alike.

Two patients' radiographs, two slices of a series and two fields of a slide agree in what all such pictures show; a copy agrees
in its fine structure, nearly everywhere, however it was cropped, turned, compressed or windowed.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.keypoints import ORIENTATIONS, Keypoints, Plane, keypoints, smooth
from auditor.evidence.likeness.registration import Flags, Registration, refined, register, warped
from auditor.values.sketches import Sketched

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
class Proof:
    """A proof and its keypoints."""

    picture: Plane
    points: Keypoints


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


@dataclass(frozen=True, kw_only=True)
class Same:
    """Two pictures of one scene: `score` is the median correlation of the fine structure, 0–1; `how` says what was done.

    `copy` is False where they were taken twice: each shows what the other does not, or one leans against the other.
    """

    score: float
    how: str
    copy: bool


def proof(picture: npt.NDArray[np.uint8]) -> Proof:
    """Keypoints of a proof."""
    return Proof(picture=picture.astype(np.float32), points=keypoints(picture))


def compare(a: Proof, b: Proof, standard: Standard = Standard()) -> Likeness | None:
    """How alike two pictures are where they overlap, or None where no position was found or the overlap is too small."""
    start = register(a.points, b.points)
    found = None if start is None else refined(a.picture, b.picture, start)
    if found is None:
        return None
    laid, inside = warped(a.picture, b.picture, found)
    part_a = float(inside.mean())
    part_b = float(inside.sum()) * found.scale_y * found.scale_x / b.picture.size
    part_a, part_b = min(part_a, 1.0), min(part_b, 1.0)
    if max(part_a, part_b) < standard.overlap or min(part_a, part_b) < standard.overlap_of_larger:
        return None
    whole = squares_mean(inside.astype(np.float32)) > 0.999
    correlation, shows_a, shows_b = squares(smooth(a.picture, 0.7), smooth(laid, 0.7), MIN_CONTRAST)
    both, either = whole & shows_a & shows_b, whole & (shows_a | shows_b)
    fine, fine_a, fine_b = squares(detail(a.picture), detail(laid), MIN_FINE_CONTRAST)
    fine_both = whole & fine_a & fine_b
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


def squares_mean(picture: Plane) -> npt.NDArray[np.float64]:
    """Mean of each square; shape (rows of squares, columns of squares)."""
    total = np.pad(picture.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = total[SIDE:, SIDE:] - total[:-SIDE, SIDE:] - total[SIDE:, :-SIDE] + total[:-SIDE, :-SIDE]
    return np.asarray(sums[::STEP, ::STEP] / SIDE**2)


def squares(a: Plane, b: Plane, contrast: float) -> tuple[npt.NDArray[np.float64], Flags, Flags]:
    """Correlation of each square, and whether it shows more than `contrast` in a and in b."""
    mean_a, mean_b = squares_mean(a), squares_mean(b)
    var_a = np.maximum(squares_mean(a * a) - mean_a**2, 0)
    var_b = np.maximum(squares_mean(b * b) - mean_b**2, 0)
    both = squares_mean(a * b) - mean_a * mean_b
    return both / np.sqrt(np.maximum(var_a * var_b, 1e-6)), var_a > contrast**2, var_b > contrast**2


def quadrants(whole: Flags, good: Flags) -> int:
    """In how many of the four quarters of the overlap at least a twentieth of the squares agree."""
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    middle, centre = int(rows[0] + rows[-1] + 1) // 2, int(columns[0] + columns[-1] + 1) // 2
    parts = [(v, h) for v in (slice(None, middle), slice(middle, None)) for h in (slice(None, centre), slice(centre, None))]
    return sum(bool(good[p].sum() > 0.05 * whole[p].sum()) for p in parts if whole[p].any())


@dataclass(kw_only=True, eq=False)
class Verifier:
    """Compares records by their sketches; keeps the keypoints of the last `memory` records."""

    sketches: Sketched
    standard: Standard = Standard()
    memory: int = 1024
    _kept: OrderedDict[str, tuple[Proof, ...]] = field(default_factory=OrderedDict)

    def proofs(self, record: str) -> tuple[Proof, ...]:
        """The proofs of a record with their keypoints."""
        found = self._kept.get(record)
        if found is None:
            found = tuple(proof(p) for p in self.sketches.proofs(record))
            self._kept[record] = found
            if len(self._kept) > self.memory:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(record)
        return found

    def verify(self, a: str, b: str, standard: Standard | None = None) -> Same | None:
        """Whether b shows the same as a. Stacks: as many frames, each sketched one in the same way, in order or reversed."""
        if self.sketches.frames[a] != self.sketches.frames[b]:
            return None
        standard = standard or self.standard
        first, second = self.proofs(a), self.proofs(b)
        if len(first) != len(second):
            return None
        orders = (second, second[::-1]) if len(second) > 1 else (second,)
        for reverse, order in enumerate(orders):
            likeness = alike(first, order, standard)
            if likeness:
                worst = min(likeness, key=lambda found: found.fine)
                how = in_words(likeness[0].registration, overlap=likeness[0].overlap_of_larger)
                return Same(
                    score=round(worst.fine, 3),
                    how=how + (", frames reversed" if reverse else ""),
                    copy=all(found.copies(standard) for found in likeness),
                )
        return None


def alike(first: tuple[Proof, ...], second: tuple[Proof, ...], standard: Standard) -> list[Likeness]:
    """The likeness of each pair of frames; empty when one fails, or when they do not lie the same way."""
    found: list[Likeness] = []
    for a, b in zip(first, second, strict=True):
        likeness = compare(a, b, standard)
        if likeness is None or not likeness.meets(standard):
            return []
        found.append(likeness)
    ways = [(f.registration.orientation, f.registration.polarity) for f in found]
    return found if all(x == y for x, y in pairwise(ways)) else []


_TURNS = {
    (False, 1, 1): "", (False, 1, -1): "flipped left to right", (False, -1, 1): "flipped upside down",
    (False, -1, -1): "turned by 180°", (True, 1, 1): "transposed", (True, -1, -1): "transposed and turned by 180°",
    (True, 1, -1): "turned by a quarter", (True, -1, 1): "turned by a quarter",
}  # fmt: skip


def in_words(r: Registration, *, overlap: float) -> str:
    """What was done to one picture to make the other, as far as the small pictures tell."""
    parts = [_TURNS[ORIENTATIONS[r.orientation]]]
    if r.polarity < 0:
        parts.append("inverted")
    if overlap < 0.9:
        parts.append(f"{overlap:.0%} of the view in common")
    return ", ".join(p for p in parts if p) or "the same view"
