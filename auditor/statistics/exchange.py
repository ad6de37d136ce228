"""Exchange inside strata: the statistic, its permutations, when to stop, and the tail beyond the last one.

Statistic: Pearson's Σ T²/Var(T) over codes, for numbers also its Anderson–Darling kind over cumulated codes, each brought to a
normal scale (Wilson–Hilferty), then the largest over classes: the maximum is inside the permutation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.statistics.sparse import Sparse, sparse, sums_of_groups

Floats = npt.NDArray[np.float64]

STOP_AFTER = 20
FEW_EXCEEDANCES = 10
HOPELESSLY_FAR = 1e-4
AD_VARIANCE = 2 * (np.pi**2 / 3 - 3)
BATCH_CELLS = 8_000_000
MOST_SORTED = 32
"""Units of a stratum up to which sorting is faster than shuffling."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One level of the test.

    Args:
        share: codes of all fields × units, float32; see `auditor.statistics.sparse.small_or_sparse`.
        effect: units × classes, float64, summing to zero in each stratum.
        strata: stratum per unit; units exchange their effects inside it.
        starts: first code row of each field, then the number of rows; shape (fields + 1,).
        ordered: bins of a number, shape (fields,).
        excess: the observed statistic is divided by this, shape (fields, classes), ≥ 1.
    """

    share: Sparse
    effect: Floats
    strata: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ordered: npt.NDArray[np.bool_]
    excess: Floats | None = None

    @property
    def informative(self) -> bool:
        """Some stratum has effects to exchange; does not depend on any field."""
        return bool(np.abs(self.effect).max(initial=0.0) > 1e-9)


def exchange_test(exchange: Exchange, *, draws: int, seed: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """p-value and permutations used per field, shape (fields,) each. Every permutation is shared by all fields."""
    fields = len(exchange.ordered)
    plan = _plan(exchange)
    observed = _statistic(plan, exchange.effect[:, None, :], exchange.excess)[:, 0]
    p, used = np.ones(fields), np.zeros(fields, np.int64)
    exceed = np.zeros(fields, np.int64)
    alive = np.arange(fields)
    kept: list[Floats] = []
    generator = np.random.default_rng(seed)
    done, batch = 0, 40
    while alive.size and done < draws:
        batch = min(batch, draws - done)
        drawn = _permuted(plan, exchange, batch, generator)
        hit = drawn >= observed[alive, None] - 1e-4
        before = exceed[alive].copy()
        exceed[alive] += hit.sum(axis=1)
        kept.append(drawn)
        done += batch
        used[alive] = done
        over = exceed[alive] >= STOP_AFTER
        for row in np.flatnonzero(over).tolist():
            at = int(np.flatnonzero(np.cumsum(hit[row]) == STOP_AFTER - before[row])[0])
            used[alive[row]] = done - batch + at + 1
            p[alive[row]] = STOP_AFTER / used[alive[row]]
        history = np.concatenate([part[~over] for part in kept], axis=1)
        alive = alive[~over]
        finished = np.zeros(alive.size, np.bool_)
        for row, f in enumerate(alive.tolist()):
            if exceed[f] < FEW_EXCEEDANCES and (done >= draws or (done >= 200 and exceed[f] == 0)):
                tail = tail_probability(history[row], float(observed[f]))
                if done >= draws or tail < HOPELESSLY_FAR / fields:
                    p[f], finished[row] = tail, True
            elif done >= draws:
                p[f], finished[row] = (exceed[f] + 1) / (done + 1), True
        kept = [history[~finished]]
        alive = alive[~finished]
        if alive.size and (over.any() or finished.any()):
            plan = _narrow(exchange, alive)
        batch = min(2 * batch, 320)
    return p, used


def permuted_statistics(exchange: Exchange, *, draws: int, seed: int) -> tuple[Floats, Floats]:
    """Observed statistic (fields,) and its joint permutations (draws, fields), for max-T."""
    plan = _plan(exchange)
    observed = _statistic(plan, exchange.effect[:, None, :], exchange.excess)[:, 0]
    return observed, _permuted(plan, exchange, draws, np.random.default_rng(seed)).T


def tail_probability(permuted: Floats, observed: float) -> float:
    """P(statistic ≥ observed) beyond the last permutation: a generalised Pareto tail above the 90th percentile.

    Knijnenburg et al. 2009 (Bioinformatics 25:i161), with the shape held at 0 or above (moments): on the normal scale used
    here the true tail is lighter than exponential, so the extrapolation errs on the careful side. Never below 1e-300.
    """
    exceedances = int((permuted >= observed - 1e-4).sum())
    if exceedances >= FEW_EXCEEDANCES:
        return (exceedances + 1) / (len(permuted) + 1)
    ordered = np.sort(permuted)
    top = max(20, len(ordered) // 10)
    threshold = float(ordered[-top - 1])
    over = ordered[-top:] - threshold
    mean, variance = float(over.mean()), float(over.var(ddof=1))
    if mean <= 0:
        return (exceedances + 1) / (len(permuted) + 1)
    shape = min(0.5, max(0.0, 0.5 * (1 - mean**2 / variance))) if variance > 0 else 0.0
    scale = mean * (1 - shape)
    distance = max(0.0, observed - threshold)
    tail = np.exp(-distance / scale) if shape < 1e-6 else (1 + shape * distance / scale) ** (-1 / shape)
    return float(max(1e-300, min(top / len(ordered) * tail, (exceedances + 1) / (len(permuted) + 1))))


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What the statistic needs besides the effects, for the fields still in play."""

    share: Sparse
    precision: Floats  # (rows, classes): 1 / Var(T), 0 where T cannot vary
    freedom: Floats  # (fields, classes): codes that can vary
    offsets: npt.NDArray[np.int64]
    cut_weight: Floats  # (rows, classes): weight of the cumulated sum at each cut, 0 for unordered fields
    has_cuts: npt.NDArray[np.bool_]


def _plan(exchange: Exchange) -> _Plan:
    return _narrow(exchange, np.arange(len(exchange.ordered)))


def _narrow(exchange: Exchange, fields: npt.NDArray[np.int64]) -> _Plan:
    """The plan for some fields only."""
    sizes = np.diff(exchange.starts)[fields]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    owner = np.repeat(np.arange(len(fields)), sizes)
    rows = np.arange(offsets[-1]) - offsets[owner] + exchange.starts[fields][owner]
    whole = len(fields) == len(exchange.ordered)
    share = exchange.share if whole else exchange.share[rows]
    variance = permutation_variance(share, exchange)
    tiny = 1e-9 * np.maximum(variance.max(axis=0, initial=0.0), 1e-300)
    varies = variance > tiny
    precision = np.where(varies, 1.0 / np.where(varies, variance, 1.0), 0.0)
    freedom = np.add.reduceat(varies.astype(np.float64), offsets[:-1], axis=0)
    mass = np.asarray(share.sum(axis=1), np.float64).ravel()
    fraction = mass / np.maximum(np.add.reduceat(mass, offsets[:-1])[owner], 1e-300)
    cumulated = np.cumsum(fraction)
    cumulated -= np.concatenate([[0.0], cumulated[offsets[1:-1] - 1]])[owner]
    spread = cumulated * (1 - cumulated)
    is_last = np.zeros(len(rows), np.bool_)
    is_last[offsets[1:] - 1] = True
    cut = exchange.ordered[fields][owner] & ~is_last & (spread > 1e-9)
    scale = np.add.reduceat(variance, offsets[:-1], axis=0) / np.maximum(
        np.add.reduceat(fraction * (1 - fraction), offsets[:-1])[:, None], 1e-300
    )
    # Each cut weighs as much as the mass it stands for; the weights of a field sum to one.
    gap = np.where(cut, fraction, 0.0)
    gap /= np.maximum(np.add.reduceat(gap, offsets[:-1])[owner], 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        cut_weight = np.where(cut[:, None], (gap / spread)[:, None] / np.maximum(scale, 1e-300)[owner], 0.0)
    cuts = np.add.reduceat(cut.astype(np.int64), offsets[:-1])
    return _Plan(
        share=share,
        precision=precision,
        freedom=freedom,
        offsets=offsets,
        cut_weight=cut_weight,
        has_cuts=cuts > 1,
    )


def _statistic(plan: _Plan, effects: Floats | npt.NDArray[np.float32], excess: Floats | None = None) -> Floats:
    """Largest standardised statistic over classes; effects (units, draws, classes) → (fields, draws)."""
    divisor = 1.0 if excess is None else excess[:, None, :]
    units, draws, classes = effects.shape
    sums = np.asarray(plan.share @ effects.reshape(units, draws * classes).astype(np.float32, copy=False), np.float64)
    sums = sums.reshape(-1, draws, classes)
    chi2 = np.add.reduceat(sums**2 * plan.precision[:, None, :], plan.offsets[:-1], axis=0)
    freedom = plan.freedom[:, None, :]
    degrees = np.maximum(freedom - 1, 1.0)
    best = _normal(chi2 * degrees / np.maximum(freedom, 1.0) / divisor, degrees)
    best[np.broadcast_to(freedom < 2, best.shape)] = -np.inf
    if plan.has_cuts.any():
        running = np.cumsum(sums, axis=0)
        begin = np.zeros((len(plan.offsets) - 1, draws, classes))
        begin[1:] = running[plan.offsets[1:-1] - 1]
        running -= np.repeat(begin, np.diff(plan.offsets), axis=0)
        ordered = np.add.reduceat(running**2 * plan.cut_weight[:, None, :], plan.offsets[:-1], axis=0)
        effective = 2.0 / AD_VARIANCE
        trend = _normal(ordered / divisor * effective, np.full((1, 1, 1), effective))
        trend[~plan.has_cuts] = -np.inf
        np.maximum(best, trend, out=best)
    largest = best.max(axis=2)
    return np.where(np.isfinite(largest), largest, -9.0)


def _normal(chi2: Floats, degrees: Floats) -> Floats:
    """Wilson–Hilferty: a χ² variable on a normal scale."""
    step = 2.0 / (9.0 * degrees)
    return np.asarray((np.cbrt(chi2 / degrees) - (1 - step)) / np.sqrt(step))


def _permuted(plan: _Plan, exchange: Exchange, draws: int, generator: np.random.Generator) -> Floats:
    """Statistics of `draws` permutations, (fields, draws)."""
    units, classes = exchange.effect.shape
    order = np.argsort(exchange.strata, kind="stable")
    back = np.argsort(order, kind="stable")
    effect = exchange.effect.astype(np.float32)[order]
    exchanged = _Exchanged.of(exchange.strata)
    batch = max(1, min(draws, BATCH_CELLS // max(1, max(units, plan.share.shape[0]) * classes)))
    found = []
    for start in range(0, draws, batch):
        size = min(batch, draws - start)
        effects = np.empty((units, size, classes), np.float32)
        for b in range(size):
            effects[:, b] = effect[exchanged.draw(generator)][back]
        found.append(_statistic(plan, effects))
    return np.concatenate(found, axis=1)


@dataclass(frozen=True, kw_only=True)
class _Exchanged:
    """Draws permutations of units that are sorted by stratum; each stratum keeps its place.

    Large strata are shuffled one by one, small ones of one size all at once by sorting random numbers: in both ways every
    order of a stratum is as likely as any other.
    """

    units: int
    large: tuple[tuple[int, int], ...]  # first unit, and the one behind the last
    small: tuple[npt.NDArray[np.int64], ...]  # units of the strata of one size, (strata, size)

    @staticmethod
    def of(strata: npt.NDArray[np.int64]) -> _Exchanged:
        """For the stratum of each unit."""
        sizes = np.bincount(strata) if len(strata) else np.zeros(0, np.int64)
        sizes = sizes[sizes > 0]
        starts = np.cumsum(sizes) - sizes
        large = [(int(a), int(a + n)) for a, n in zip(starts, sizes, strict=True) if n > MOST_SORTED]
        each = [n for n in np.unique(sizes).tolist() if 1 < n <= MOST_SORTED]
        small = [starts[sizes == n][:, None] + np.arange(n) for n in each]
        return _Exchanged(units=len(strata), large=tuple(large), small=tuple(small))

    def draw(self, generator: np.random.Generator) -> npt.NDArray[np.int64]:
        """Which unit's effect each unit gets, shape (units,)."""
        source = np.arange(self.units)
        for start, end in self.large:
            source[start:end] = start + generator.permutation(end - start)
        for units in self.small:
            source[units] = units[:, :1] + np.argsort(generator.random(units.shape), axis=1)
        return source


def permutation_variance(share: Sparse, exchange: Exchange) -> Floats:
    """Permutation variance of each code's sum: Σ over strata of SS(share)·SS(effect)/(units − 1); (rows, classes)."""
    if isinstance(share, np.ndarray):
        return _variance_of_few(share, exchange)
    units = len(exchange.strata)
    strata = int(exchange.strata.max()) + 1
    member = sparse(np.ones(units), np.arange(units), exchange.strata, (units, strata))
    held = np.bincount(exchange.strata, minlength=strata).astype(np.float64)
    wide = share.astype(np.float64)
    sums = (wide @ member).tocoo()
    squares = (wide.multiply(wide) @ member).tocsr()
    spread = squares - sparse(sums.data**2 / held[sums.col], sums.row, sums.col, sums.shape)
    effect = np.asarray(member.T @ exchange.effect**2)
    variance: Floats = np.maximum(np.asarray(spread @ (effect / np.maximum(held - 1, 1.0)[:, None])), 0.0)
    return variance


def _variance_of_few(share: Floats, exchange: Exchange) -> Floats:
    """The same of an array."""
    held = np.unique(exchange.strata, return_counts=True)[1]
    sums, squares = (sums_of_groups(cells, exchange.strata) for cells in (share, share**2))
    effect = sums_of_groups((exchange.effect**2).T, exchange.strata).T
    variance: Floats = np.maximum((squares - sums**2 / held) @ (effect / np.maximum(held - 1, 1.0)[:, None]), 0.0)
    return variance
