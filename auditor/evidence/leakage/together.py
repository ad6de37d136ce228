"""All metadata fields together against one class: the sample, the classes worth modelling, and the model of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from auditor.check import SkipCheck
from auditor.evidence.leakage.file_bytes import loss_is_told
from auditor.statistics.association import associate, count_cells
from auditor.statistics.clusters import clusters_of, deal_folds
from auditor.statistics.coding import CodedField, code_field
from auditor.statistics.combined import Combined, combine
from auditor.statistics.interactions import coarsen, screen_pairs
from auditor.statistics.intervals import logit_interval
from auditor.statistics.question import Question
from auditor.statistics.targets import Targets, rows_of
from auditor.values.dataset import Dataset
from auditor.values.fields import BYTES


@dataclass(frozen=True, kw_only=True)
class ClassModel:
    """One class: all fields together against the best single one."""

    target: int
    combined: Combined
    low: float
    high: float
    p: float
    single_auc: float
    single: int


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The drawn records, aligned with each other."""

    coded: tuple[CodedField, ...]
    targets: Targets
    clusters: np.ndarray
    fold: np.ndarray
    auc: np.ndarray  # (fields, classes), single fields, within declared strata; NaN as .5
    strata: np.ndarray | None


def draw_sample(dataset: Dataset, question: Question, rows: np.ndarray, *, folds: int, seed: int) -> Sample:
    """The fields of the drawn records, coded, with folds that part no patient.

    The size of files that are all written alike follows what they show: it is no field where two others vary.

    Raises:
        SkipCheck: fewer than two fields vary.
    """
    index = np.unique(question.clusters.index[rows], return_inverse=True)[1].astype(np.int64)
    targets = rows_of(question.targets, rows)
    strata = None
    if question.strata is not None:
        strata = np.unique(question.strata[rows], return_inverse=True)[1].astype(np.int64)
    declared = {name for stratum in question.stratum_names for name in (stratum, f"table.{stratum}")}
    columns = (dataset.metadata[field.name].iloc[rows] for field in question.fields if field.name not in declared)
    coded = tuple(field for field in (code_field(column, index) for column in columns) if field is not None)
    if len(coded) < 2:
        raise SkipCheck("fewer than two metadata fields vary: LK001 looks at single fields")
    others = tuple(field for field in coded if field.name not in BYTES)
    if len(others) >= 2 and bytes_follow(dataset, question, coded):
        coded = others
    clusters = clusters_of(None, int(index.max()) + 1)
    clusters = replace(question.clusters, index=index, count=clusters.count)
    fold = deal_folds(clusters, targets, folds=folds, seed=seed)[index]
    auc = [associate(count_cells(field, targets, fold, folds=folds, strata=strata), field).auc for field in coded]
    return Sample(
        coded=coded, targets=targets, clusters=index, fold=fold, auc=np.nan_to_num(np.array(auc), nan=0.5), strata=strata
    )


def bytes_follow(dataset: Dataset, question: Question, coded: Sequence[CodedField]) -> bool:
    """No loss is hidden in the files and no way of writing varies among them: how large they are follows what they show."""
    ways = {field.name for field in question.fields if field.kind == "encoding" and not field.name.startswith("path.")}
    ways -= set(BYTES)
    # A file that is not there has none of these values: that is no second way of writing.
    varies = [name for name in ways & {field.name for field in coded} if dataset.metadata[name].dropna().nunique() > 1]
    return loss_is_told(dataset.metadata) and not varies


def classes_to_model(sample: Sample, most: int) -> list[int]:
    """At most so many classes: those told best by a single field, and by a pair, in turn."""
    classes = len(sample.targets.names)
    if classes <= most:
        return list(range(classes))
    strongest = np.argsort(-sample.auc.max(axis=0), kind="stable")
    # Marginal AUCs that exceed .5 most serve as a stand-in for "promising" where there are too many fields for all pairs.
    fields = np.sort(np.argsort(-sample.auc.max(axis=1), kind="stable")[:200])
    coarse = np.column_stack([coarsen(sample.coded[f]) for f in fields])
    known, positive = sample.targets.known, sample.targets.positive
    pair_p = [
        min((pair.p for pair in screen_pairs(coarse[known[:, c]], positive[known[:, c], c])), default=1.0)
        for c in range(classes)
    ]
    by_pair = np.argsort(pair_p, kind="stable")
    order = dict.fromkeys(int(c) for pick in zip(strongest, by_pair, strict=True) for c in pick)
    return list(order)[:most]


def model_of(sample: Sample, target: int, *, folds: int, seed: int, tells: Callable[[float, float], bool]) -> ClassModel:
    """All fields together against one class.

    Args:
        tells: whether an AUC and a p-value (corrected for the number of classes) are told: importance is worked out there.
    """
    positive, known = sample.targets.positive[:, target], sample.targets.known[:, target]
    combined = combine(
        sample.coded,
        positive,
        known,
        sample.clusters,
        sample.fold,
        folds=folds,
        seed=seed,
        importance=lambda auc, p: tells(auc, min(1.0, p * len(sample.targets.names))),
        strata=sample.strata,
    )
    smaller = min(np.unique(sample.clusters[side]).size for side in (positive, known & ~positive))
    low, high = logit_interval(combined.auc, combined.error, smaller_side=smaller)
    single = int(np.argmax(sample.auc[:, target]))
    return ClassModel(
        target=target,
        combined=combined,
        low=low,
        high=high,
        p=min(1.0, combined.p * len(sample.targets.names)),
        single_auc=float(sample.auc[single, target]),
        single=single,
    )
