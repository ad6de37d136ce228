"""All measures of agreement of one set of readings, by the kind of the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.evidence.raters.agreement import (
    Coefficient,
    Metric,
    count_readings,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    percent,
    similarity_matrix,
    weight_matrix,
)
from auditor.evidence.raters.habits import MIN_COPIED, copied_dissents, without_copies
from auditor.evidence.raters.measurements import icc_average, icc_single, interval_alpha
from auditor.evidence.raters.pairs import Pair, class_alphas, finding_alphas, rater_pairs, set_similarity
from auditor.evidence.raters.raters import RaterTest, compare_raters
from auditor.evidence.raters.readings import Readings, class_values, finding_sets

MAX_ICC_CELLS = 4_000_000
PAIR_REPEATS = 200
CLASS_REPEATS = 200
MAX_CLASS_ROWS = 50


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What was measured.

    Args:
        metric: of α: nominal, ordinal, `sets` (Jaccard) or interval.
        alpha: Krippendorff's α.
        measures: name → coefficient, in the order of a table.
        similarity: (classes, classes) behind α.
        pairs: of raters.
        classes: per class or finding: name, readings that name it, specific agreement and α against the rest.
    """

    metric: str
    alpha: Coefficient
    measures: tuple[tuple[str, Coefficient], ...]
    similarity: npt.NDArray[np.float64]
    pairs: tuple[Pair, ...]
    classes: tuple[tuple[str, int, tuple[float, Coefficient]], ...]


def measure_agreement(readings: Readings, *, repeats: int, seed: int) -> Agreement:
    """Percent, α, Fleiss' κ, AC1 for all; weighted κ and AC2 for grades; ICC where a number stands behind each class."""
    counts, cluster = readings.counts, readings.cluster
    how = {"cluster": cluster, "repeats": repeats, "seed": seed}
    metric: Metric = "ordinal" if readings.ordinal else "nominal"
    similarity = similarity_matrix(counts, metric)
    called: str = metric
    if readings.several:
        names, members = finding_sets(readings.classes)
        similarity, called = set_similarity(members), "sets"
        per_class = finding_alphas(counts, members, cluster=cluster, repeats=CLASS_REPEATS, seed=seed)
        said = (counts.sum(axis=0) @ members).astype(np.int64).tolist()
    else:
        names = readings.classes
        per_class = class_alphas(counts, cluster=cluster, repeats=CLASS_REPEATS, seed=seed)
        said = counts.sum(axis=0).astype(np.int64).tolist()
    alpha = krippendorff_alpha(counts, metric, similarity=similarity, **how)  # type: ignore[arg-type]
    measures = [
        ("percent agreement", percent(counts, **how)),  # type: ignore[arg-type]
        (f"Krippendorff's α ({called})", alpha),
        ("Fleiss' κ", fleiss_kappa(counts, **how)),  # type: ignore[arg-type]
        ("Gwet's AC1", gwet_ac1(counts, **how)),  # type: ignore[arg-type]
    ]
    if readings.ordinal:
        graded = weight_matrix(counts.shape[1], "quadratic")
        measures += [
            ("Fleiss' κ, quadratic weights", fleiss_kappa(counts, weights="quadratic", **how)),  # type: ignore[arg-type]
            ("Gwet's AC2, quadratic weights", gwet_ac2(counts, graded, **how)),  # type: ignore[arg-type]
        ]
    values = class_values(readings.classes, ordinal=readings.ordinal)
    if readings.ordinal and values is not None and len(readings.records) * len(readings.raters) <= MAX_ICC_CELLS:
        matrix = np.full((len(readings.records), len(readings.raters)), np.nan)
        matrix[readings.unit, readings.rater] = values[readings.label]
        measures += _intraclass(matrix, cluster, repeats, seed)
    pairs = rater_pairs(
        readings.unit, readings.rater, readings.label, units=len(readings.records), raters=len(readings.raters),
        classes=len(readings.classes), weights="quadratic" if readings.ordinal else "none", cluster=cluster,
        repeats=PAIR_REPEATS, seed=seed,
    )  # fmt: skip
    return Agreement(
        metric=called,
        alpha=alpha,
        measures=tuple(measures),
        similarity=similarity,
        pairs=tuple(pairs),
        classes=tuple(zip(names, said, per_class, strict=True)),
    )


def measure_scores(
    values: npt.NDArray[np.float64], cluster: npt.NDArray[np.int64], *, repeats: int, seed: int
) -> tuple[tuple[str, Coefficient], ...]:
    """Agreement of measurements (records, raters), NaN = not measured: interval α and both intraclass correlations."""
    alpha = interval_alpha(values, cluster=cluster, repeats=repeats, seed=seed)
    return (("Krippendorff's α (interval)", alpha), *_intraclass(values, cluster, repeats, seed))


def _intraclass(
    values: npt.NDArray[np.float64], cluster: npt.NDArray[np.int64], repeats: int, seed: int
) -> list[tuple[str, Coefficient]]:
    found = [
        ("ICC(2,1)", icc_single(values, cluster=cluster, repeats=repeats, seed=seed)),
        ("ICC(3,k)", icc_average(values, cluster=cluster, repeats=repeats, seed=seed)),
    ]
    return [(name, c) for name, c in found if not np.isnan(c.value)]


def against_others(readings: Readings, similarity: npt.NDArray[np.float64], max_p: float) -> RaterTest:
    """Each rater against the others; of two who copy (ED002) one is left out, for together they make honest ones look odd."""
    unit, rater, label, raters = readings.unit, readings.rater, readings.label, len(readings.raters)
    copies = copied_dissents(unit, rater, label, readings.counts, raters=raters, min_share=MIN_COPIED, max_p=max_p)
    kept = without_copies(rater, copies)
    counts = count_readings(unit[kept], label[kept], units=len(readings.records), classes=len(readings.classes))
    return compare_raters(unit[kept], rater[kept], label[kept], counts, similarity, raters=raters)
