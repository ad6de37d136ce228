"""Every field against every class: estimates on all records, the test on whole patients drawn from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.statistics.association import Association, Counts, associate, count_cells
from auditor.statistics.clusters import deal_folds, draw_patients
from auditor.statistics.coding import CodedField, code_field
from auditor.statistics.intervals import bootstrap_interval, clustered_error, logit_interval
from auditor.statistics.multiplicity import benjamini_hochberg
from auditor.statistics.permutation import two_level_test
from auditor.statistics.question import Question
from auditor.statistics.targets import rows_of

CANDIDATES = 3
BOOTSTRAP_RECORDS = 200_000


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One field's relation to the classes.

    Args:
        coded: the field.
        target: index of the class that it tells best, of those that it tells better than chance.
        auc, low, high: that class against the rest, out of fold, 95 % interval over patients (closed form).
        macro: mean AUC over classes.
        p, q: two-level permutation test over all classes; false discovery rate over fields.
        inside_auc, inside_p, inside_q: the same within the declared strata; None without strata.
    """

    coded: CodedField
    target: int
    auc: float
    low: float
    high: float
    macro: float
    p: float
    q: float
    inside_auc: float | None = None
    inside_p: float | None = None
    inside_q: float | None = None


@dataclass(frozen=True, kw_only=True)
class Screening:
    """All fields, and what is needed to look closer at one.

    Args:
        measured: one per field that is not constant, in the order of the table.
        constant: names of the fields that hold one value.
        record_fold: fold per record.
        tested: records that the permutation test used.
        sides: patients with and without each class, shape (classes, 2).
    """

    measured: tuple[Measured, ...]
    constant: tuple[str, ...]
    record_fold: npt.NDArray[np.int8]
    tested: int
    sides: npt.NDArray[np.int64]


def screen(
    columns: Iterable[pd.Series], question: Question, *, folds: int, draws: int, test_records: int, seed: int
) -> Screening:
    """Measure and test every column.

    Args:
        columns: metadata columns, aligned with the records.
        draws: most permutations per level.
        test_records: the permutation test uses whole patients up to about this many records (all with a rare class).
    """
    targets, clusters = question.targets, question.clusters
    folds = min(folds, clusters.count)
    record_fold = deal_folds(clusters, targets, folds=folds, seed=seed)[clusters.index]
    sides = np.array([
        [np.unique(clusters.index[targets.positive[:, c]]).size,
         np.unique(clusters.index[targets.known[:, c] & ~targets.positive[:, c]]).size]
        for c in range(len(targets.names))
    ])  # fmt: skip
    coded: list[CodedField] = []
    constant: list[str] = []
    rough: list[tuple[int, float, float, float, float, float | None]] = []
    for column in columns:
        field = code_field(column, clusters.index)
        if field is None:
            constant.append(str(column.name))
            continue
        counts = count_cells(field, targets, record_fold, folds=folds)
        found = associate(counts, field)
        target, low, high = _worst(found, counts, question, sides)
        inside = None
        if question.strata is not None:
            deep = count_cells(field, targets, record_fold, folds=folds, strata=question.strata)
            inside = float(associate(deep, field).auc[target])
        coded.append(field)
        rough.append((target, float(found.auc[target]), low, high, float(np.nanmean(found.auc)), inside))
    rows = draw_patients(clusters, targets, records=test_records, rare=max(200, test_records // 50), seed=seed)
    p = _test(coded, question, rows, draws=draws, seed=seed, strata=None)
    q = benjamini_hochberg(p)
    inside_p = (
        None if question.strata is None else _test(coded, question, rows, draws=draws, seed=seed + 2, strata=question.strata)
    )
    inside_q = None if inside_p is None else benjamini_hochberg(inside_p)
    measured = tuple(
        Measured(
            coded=field,
            target=target,
            auc=auc,
            low=low,
            high=high,
            macro=macro,
            p=float(p[i]),
            q=float(q[i]),
            inside_auc=inside,
            inside_p=None if inside_p is None else float(inside_p[i]),
            inside_q=None if inside_q is None else float(inside_q[i]),
        )
        for i, (field, (target, auc, low, high, macro, inside)) in enumerate(zip(coded, rough, strict=True))
    )
    return Screening(measured=measured, constant=tuple(constant), record_fold=record_fold, tested=len(rows), sides=sides)


def closer_interval(
    measured: Measured, question: Question, screening: Screening, *, resamples: int, seed: int
) -> tuple[float, float]:
    """Bootstrap interval over patients; above 200,000 records the closed form, which agrees there to the third digit."""
    targets, clusters = question.targets, question.clusters
    if len(clusters.index) > BOOTSTRAP_RECORDS:
        return measured.low, measured.high
    folds = int(screening.record_fold.max()) + 1
    return bootstrap_interval(
        measured.coded,
        count_cells(measured.coded, targets, screening.record_fold, folds=folds),
        measured.target,
        positive=targets.positive[:, measured.target],
        known=targets.known[:, measured.target],
        clusters=clusters.index,
        patients=clusters.count,
        smaller_side=int(screening.sides[measured.target].min()),
        resamples=resamples,
        seed=seed,
    )


def measured_for(measured: Measured, question: Question, screening: Screening, target: int) -> Measured:
    """The same field, as it tells another class; p and q speak of all classes and stay."""
    targets = question.targets
    folds = int(screening.record_fold.max()) + 1
    counts = count_cells(measured.coded, targets, screening.record_fold, folds=folds)
    found = associate(counts, measured.coded)
    low, high = _interval_of(found, counts, question, screening.sides, target)
    inside = None
    if question.strata is not None:
        deep = count_cells(measured.coded, targets, screening.record_fold, folds=folds, strata=question.strata)
        inside = float(associate(deep, measured.coded).auc[target])
    return replace(measured, target=target, auc=float(found.auc[target]), low=low, high=high, inside_auc=inside)


def _interval_of(
    found: Association, counts: Counts, question: Question, sides: npt.NDArray[np.int64], target: int
) -> tuple[float, float]:
    targets, clusters = question.targets, question.clusters
    error = clustered_error(
        found,
        counts,
        target,
        positive=targets.positive[:, target],
        known=targets.known[:, target],
        clusters=clusters.index,
        patients=clusters.count,
    )
    auc = float(np.nan_to_num(found.auc[target], nan=0.5))
    return logit_interval(auc, error, smaller_side=int(sides[target].min()))


def _worst(found: Association, counts: Counts, question: Question, sides: npt.NDArray[np.int64]) -> tuple[int, float, float]:
    """The class with the largest AUC among those whose interval leaves .5; else the largest. Looks at the first three."""
    auc = np.nan_to_num(found.auc, nan=0.5)
    best: tuple[int, float, float] | None = None
    for c in np.argsort(-auc, kind="stable")[:CANDIDATES].tolist():
        low, high = _interval_of(found, counts, question, sides, c)
        if low > 0.5:
            return c, low, high
        best = best or (c, low, high)
    assert best is not None
    return best


def _test(
    fields: Sequence[CodedField],
    question: Question,
    rows: npt.NDArray[np.int64],
    *,
    draws: int,
    seed: int,
    strata: npt.NDArray[np.int64] | None,
) -> npt.NDArray[np.float64]:
    """p-values on the drawn patients; shape (fields,)."""
    clusters = np.unique(question.clusters.index[rows], return_inverse=True)[1].astype(np.int64)
    drawn = [
        CodedField(name=f.name, codes=f.codes[rows], values=f.values, ordered=f.ordered, missing=f.missing) for f in fields
    ]
    inside = None if strata is None else np.unique(strata[rows], return_inverse=True)[1].astype(np.int64)
    return two_level_test(drawn, rows_of(question.targets, rows), clusters, seed=seed, draws=draws, strata=inside).p
