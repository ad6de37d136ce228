"""Which split each record gets: whole groups are dealt, kept splits stay, and what exists is moved as little as may be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from auditor.evidence.kin.identity import Codes
from auditor.splits.allocation import Tolerance, allocate
from auditor.splits.wish import Wish

UNASKED = 0.05
"""How far the share of a split may go from what it was, where no sizes are asked for."""


def dealt(
    wish: Wish,
    names: Sequence[str],
    sizes: npt.NDArray[np.float64],
    place: Codes,
    groups: Codes,
    strata: tuple[csr_matrix, int],
) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """Split per record, and which records are excluded.

    Records of a kept split stay. Whatever else belongs to their groups may stand nowhere: not in the kept split, which must
    stay as it is, and not in another.
    """
    kept = np.array([name in wish.keep for name in names])
    stays = (place >= 0) & kept[place]
    touched = np.zeros(int(groups.max(initial=-1)) + 1, bool)
    touched[groups[stays]] = True
    excluded = touched[groups] & ~stays
    free = np.flatnonzero(~kept)
    new = np.where(stays, place, -1)
    rows = np.flatnonzero(~touched[groups])
    if len(rows):
        local, number = np.unique(groups[rows], return_inverse=True)
        gather = csr_matrix((np.ones(len(rows)), (number, np.arange(len(rows)))), shape=(len(local), len(rows)))
        position = np.full(len(names), -1, np.int64)
        position[free] = np.arange(len(free))
        there = np.where(place[rows] >= 0, position[place[rows]], -1)
        share = sizes[free] / sizes[free].sum()
        start = majority(number, there, len(local), share) if (there >= 0).any() else None
        chosen = allocate(
            (gather @ strata[0][rows]).tocsr(),
            share,
            start=start,
            # Who asks for no sizes wants the groups whole, and the rest left in peace.
            tolerance=None if start is None else Tolerance() if wish.sizes else Tolerance(size=UNASKED),
            everywhere=strata[1],
            seed=wish.seed,
        )
        new[rows] = free[chosen[number]]
    return np.where(excluded, 0, new), excluded


def majority(number: Codes, place: Codes, groups: int, shares: npt.NDArray[np.float64]) -> Codes:
    """The split that most records of each group stand in, −1 where none stands in one; shape (groups,).

    Of equals, the one that has least of its share so far: to stay in any of them moves as few records.
    """
    held = np.zeros((groups, len(shares)), np.int64)
    known = place >= 0
    np.add.at(held, (number[known], place[known]), 1)
    most = held.max(axis=1)
    chosen = np.where(most > 0, held.argmax(axis=1), -1)
    size = np.bincount(number, minlength=groups)
    tied = (most > 0) & ((held == most[:, None]).sum(axis=1) > 1)
    sure = (chosen >= 0) & ~tied
    filled = np.bincount(chosen[sure], weights=size[sure], minlength=len(shares))
    for group in np.flatnonzero(tied).tolist():
        equal = np.flatnonzero(held[group] == most[group])
        best = int(equal[np.argmin(filled[equal] / shares[equal])])
        chosen[group] = best
        filled[best] += size[group]
    return chosen.astype(np.int64)
