"""The two-level permutation test: patients against patients, and images within a patient; p = 2·min of the two.

Permuting rows calls every property a leak that is constant per patient; permuting whole patients is undefined for unequal
image counts and blind to what differs inside a patient. The sum over the images with code x of (label − mean) splits
exactly in two, and each part has its own exchange:

* between: Σ over patients of (share of the patient's images with code x) · (images · (label mean − stratum mean)). Under the
  null, patients with equally many images exchange their second factor. Counts that few patients have are merged with
  their neighbours in size. Exact where a property is constant per patient and independent of the count; where it varies
  inside patients, merged strata err on the careful side (large patients have steadier shares). When the number of images
  itself tells the class (more than half of the variance), strata would hide every leak: then all patients exchange,
  and the null is "independent of label and count together".
* within: Σ over images with code x of (label − patient's mean); a patient's images exchange their labels. When the
  patients' own sums vary more than that exchange allows (label and property both drift from visit to visit), the statistic
  is divided by the excess, so that the patients remain the unit of evidence.

Statistic: Pearson's Σ T²/Var(T) over codes, for numbers also its Anderson–Darling kind over cumulated codes, each brought to a
normal scale (Wilson–Hilferty), then the largest over classes: the maximum is inside the permutation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix, csr_matrix

from auditor.statistics.coding import CodedField
from auditor.statistics.targets import Targets

Floats = npt.NDArray[np.float64]

STRATUM_PATIENTS = 20
EXPLAINED_BY_COUNT = 0.5
STOP_AFTER = 20
FEW_EXCEEDANCES = 10
HOPELESSLY_FAR = 1e-9
AD_VARIANCE = 2 * (np.pi**2 / 3 - 3)
BATCH_CELLS = 8_000_000
CELLS_AT_ONCE = 20_000_000


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One level of the test.

    Args:
        share: codes of all fields × units, float32.
        effect: units × classes, float64, summing to zero in each stratum.
        strata: stratum per unit; units exchange their effects inside it.
        starts: first code row of each field, then the number of rows; shape (fields + 1,).
        ordered: bins of a number, shape (fields,).
        excess: the observed statistic is divided by this, shape (fields, classes), ≥ 1.
    """

    share: csr_matrix
    effect: Floats
    strata: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ordered: npt.NDArray[np.bool_]
    excess: Floats | None = None

    @property
    def informative(self) -> bool:
        """Some stratum has effects to exchange; does not depend on any field."""
        return bool(np.abs(self.effect).max(initial=0.0) > 1e-9)


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """p-values per field, shape (fields,): both levels together, each level (1 where it cannot tell), and draws used."""

    p: Floats
    between: Floats
    within: Floats
    draws: npt.NDArray[np.int64]


def count_strata(images: npt.NDArray[np.int64], *, smallest: int = STRATUM_PATIENTS) -> npt.NDArray[np.int64]:
    """Strata of equal image count; counts that fewer than `smallest` patients have are merged with the next larger ones."""
    counts, holders = np.unique(images, return_counts=True)
    stratum = np.zeros(len(counts), np.int64)
    current, filled = 0, 0
    for i, amount in enumerate(holders):
        if filled >= smallest:
            current, filled = current + 1, 0
        stratum[i] = current
        filled += int(amount)
    if filled < smallest and current > 0:
        stratum[stratum == current] = current - 1
    return stratum[np.searchsorted(counts, images)]


def between_patients(
    fields: Sequence[CodedField],
    targets: Targets,
    clusters: npt.NDArray[np.int64],
    strata: npt.NDArray[np.int64] | None = None,
) -> Exchange:
    """The exchange of patients. `strata` (per record) are declared strata: a patient belongs to that of its first record."""
    count = int(clusters.max()) + 1
    images = np.bincount(clusters, minlength=count)
    known = np.column_stack([np.bincount(clusters, weights=targets.known[:, c], minlength=count) for c in range(_width(targets))])
    cases = np.column_stack([np.bincount(clusters, weights=targets.positive[:, c], minlength=count) for c in range(_width(targets))])
    by_count = count_strata(images)
    if _explained(known, cases, by_count) > EXPLAINED_BY_COUNT:
        by_count = np.zeros(count, np.int64)
    if strata is not None:
        declared = np.zeros(count, np.int64)
        declared[clusters[::-1]] = strata[::-1]
        by_count = np.unique(by_count * (int(strata.max()) + 1) + declared, return_inverse=True)[1]
    effect = cases - known * (_group_sum(cases, by_count) / np.maximum(_group_sum(known, by_count), 1.0))[by_count]
    starts = np.concatenate([[0], np.cumsum([field.size for field in fields])]).astype(np.int64)
    parts = []
    for start, field in zip(starts, fields, strict=False):
        pairs, amount = np.unique(clusters * field.size + field.codes, return_counts=True)
        holder = pairs // field.size
        parts.append((pairs % field.size + start, holder, amount / images[holder]))
    return Exchange(
        share=_sparse(parts, int(starts[-1]), count),
        effect=effect,
        strata=by_count,
        starts=starts,
        ordered=np.array([field.ordered for field in fields], np.bool_),
    )


def within_patients(
    fields: Sequence[CodedField],
    targets: Targets,
    clusters: npt.NDArray[np.int64],
    strata: npt.NDArray[np.int64] | None = None,
) -> Exchange:
    """The exchange of labels inside a patient (and inside a declared stratum of it)."""
    group = clusters if strata is None else np.unique(clusters * (int(strata.max()) + 1) + strata, return_inverse=True)[1]
    count = int(group.max()) + 1
    known = np.column_stack([np.bincount(group, weights=targets.known[:, c], minlength=count) for c in range(_width(targets))])
    cases = np.column_stack([np.bincount(group, weights=targets.positive[:, c], minlength=count) for c in range(_width(targets))])
    varies = ((cases > 0) & (cases < known)).any(axis=1)
    rows = np.flatnonzero(varies[group])
    mean = cases / np.maximum(known, 1.0)
    effect = (targets.positive[rows].astype(np.float64) - mean[group[rows]]) * targets.known[rows]
    local = np.unique(group[rows], return_inverse=True)[1] if rows.size else rows
    starts = np.concatenate([[0], np.cumsum([field.size for field in fields])]).astype(np.int64)
    ones, units = np.ones(len(rows)), np.arange(len(rows))
    parts = [(field.codes[rows] + start, units, ones) for start, field in zip(starts, fields, strict=False)]
    exchange = Exchange(
        share=_sparse(parts, int(starts[-1]), len(rows)),
        effect=effect,
        strata=local.astype(np.int64),
        starts=starts,
        ordered=np.array([field.ordered for field in fields], np.bool_),
    )
    if not exchange.informative:
        return exchange
    return Exchange(
        share=exchange.share,
        effect=effect,
        strata=exchange.strata,
        starts=starts,
        ordered=exchange.ordered,
        excess=_excess(exchange, fields, clusters[rows], rows),
    )


def two_level_test(
    fields: Sequence[CodedField],
    targets: Targets,
    clusters: npt.NDArray[np.int64],
    *,
    seed: int,
    draws: int = 2000,
    strata: npt.NDArray[np.int64] | None = None,
) -> TestResult:
    """Is a field independent of the labels? One p-value per field, the largest class taken inside the permutation.

    With one image per patient this is the plain permutation of rows. A level that cannot tell anything whatever the field
    (all labels constant per patient; all patients alike) costs no factor 2.

    Args:
        clusters: patient index per record, 0 … patients − 1, each present.
        draws: most permutations per level. Null fields stop after 20 exceedances (Besag & Clifford 1991); beyond the last
            draw the tail is extrapolated (see `tail_probability`).
        strata: declared strata per record: exchanges stay inside them.
    """
    if len(fields) > 1 and len(fields) * len(clusters) > CELLS_AT_ONCE:
        half = len(fields) // 2
        parts = [
            two_level_test(some, targets, clusters, seed=seed, draws=draws, strata=strata)
            for some in (fields[:half], fields[half:])
        ]
        return TestResult(
            p=np.concatenate([part.p for part in parts]),
            between=np.concatenate([part.between for part in parts]),
            within=np.concatenate([part.within for part in parts]),
            draws=np.concatenate([part.draws for part in parts]),
        )
    ones, used = np.ones(len(fields)), np.zeros(len(fields), np.int64)
    if not fields:
        return TestResult(p=ones, between=ones, within=ones, draws=used)
    levels = []
    for i, build in enumerate((between_patients, within_patients)):
        exchange = build(fields, targets, clusters, strata)
        if exchange.informative:
            p, spent = exchange_test(exchange, draws=draws, seed=seed + i)
            levels.append((i, p))
            used = np.maximum(used, spent)
    by_level = {i: p for i, p in levels}
    between, within = by_level.get(0, ones), by_level.get(1, ones)
    p = np.minimum(1.0, max(1, len(levels)) * np.minimum(between, within))
    return TestResult(p=p, between=between, within=within, draws=used)


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
        for row in np.flatnonzero(over):
            at = int(np.flatnonzero(np.cumsum(hit[row]) == STOP_AFTER - before[row])[0])
            used[alive[row]] = done - batch + at + 1
            p[alive[row]] = STOP_AFTER / used[alive[row]]
        history = np.concatenate([part[~over] for part in kept], axis=1)
        alive = alive[~over]
        finished = np.zeros(alive.size, np.bool_)
        for row, f in enumerate(alive):
            if exceed[f] < FEW_EXCEEDANCES and (done >= draws or (done >= 200 and exceed[f] == 0)):
                tail = tail_probability(history[row], float(observed[f]))
                if done >= draws or tail < HOPELESSLY_FAR:
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
    return float(max(1e-300, top / len(ordered) * tail))


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What the statistic needs besides the effects, for the fields still in play."""

    share: csr_matrix
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
    variance = _variance(share, exchange)
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


def _statistic(plan: _Plan, effects: Floats, excess: Floats | None = None) -> Floats:
    """Largest standardised statistic over classes; effects (units, draws, classes) → (fields, draws)."""
    divisor = 1.0 if excess is None else excess[:, None, :]
    units, draws, classes = effects.shape
    sums = np.asarray(plan.share @ effects.reshape(units, draws * classes).astype(np.float32), np.float64)
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
    grouped = exchange.strata[order].astype(np.float64)
    batch = max(1, min(draws, BATCH_CELLS // max(1, max(units, plan.share.shape[0]) * classes)))
    found = []
    for start in range(0, draws, batch):
        size = min(batch, draws - start)
        effects = np.empty((units, size, classes), np.float64)
        for b in range(size):
            shuffled = order[np.argsort(grouped + generator.random(units), kind="stable")]
            effects[order, b] = exchange.effect[shuffled]
        found.append(_statistic(plan, effects))
    return np.concatenate(found, axis=1)


def _variance(share: csr_matrix, exchange: Exchange) -> Floats:
    """Permutation variance of each code's sum: Σ over strata of SS(share)·SS(effect)/(units − 1); (rows, classes)."""
    units = len(exchange.strata)
    strata = int(exchange.strata.max()) + 1
    member = csr_matrix((np.ones(units), (np.arange(units), exchange.strata)), shape=(units, strata))
    held = np.bincount(exchange.strata, minlength=strata).astype(np.float64)
    wide = share.astype(np.float64)
    sums = (wide @ member).tocoo()
    squares = (wide.multiply(wide) @ member).tocsr()
    spread = squares - csr_matrix((sums.data**2 / held[sums.col], (sums.row, sums.col)), shape=sums.shape)
    effect = np.asarray(member.T @ exchange.effect**2)
    return np.maximum(np.asarray(spread @ (effect / np.maximum(held - 1, 1.0)[:, None])), 0.0)


def _excess(
    exchange: Exchange, fields: Sequence[CodedField], patient: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> Floats:
    """How much more the patients' own sums vary than free exchange allows, (fields, classes), at least 1."""
    variance = _variance(exchange.share, exchange)
    local = np.unique(patient, return_inverse=True)[1]
    result = np.ones((len(fields), exchange.effect.shape[1]))
    for f, field in enumerate(fields):
        own = variance[exchange.starts[f] : exchange.starts[f + 1]]
        cells, place = np.unique(local * field.size + field.codes[rows], return_inverse=True)
        for c in range(exchange.effect.shape[1]):
            sums = np.bincount(place, weights=exchange.effect[:, c])
            empirical = np.bincount(cells % field.size, weights=sums**2, minlength=field.size)
            useful = own[:, c] > 1e-9
            if useful.any():
                result[f, c] = max(1.0, float((empirical[useful] / own[useful, c]).mean()))
    return result


def _width(targets: Targets) -> int:
    return len(targets.names)


def _group_sum(values: Floats, groups: npt.NDArray[np.int64]) -> Floats:
    count = int(groups.max()) + 1
    return np.column_stack([np.bincount(groups, weights=column, minlength=count) for column in values.T])


def _explained(known: Floats, cases: Floats, strata: npt.NDArray[np.int64]) -> float:
    """Largest share, over classes, of the variance of the patients' label means that the strata explain."""
    largest = 0.0
    for c in range(known.shape[1]):
        has = known[:, c] > 0
        mean = cases[has, c] / known[has, c]
        held = np.bincount(strata[has])
        centre = np.bincount(strata[has], weights=mean) / np.maximum(held, 1)
        total = float(((mean - mean.mean()) ** 2).sum())
        if total > 0:
            largest = max(largest, 1 - float(((mean - centre[strata[has]]) ** 2).sum()) / total)
    return largest


def _sparse(parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]], rows: int, columns: int) -> csr_matrix:
    row, column, value = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return coo_matrix((value.astype(np.float32), (row, column)), shape=(rows, columns)).tocsr()
