"""Where one picture lies in another, from words and places alone, for many pairs at a time.

Each word of b is matched with the word of a that differs in the fewest signs. A match says what was done to the patch (one of
eight orientations, inverted or not), how much larger the blob is, and where it went. The best matches propose positions; the
one that most others agree with is fitted to all that agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.keypoints import ORIENTATIONS, SIZES, Places, Plane, Words

SIGNS = 32
"""Signs of a word that are compared, the surest."""
MAX_DIFFERENT = 9
"""Signs in which two words of one spot may differ."""
VOTERS, SEEDS = 32, 16
"""Best matches that vote, and that propose a position."""
MIN_VOTES = 6
"""Keypoints that must agree on one position. Of copies of development images, .1 % had fewer than 12."""
NEAR = 2.5
"""Distance in pixels within which a match agrees with the fitted position."""
SCALES = (0.6, 1.7)
MIN_SECOND = 4
"""Voters that must agree on another way before it is looked at: a symmetrical picture lies in its copy in more than one."""

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_RATIOS = np.array([1 / (size / SIZES[0]) for size in SIZES[:0:-1]] + [size / SIZES[0] for size in SIZES], np.float32)


def _ways() -> tuple[Codes, npt.NDArray[np.float64]]:
    """What takes a to b where the patch of a was turned one way and that of b another: which of the eight, and its matrix."""
    flips = [np.diag([y, x]) if not t else np.array([[0, 1], [1, 0]]) @ np.diag([y, x]) for t, y, x in ORIENTATIONS]
    # A registration transposes first and flips then; a word flips first. Both count the same eight.
    lead = [np.diag([y, x]) @ (np.array([[0, 1], [1, 0]]) if t else np.eye(2, dtype=int)) for t, y, x in ORIENTATIONS]
    ways = np.zeros((8, 8), np.int64)
    for a, first in enumerate(flips):
        for b, second in enumerate(flips):
            step = second.T @ first
            ways[a, b] = next(k for k, matrix in enumerate(lead) if np.array_equal(matrix, step))
    return ways, np.array(lead, np.float64)


_WAYS, _MATRICES = _ways()
SWAPPED = np.array([t for t, _, _ in ORIENTATIONS])
DOWN = np.array([y for _, y, _ in ORIENTATIONS], np.float64)
RIGHT = np.array([x for _, _, x in ORIENTATIONS], np.float64)
_DOWN, _RIGHT = DOWN.astype(np.float32), RIGHT.astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Positions:
    """Of each pair: b at y = scale_y · Y + shift_y, x = scale_x · X + shift_x shows what a shows at (Y, X) after `orientation`.

    `orientation` transposes, then flips; `polarity` is −1 where b is an inversion of a; `votes` counts the keypoints that
    agree, 0 where no position was found. All of shape (pairs,).
    """

    orientation: Codes
    polarity: Codes
    scale_y: Floats
    shift_y: Floats
    scale_x: Floats
    shift_x: Floats
    votes: Codes

    def part(self, which: Codes) -> Positions:
        """Some of the pairs."""
        return Positions(**{name: getattr(self, name)[which] for name in self.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class _Matches:
    """The matches of each pair, the best first; all of shape (pairs, words)."""

    known: Flags
    way: Codes
    polarity: Codes
    step: Codes
    from_y: Plane
    from_x: Plane
    to_y: Plane
    to_x: Plane


def positions(
    words_a: Words, places_a: Places, count_a: Codes, words_b: Words, places_b: Places, count_b: Codes
) -> tuple[Positions, ...]:
    """Where b may lie in a: the likeliest position of each pair, and the likeliest that lies another way.

    Args:
        words_a, words_b: the words of each pair; shape (pairs, words). What stands behind the count is no word.
        places_a, places_b: their places.
        count_a, count_b: how many words there are; shape (pairs,).
    """
    m = _matched(words_a, places_a, count_a, words_b, places_b, count_b)
    votes = _votes(m)
    turned = m.way[:, :SEEDS] * 2 + (m.polarity[:, :SEEDS] < 0)
    tally = votes.sum(axis=2)
    best = tally.argmax(axis=1)
    first = _fitted(m, votes, best)
    # the next one is to lie another way
    tally[turned == np.take_along_axis(turned, best[:, None], axis=1)] = 0
    return first, _fitted(m, votes, tally.argmax(axis=1), of=np.flatnonzero(tally.max(axis=1) >= MIN_SECOND))


def _matched(words_a: Words, places_a: Places, count_a: Codes, words_b: Words, places_b: Places, count_b: Codes) -> _Matches:
    """For each word of b the likest of a."""
    high = np.uint64(64 - SIGNS)
    signs_a, signs_b = (words_a >> high).astype(np.uint32), (words_b >> high).astype(np.uint32)
    different = np.bitwise_count(signs_a[:, :, None] ^ signs_b[:, None, :])
    place = np.arange(words_a.shape[1])
    if (count_a < len(place)).any():
        different[place >= count_a[:, None]] = SIGNS
    # One number holds the difference, how far apart the two stand by strength (which parts equal words of a symmetrical
    # picture), and which word of a it is: the least of them is all three.
    apart = np.abs(place[:, None] - place) >> 4
    marked = np.left_shift(different, 10, dtype=np.uint16)
    marked |= (apart << 7 | place[:, None]).astype(np.uint16)
    best = marked.min(axis=1)
    order = np.argsort(best, axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    known = (best >> 10 <= MAX_DIFFERENT) & (order < count_b[:, None])
    a = np.take_along_axis(places_a, (best & 127).astype(np.int64), axis=1).astype(np.int64)
    b = np.take_along_axis(places_b, order, axis=1).astype(np.int64)
    way = _WAYS[a >> 1 & 7, b >> 1 & 7]
    y, x = (a >> 16).astype(np.float32), (a >> 8 & 255).astype(np.float32)
    swap = SWAPPED[way]
    return _Matches(
        known=known, way=way, polarity=1 - 2 * ((a ^ b) & 1), step=(b >> 4 & 15) - (a >> 4 & 15),
        from_y=np.where(swap, x, y) * _DOWN[way], from_x=np.where(swap, y, x) * _RIGHT[way],
        to_y=(b >> 16).astype(np.float32), to_x=(b >> 8 & 255).astype(np.float32),
    )  # fmt: skip


def _votes(m: _Matches) -> Flags:
    """Which matches agree with which of the first ones; shape (pairs, SEEDS, VOTERS)."""
    seed, voter = np.s_[:, :SEEDS, None], np.s_[:, None, :VOTERS]
    from_y, from_x = m.from_y[voter] - m.from_y[seed], m.from_x[voter] - m.from_x[seed]
    scale = _ratio(m.step[:, :SEEDS])[..., None]
    error_y = scale * from_y - (m.to_y[voter] - m.to_y[seed])
    error_x = scale * from_x - (m.to_x[voter] - m.to_x[seed])
    # Sizes are known to one step of the ladder, so the allowed error grows with the distance from the seed.
    far = 3 + np.float32(0.08) * np.sqrt(from_y * from_y + from_x * from_x)
    votes = (error_y * error_y + error_x * error_x < far * far) & m.known[seed] & m.known[voter]
    turned = m.way * 2 + (m.polarity < 0)
    votes &= turned[seed] == turned[voter]
    votes &= np.abs(m.step[seed] - m.step[voter]) <= 1
    return np.asarray(votes)


def _fitted(m: _Matches, votes: Flags, seed: Codes, of: Codes | None = None) -> Positions:
    """Least squares over the matches that agree with a seed, twice, the second time over those that then lie near.

    Only the pairs `of` are looked at; the others have no votes.
    """
    row = np.arange(len(seed)) if of is None else of
    way, polarity, step = m.way[row, seed[row]], m.polarity[row, seed[row]], m.step[row, seed[row]]
    from_y, from_x, to_y, to_x = (p[row] for p in (m.from_y, m.from_x, m.to_y, m.to_x))
    same = m.known[row] & (m.way[row] == way[:, None]) & (m.polarity[row] == polarity[:, None])
    agree = np.zeros(same.shape, bool)
    agree[:, : votes.shape[2]] = votes[row, seed[row]]
    scale_y = scale_x = _ratio(step)
    shift_y = shift_x = np.zeros(len(row), np.float32)
    for _ in range(2):
        scale_y, shift_y = _line(from_y, to_y, agree, scale_y)
        scale_x, shift_x = _line(from_x, to_x, agree, scale_x)
        error_y = scale_y[:, None] * from_y + (shift_y[:, None] - to_y)
        error_x = scale_x[:, None] * from_x + (shift_x[:, None] - to_x)
        agree = same & (error_y * error_y + error_x * error_x < NEAR * NEAR)
    within = (np.minimum(scale_y, scale_x) > SCALES[0]) & (np.maximum(scale_y, scale_x) < SCALES[1])

    def spread(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        all_pairs = np.zeros(len(seed), values.dtype)
        all_pairs[row] = values
        return all_pairs

    return Positions(
        orientation=spread(way), polarity=spread(polarity), votes=spread(np.where(within, agree.sum(axis=1), 0)),
        scale_y=spread(scale_y.astype(np.float64)), shift_y=spread(shift_y.astype(np.float64)),
        scale_x=spread(scale_x.astype(np.float64)), shift_x=spread(shift_x.astype(np.float64)),
    )  # fmt: skip


def _ratio(step: Codes) -> Plane:
    """How much larger a blob is that stands so many steps further on the ladder of `SIZES`."""
    return _RATIOS[step + len(SIZES) - 1]


def _line(u: Plane, v: Plane, chosen: Flags, slope: Plane) -> tuple[Plane, Plane]:
    """Slope and offset of v over u of the chosen; the given slope where u hardly varies."""
    weight = chosen.astype(np.float32)
    count = np.maximum(weight.sum(axis=1), 1)
    mean_u, mean_v = np.einsum("pm,pm->p", u, weight) / count, np.einsum("pm,pm->p", v, weight) / count
    du = (u - mean_u[:, None]) * weight
    spread = np.einsum("pm,pm->p", du, du)
    found = np.where(spread >= 5.0 * count, np.einsum("pm,pm->p", du, v) / np.maximum(spread, 1e-6), slope)
    return found, mean_v - found * mean_u
