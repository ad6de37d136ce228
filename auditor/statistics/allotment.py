"""Whole groups (sites) dealt to parts so that every part has its share of the records and of every class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MOVES = 200
MOST_MOVED, MOST_SWAPPED = 60, 24


@dataclass(frozen=True, kw_only=True)
class Allotment:
    """`part` of each group, shape (groups,); `worst` = largest difference of a part's share of a class from its fair one."""

    part: npt.NDArray[np.int64]
    worst: float


def allot(counts: npt.NDArray[np.float64], *, parts: int) -> Allotment:
    """Deal groups to parts: the largest first, each to where it does least harm, then single moves and swaps while they help.

    The aim of preserved-site cross-validation (Howard et al. 2021, Nature Communications 12:4423), solved greedily: a
    quadratic programme is no better for the few sites that there are.

    Args:
        counts: records of each group by class, shape (groups, classes).
    """
    share = counts / np.maximum(counts.sum(axis=0), 1.0)
    groups = len(share)
    part = np.zeros(groups, np.int64)
    held = np.zeros((parts, share.shape[1]))
    for g in np.argsort(-counts.sum(axis=1), kind="stable"):
        part[g] = int(np.argmin([_harm(held, share[g], p, parts) for p in range(parts)]))
        held[part[g]] += share[g]
    cost = float(((held - 1 / parts) ** 2).sum())
    for _ in range(min(MOVES, 4 * groups)):
        options: list[tuple[tuple[int, int], ...]] = [
            ((g, p),) for g in range(min(groups, MOST_MOVED)) for p in range(parts) if p != part[g]
        ]
        if groups <= MOST_SWAPPED:
            options += [((a, int(part[b])), (b, int(part[a]))) for a in range(groups) for b in range(a) if part[a] != part[b]]
        tried = [_changed(held, share, part, moves) for moves in options]
        costs = [float(((one - 1 / parts) ** 2).sum()) for one in tried]
        best = int(np.argmin(costs)) if costs else 0
        if not costs or costs[best] >= cost - 1e-12:
            break
        cost, held = costs[best], tried[best]
        for g, p in options[best]:
            part[g] = p
    return Allotment(part=part, worst=float(np.abs(held - 1 / parts).max()))


def _harm(held: npt.NDArray[np.float64], share: npt.NDArray[np.float64], p: int, parts: int) -> float:
    """Growth of the squared distance from fair shares when part `p` takes the group."""
    return float(((held[p] + share - 1 / parts) ** 2 - (held[p] - 1 / parts) ** 2).sum())


def _changed(
    held: npt.NDArray[np.float64], share: npt.NDArray[np.float64], part: npt.NDArray[np.int64], moves: Sequence[tuple[int, int]]
) -> npt.NDArray[np.float64]:
    changed = held.copy()
    for g, p in moves:
        changed[part[g]] -= share[g]
        changed[p] += share[g]
    return changed
