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
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from auditor.statistics.coding import CodedField
from auditor.statistics.exchange import Exchange, exchange_test, permutation_variance
from auditor.statistics.sparse import Sparse, small_or_sparse
from auditor.statistics.targets import Targets

Floats = npt.NDArray[np.float64]

STRATUM_PATIENTS = 20
EXPLAINED_BY_COUNT = 0.5
CELLS_AT_ONCE = 20_000_000


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
    known, cases = _sums(targets, clusters, count)
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
    known, cases = _sums(targets, group, count)
    varies = np.any((cases > 0) & (cases < known), axis=1)
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
    return replace(exchange, excess=_excess(exchange, fields, clusters[rows], rows))


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
    by_level = dict(levels)
    between, within = by_level.get(0, ones), by_level.get(1, ones)
    p = np.minimum(1.0, max(1, len(levels)) * np.minimum(between, within))
    return TestResult(p=p, between=between, within=within, draws=used)


def _excess(
    exchange: Exchange, fields: Sequence[CodedField], patient: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> Floats:
    """How much more the patients' own sums vary than free exchange allows, (fields, classes), at least 1."""
    variance = permutation_variance(exchange.share, exchange)
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


def _sums(targets: Targets, groups: npt.NDArray[np.int64], count: int) -> tuple[Floats, Floats]:
    """Records of known label and of the class, per group; (groups, classes) each."""
    known, cases = np.empty((count, len(targets.names))), np.empty((count, len(targets.names)))
    for c in range(len(targets.names)):
        known[:, c] = np.bincount(groups[targets.known[:, c]], minlength=count)
        cases[:, c] = np.bincount(groups[targets.positive[:, c]], minlength=count)
    return known, cases


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


def _sparse(parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]], rows: int, columns: int) -> Sparse:
    row, column, value = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return small_or_sparse(value.astype(np.float32), row, column, (rows, columns))
