"""Pairs of fields that tell a class only together, as XOR does; boosted trees alone seldom find one among many columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.statistics.coding import CodedField
from auditor.statistics.distributions import chi2

Floats = npt.NDArray[np.float64]

LEVELS = 4


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two fields (indices, first < second) and the p-value of their interaction, adjusted over all pairs (Bonferroni)."""

    first: int
    second: int
    p: float


def coarsen(field: CodedField) -> npt.NDArray[np.int8]:
    """Codes in at most four levels: numbers in groups of equal mass, text as the three commonest values and the rest."""
    counts = np.bincount(field.codes, minlength=field.size)
    if field.size <= LEVELS:
        return field.codes.astype(np.int8)
    if field.ordered:
        middle = (np.cumsum(counts) - counts / 2) / counts.sum()
        level = np.minimum((middle * LEVELS).astype(np.int8), LEVELS - 1)
    else:
        level = np.full(field.size, LEVELS - 1, np.int8)
        level[np.argsort(-counts, kind="stable")[: LEVELS - 1]] = np.arange(LEVELS - 1, dtype=np.int8)
    return np.asarray(level[field.codes], np.int8)


def screen_pairs(coarse: npt.NDArray[np.int8], positive: npt.NDArray[np.bool_], *, alpha: float = 0.05) -> list[Pair]:
    """Interacting pairs, strongest first, at family-wise `alpha`.

    For each pair the χ² of the joint cells less the χ² of either field alone, from two matrix products for all pairs at once.
    Rows are taken as independent: this proposes, it proves nothing.

    Args:
        coarse: levels 0–3, shape (records, fields).
        positive: shape (records,).
    """
    records, fields = coarse.shape
    if fields < 2 or positive.all() or not positive.any():
        return []
    flat = (coarse[:, :, None] == np.arange(LEVELS, dtype=np.int8)).reshape(records, fields * LEVELS).astype(np.float32)
    share = float(positive.mean())
    both = (flat.T @ flat).astype(np.float64)
    residual = (positive - share).astype(np.float32)
    sums = (flat.T @ (flat * residual[:, None])).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi = np.where(both > 0.5, sums**2 / (both * share * (1 - share)), 0.0)
    shape = (fields, LEVELS, fields, LEVELS)
    joint = chi.reshape(shape).sum(axis=(1, 3))
    cells = (both.reshape(shape) > 0.5).sum(axis=(1, 3))
    alone = chi.diagonal().reshape(fields, LEVELS).sum(axis=1)
    levels = (both.diagonal().reshape(fields, LEVELS) > 0.5).sum(axis=1)
    first, second = np.triu_indices(fields, 1)
    gain = joint[first, second] - alone[first] - alone[second]
    freedom = np.maximum(cells[first, second] - levels[first] - levels[second] + 1, 0)
    p = np.ones(len(first))
    possible = freedom > 0
    if possible.any():
        p[possible] = chi2.sf(np.maximum(gain[possible], 0.0), freedom[possible])
    p = np.minimum(1.0, p * len(first))
    order = np.lexsort((-gain, p))
    return [Pair(first=int(first[i]), second=int(second[i]), p=float(p[i])) for i in order if p[i] <= alpha]
