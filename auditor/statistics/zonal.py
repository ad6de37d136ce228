"""One score from many numbers of one part of the picture, out of fold, and how well it tells every class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from auditor.prediction.probe import fit_probe
from auditor.statistics.clusters import clusters_of, deal_folds
from auditor.statistics.combined import fold_auc, score_test
from auditor.statistics.intervals import logit_interval
from auditor.statistics.targets import Targets

Floats = npt.NDArray[np.float32]

REFERENCES = 3000
"""Neighbours that the probe may keep: more would cost time and change no second digit."""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What a part of the picture reaches for one class: out-of-fold AUC, 95 % interval over patients, two-level p-value."""

    target: int
    auc: float
    low: float
    high: float
    p: float


def reach(features: Floats, targets: Targets, clusters: npt.NDArray[np.int64], *, folds: int, seed: int) -> Sequence[Reached]:
    """Probe every class from `features` (records × numbers; NaN counts as the mean) in folds that never part a patient.

    Args:
        clusters: patient index per record, 0 … patients − 1, each present.
    """
    fold, scores = out_of_fold(features, targets, clusters, folds=folds, seed=seed)
    found = []
    for c in range(len(targets.names)):
        positive, known = targets.positive[:, c], targets.known[:, c]
        score = np.where(known, scores[:, c], np.nan)
        auc, error = fold_auc(score, positive, clusters, fold, folds=folds)
        if not np.isfinite(auc):
            continue
        smaller = min(np.unique(clusters[side]).size for side in (positive, known & ~positive))
        low, high = logit_interval(auc, error, smaller_side=smaller)
        found.append(Reached(target=c, auc=auc, low=low, high=high, p=score_test(score, positive, clusters, fold, folds=folds)))
    return found


def out_of_fold(
    features: Floats, targets: Targets, clusters: npt.NDArray[np.int64], *, folds: int, seed: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float64]]:
    """Fold per record, and log-odds (records, classes) by probes that saw none of the record's patient; NaN = not predicted."""
    patients = clusters_of(None, int(clusters.max()) + 1)
    patients = type(patients)(index=clusters, count=patients.count, usable=True)
    folds = min(folds, patients.count)
    fold = deal_folds(patients, targets, folds=folds, seed=seed)[clusters]
    rng = np.random.default_rng(seed)
    scores = np.full(targets.known.shape, np.nan)
    wanted = targets.positive.astype(np.float32)
    with threadpool_limits(limits=1):
        for h in range(folds):
            train, test = np.flatnonzero(fold != h), np.flatnonzero(fold == h)
            if test.size == 0 or train.size == 0:
                continue
            probe = fit_probe(
                features[train], wanted[train], targets.known[train], exclusive=False, references=REFERENCES, rng=rng
            )
            p = np.clip(probe.probabilities(features[test]).astype(np.float64), 1e-6, 1 - 1e-6)
            scores[test] = np.where(probe.learnt, np.log(p / (1 - p)), np.nan)
    return fold, scores
