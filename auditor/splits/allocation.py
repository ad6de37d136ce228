"""Whole groups of records dealt to splits: the sizes wanted, every stratum in its share, few records moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

PASSES = 100
MISSES = 200
"""So many groups in a row whose move helps no longer: what was computed is stale."""
EPSILON = 1e-9


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """When an existing split is good enough to leave the rest of it where it is.

    Args:
        size: largest difference between the share of a split and the wanted one, of all records.
        stratum: largest difference between the share of a stratum in a split and the split's size, of the stratum. Half a
            record more or less is always well.
    """

    size: float = 0.01
    stratum: float = 0.05


def allocate(
    counts: csr_matrix,
    sizes: Floats,
    *,
    start: Codes | None = None,
    tolerance: Tolerance | None = None,
    everywhere: int = 0,
    seed: int = 0,
) -> Codes:
    """A split per group.

    Minimises chi-square, the sum over strata and splits of (records − wanted)² / wanted, where the first stratum holds all
    records and weighs as much as all others together. Without `start`, groups are placed one by one, the largest first, where
    they lower it most; then single groups move while that lowers it. With `start`, only those move that bring most per record
    moved, until `tolerance` holds or no move helps. Last, a stratum that a split lacks gets a group there, if it has enough.

    Args:
        counts: records per group and stratum; shape (groups, strata); the first stratum is the number of records.
        sizes: share of each split, sum 1; shape (splits,).
        start: split of each group as it is, −1 = none; shape (groups,).
        tolerance: with `start`: when to stop; None: as good as it gets.
        everywhere: so many strata after the first should be in every split, however rare.
        seed: breaks ties between groups of equal size.

    Returns:
        Split per group, 0 … splits − 1; shape (groups,).
    """
    board = _Board(counts, sizes)
    split = np.full(counts.shape[0], -1, np.int64) if start is None else start.astype(np.int64).copy()
    for group in np.flatnonzero(split >= 0).tolist():
        board.put(group, int(split[group]), 1.0)
    size = np.asarray(counts[:, [0]].todense()).ravel()
    tie = np.random.default_rng(seed).random(len(size))
    waiting = np.flatnonzero(split < 0)
    for group in waiting[np.lexsort((tie[waiting], -size[waiting]))].tolist():
        split[group] = board.best(group)
        board.put(group, int(split[group]), 1.0)
    for _ in range(PASSES):
        if (tolerance is not None and board.holds(tolerance)) or not _improve(board, split, size, tolerance):
            break
    for stratum in range(1, 1 + everywhere):
        _reach(board, split, stratum)
    return split


class _Board:
    """How many records of every stratum lie in every split, and what a move would change."""

    def __init__(self, counts: csr_matrix, sizes: Floats) -> None:
        self.counts = counts.tocsr().astype(np.float64)
        total = np.asarray(self.counts.sum(axis=0)).ravel()
        self.total = total
        self.wanted = total[:, None] * sizes[None, :]
        self.held = np.zeros_like(self.wanted)
        weight = np.ones(len(total))
        weight[0] = max(1.0, len(total) - 1.0)
        self.scale = weight[:, None] / np.maximum(self.wanted, EPSILON)
        self.sizes = sizes

    def row(self, group: int) -> tuple[npt.NDArray[np.int32], Floats]:
        """Strata of a group, and its records in each."""
        begin, end = self.counts.indptr[group], self.counts.indptr[group + 1]
        return self.counts.indices[begin:end], self.counts.data[begin:end]

    def put(self, group: int, split: int, sign: float) -> None:
        """Add a group to a split (sign 1) or take it away (−1)."""
        strata, records = self.row(group)
        self.held[strata, split] += sign * records

    def best(self, group: int) -> int:
        """Where chi-square rises least when the group is added."""
        strata, records = self.row(group)
        rise = records[:, None] * (records[:, None] + 2 * (self.held - self.wanted)[strata]) * self.scale[strata]
        return int(np.argmin(rise.sum(axis=0)))

    def change(self, group: int, old: int, new: int) -> float:
        """Of chi-square when the group moves."""
        strata, records = self.row(group)
        surplus = (self.held - self.wanted)[strata]
        add = records * (records + 2 * surplus[:, new]) * self.scale[strata, new]
        drop = records * (records - 2 * surplus[:, old]) * self.scale[strata, old]
        return float((add + drop).sum())

    def changes(self, split: Codes) -> Floats:
        """Of chi-square for every group and split it could move to; shape (groups, splits)."""
        surplus = self.held - self.wanted
        squared = self.counts.multiply(self.counts).tocsr()
        add = squared @ self.scale + 2 * (self.counts @ (surplus * self.scale))
        drop = squared @ self.scale - 2 * (self.counts @ (surplus * self.scale))
        rows = np.arange(len(split))
        result = np.asarray(add + drop[rows, split][:, None])
        result[rows, split] = 0.0
        return result

    def holds(self, tolerance: Tolerance) -> bool:
        """Every split has its size and its share of every stratum, as far as the tolerance asks."""
        off = np.abs(self.held - self.wanted)
        allowed = np.maximum(tolerance.stratum * self.total, 0.5)[:, None]
        return bool((off[0] <= max(tolerance.size * self.total[0], 0.5)).all() and (off[1:] <= allowed[1:]).all())


def _reach(board: _Board, split: Codes, stratum: int) -> None:
    """Move a group of the stratum to every split that has none, from one that has two or more; the one that costs least."""
    groups = np.flatnonzero(np.asarray(board.counts[:, [stratum]].todense()).ravel() > 0)
    for empty in np.flatnonzero(board.held[stratum] < EPSILON).tolist():
        there = np.bincount(split[groups], minlength=len(board.sizes))
        able = groups[there[split[groups]] > 1]
        if len(able):
            costs = [board.change(group, int(split[group]), empty) for group in able.tolist()]
            group = int(able[int(np.argmin(costs))])
            board.put(group, int(split[group]), -1.0)
            board.put(group, empty, 1.0)
            split[group] = empty


def _improve(board: _Board, split: Codes, size: Floats, tolerance: Tolerance | None) -> bool:
    """One pass of moves that lower chi-square, those that lower it most per record first; False when there was none."""
    changes = board.changes(split)
    goal = np.argmin(changes, axis=1)
    gain = -changes[np.arange(len(split)), goal]
    useful = np.flatnonzero(gain > EPSILON)
    order = useful[np.lexsort((useful, -(gain / np.maximum(size, 1.0))[useful]))]
    moved, misses = False, 0
    for number, group in enumerate(order.tolist()):
        old, new = int(split[group]), int(goal[group])
        if board.change(group, old, new) >= -EPSILON:
            misses += 1
            if misses > MISSES:
                break
            continue
        misses = 0
        board.put(group, old, -1.0)
        board.put(group, new, 1.0)
        split[group] = new
        moved = True
        if tolerance is not None and number % 16 == 0 and board.holds(tolerance):
            return True
    return moved
