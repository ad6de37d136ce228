"""Habits of readers that agreement alone does not show: leaning to a class, harsh or lenient grades, copying, always the same.

All compare a reader with the others who read the *same* records: if the readings of a record were exchangeable between its
readers, each reader's answer would be a random draw from them, however hard the record is. Mean and variance of the sums over
records follow exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.statistics.distributions import norm
from auditor.statistics.multiplicity import holm
from auditor.statistics.sparse import sparse

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
MIN_DISSENTS = 10
MIN_COPIED = 0.7
SMALL_PANEL = 5
"""Readings of a record up to which one reader is a quarter or more of those that another is compared with."""


@dataclass(frozen=True, kw_only=True)
class Leaning:
    """Of each rater and class, or of each rater; arrays share one shape.

    Args:
        own: mean of the rater (share of readings that name the class; mean grade), on records that others read too.
        others: the same of the other readers of the same records.
        p, q: two-sided, and after Holm over all cells; 1 where nothing can be told.
    """

    own: Doubles
    others: Doubles
    p: Doubles
    q: Doubles


def class_leaning(unit: Codes, rater: Codes, label: Codes, counts: Doubles, *, raters: int) -> Leaning:
    """How much more or less often a rater names a class than the others on the same records; shape (raters, classes)."""
    readings = counts.sum(axis=1)
    used = readings[unit] >= 2
    unit, rater, label = unit[used], rater[used], label[used]
    classes = counts.shape[1]
    share = counts / np.maximum(readings, 1)[:, None]
    variance = share * (1 - share)
    rows = np.arange(len(unit))
    rest = counts[unit]
    rest[rows, label] -= 1
    rest /= (readings[unit] - 1)[:, None]
    spread = sparse(np.ones(len(unit)), rater, rows, (raters, len(unit)))
    own = np.bincount(rater * classes + label, minlength=raters * classes).reshape(raters, classes).astype(np.float64)
    skew = variance * (1 - 2 * share)
    return _leaning(own, spread @ share[unit], spread @ variance[unit], spread @ skew[unit], spread @ rest, rater, raters)


def grade_leaning(unit: Codes, rater: Codes, value: Doubles, *, units: int, raters: int) -> Leaning:
    """How much higher or lower a rater grades than the others on the same records; shape (raters,)."""
    n = np.bincount(unit, minlength=units)
    total, squares = np.bincount(unit, value, minlength=units), np.bincount(unit, value**2, minlength=units)
    used = n[unit] >= 2
    unit, rater, value = unit[used], rater[used], value[used]
    mean = total / np.maximum(n, 1)
    variance = np.maximum(squares / np.maximum(n, 1) - mean**2, 0)
    centred = value - mean[unit]
    third = np.bincount(unit, centred**3, minlength=units) / np.maximum(n, 1)
    rest = (total[unit] - value) / (n[unit] - 1)

    def sums(v: Doubles) -> Doubles:
        return np.bincount(rater, v, minlength=raters).astype(np.float64)[:, None]

    found = _leaning(sums(value), sums(mean[unit]), sums(variance[unit]), sums(third[unit]), sums(rest), rater, raters)
    return Leaning(own=found.own[:, 0], others=found.others[:, 0], p=found.p[:, 0], q=found.q[:, 0])


def _leaning(
    own: Doubles, expected: Doubles, variance: Doubles, third: Doubles, rest: Doubles, rater: Codes, raters: int
) -> Leaning:
    times = np.maximum(np.bincount(rater, minlength=raters), 1)[:, None]
    known = variance > 1e-9
    spread = np.sqrt(np.where(known, variance, 1))
    z = np.where(known, (own - expected) / spread, 0)
    skewness = np.where(known, third / spread**3, 0)
    # Cornish-Fisher: the skewness of the exact distribution, so that rare classes do not alarm.
    adjusted = z - skewness / 6 * (z**2 - 1)
    p = np.where(known, np.minimum(2 * norm.sf(np.abs(adjusted)), 1), 1.0)
    return Leaning(own=own / times, others=rest / times, p=p, q=holm(p.ravel()).reshape(p.shape))


@dataclass(frozen=True, kw_only=True)
class Copy:
    """Two raters whose dissents coincide: the share `matched` of `dissents`, that expected by chance, Holm's p over pairs."""

    first: int
    second: int
    dissents: int
    matched: float
    expected: float
    q: float


def copied_dissents(
    unit: Codes, rater: Codes, label: Codes, counts: Doubles, *, raters: int, min_share: float, max_p: float
) -> list[Copy]:
    """Pairs of raters who dissent from the majority of the others together far more often than other raters join.

    Records with four readings or more tell: of three, two copies are the majority.

    When a rater dissents on a record, each of the other readers who may have joined is as likely to be the one who did: so the
    record's own difficulty is taken out. A second reader who is often wrong alone joins by accident: the larger of both chances
    is the one to beat.
    """
    n = counts.sum(axis=1)
    rows = np.arange(len(unit))
    units, classes = counts.shape
    # The majority of all the others: two copies that dissent from two honest readers are then a dissent, and not a tie.
    rest = counts[unit]
    rest[rows, label] -= 1
    best = rest.max(axis=1)
    top = rest.argmax(axis=1)
    clear = (n[unit] >= 4) & ((rest == best[:, None]).sum(axis=1) == 1)
    dissents = clear & (label != top)
    # A rater's own habit of answering `label` where the others say something else.
    habit = np.zeros((raters, classes, classes))
    np.add.at(habit, (rater[clear], top[clear], label[clear]), 1)
    habit /= np.maximum(habit.sum(axis=2, keepdims=True), 1)
    joined = rest / np.maximum(n[unit] - 1, 1)[:, None]
    matched, shared, expected, spread = (np.zeros((raters, raters)) for _ in range(4))
    everyone = sparse(np.ones(len(unit)), unit, rater, (units, raters))
    for c in range(classes):
        mine = np.flatnonzero(dissents & (label == c))
        if len(mine) == 0:
            continue
        by = sparse(np.ones(len(mine)), rater[mine], unit[mine], (raters, units))
        chance, against = np.full(units, np.nan), np.zeros(units, dtype=np.int64)
        chance[unit[mine]], against[unit[mine]] = joined[mine, c], top[mine]
        same = rows[label == c]
        said = sparse(np.ones(len(same)), unit[same], rater[same], (units, raters))
        seen = np.flatnonzero(~np.isnan(chance[unit]))
        probability = np.maximum(chance[unit[seen]], habit[rater[seen], against[unit[seen]], c])
        odds = sparse(probability, unit[seen], rater[seen], (units, raters))
        doubt = sparse(probability * (1 - probability), unit[seen], rater[seen], (units, raters))
        for target, other in ((matched, said), (shared, everyone), (expected, odds), (spread, doubt)):
            target += np.asarray((by @ other).todense())
    pair_shared, pair_matched = shared + shared.T, matched + matched.T
    pair_expected, pair_spread = expected + expected.T, np.sqrt(np.maximum(spread + spread.T, 1e-9))
    first, second = np.triu_indices(raters, 1)
    enough = pair_shared[first, second] >= 2 * MIN_DISSENTS
    first, second = first[enough], second[enough]
    if len(first) == 0:
        return []
    # Both count the same joint dissent: its evidence is that of half as many.
    z = (pair_matched - pair_expected)[first, second] / pair_spread[first, second] / np.sqrt(2)
    q = holm(norm.sf(z))
    share = pair_matched[first, second] / pair_shared[first, second]
    return [
        Copy(
            first=int(a), second=int(b), dissents=int(pair_shared[a, b]), matched=float(s),
            expected=float(pair_expected[a, b] / pair_shared[a, b]), q=float(corrected),
        )
        for a, b, s, corrected in zip(first, second, share, q, strict=True)
        if corrected <= max_p and s >= min_share
    ]  # fmt: skip


def without_copies(rater: Codes, copies: list[Copy]) -> npt.NDArray[np.bool_]:
    """Which readings stay when one of every pair of copies is left out: together they agree, and make others look odd."""
    return ~np.isin(rater, [copy.second for copy in copies])


Reads = Callable[[npt.NDArray[np.bool_]], Leaning]
"""The leaning among some of the readings."""


def told_apart(
    of: Reads,
    leans: Callable[[Leaning], npt.NDArray[np.bool_]],
    unit: Codes,
    rater: Codes,
    kept: npt.NDArray[np.bool_],
    raters: int,
) -> tuple[Leaning, npt.NDArray[np.bool_]]:
    """The leaning of readers, and who leans: the strongest first, the others among the readings that are left.

    Beside one who leans far, or two copies that do, an honest third reader seems to lean back. Where too few are left to
    compare with, nobody can tell which of both it is, and both are named. In a crowd one reader moves the others' mean by
    little, and who leans the other way leans: there everybody is compared with all.

    Args:
        of: the leaning by the readings of a mask.
        leans: what of it is told; shape as `Leaning.own`.
        unit, rater: of each reading.
        kept: see `without_copies`. A reader whose readings are another's leans as that one does: told as a copy, no more.
        raters: how many.
    """
    found = of(kept)
    copied = ~np.isin(np.arange(raters), rater[kept])
    if copied.any():
        found = _with(found, of(np.ones(len(rater), dtype=bool)), copied)
    flags = leans(found) & _wide(~copied, found.own)
    sizes = np.bincount(unit[kept])
    if np.median(sizes[sizes > 0]) > SMALL_PANEL:
        return found, flags
    named = np.zeros(raters, dtype=bool)
    left = kept.copy()
    for _ in range(raters):
        excess = np.where(flags & _wide(~named, flags), np.abs(found.own - found.others), 0).reshape(raters, -1).max(axis=1)
        if not excess.any():
            break
        named[excess.argmax()] = True
        left &= rater != excess.argmax()
        doubted = flags.reshape(raters, -1).any(axis=1) & ~named
        if not doubted.any():
            break
        again = of(left)
        judged = doubted & (again.p.reshape(raters, -1).min(axis=1) < 1)
        found = _with(found, again, judged)
        flags = np.where(_wide(judged, flags), leans(again), flags)
    return found, flags


def _wide(which: npt.NDArray[np.bool_], like: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Of each rater, as an array that goes with one of (raters,) or (raters, classes)."""
    return which.reshape(-1, *[1] * (like.ndim - 1))


def _with(found: Leaning, other: Leaning, which: npt.NDArray[np.bool_]) -> Leaning:
    """The other's figures of some raters."""
    parts = {name: np.where(_wide(which, getattr(found, name)), getattr(other, name), getattr(found, name)) for name in
             ("own", "others", "p", "q")}  # fmt: skip
    return Leaning(**parts)


def constant_raters(unit: Codes, rater: Codes, label: Codes, counts: Doubles, *, raters: int, least: int) -> Doubles:
    """Chance that the others would always have said what a rater always says, by Holm over raters; 1 for all who vary.

    Shape (raters,). Only readings of records that others read too count, `least` at the least.
    """
    n = counts.sum(axis=1)
    used = n[unit] >= 2
    unit, rater, label = unit[used], rater[used], label[used]
    given = np.bincount(rater * counts.shape[1] + label, minlength=raters * counts.shape[1]).reshape(raters, -1)
    times = given.sum(axis=1)
    always = (given.max(axis=1) == times) & (times >= least)
    alike = (counts[unit, label] - 1) / (n[unit] - 1)
    # A reader is one of several: a little of the doubt stays even where all others agree.
    logs = np.log((alike * (n[unit] - 1) + 0.5) / n[unit])
    p = np.where(always, np.exp(np.bincount(rater, logs, minlength=raters)), 1.0)
    mixed = np.bincount(rater, alike < 1, minlength=raters) > 0
    return holm(np.where(mixed, np.minimum(p, 1.0), 1.0))
