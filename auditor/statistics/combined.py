"""One score from many fields: boosted trees in grouped folds, with pairs that interact as further columns, and its test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.statistics.boosting import Model, fitted
from auditor.statistics.coding import CodedField
from auditor.statistics.distributions import norm, rankdata
from auditor.statistics.interactions import LEVELS, Pair, coarsen, screen_pairs
from auditor.statistics.permutation import count_strata

Floats = npt.NDArray[np.float64]

COLUMNS = 300
PAIRS = 8


@dataclass(frozen=True, kw_only=True)
class Combined:
    """Out-of-fold prediction of one class by all fields together.

    Args:
        score: shape (records,); comparable inside a fold only. NaN where the class is not known.
        auc, error: within-fold AUC, weighted by pairs, and its patient-clustered standard error.
        p: one-sided, patients and images exchanged as in `permutation`, see `score_test`.
        pairs: interacting pairs that at least one fold used, with the number of folds that did.
        importance: loss of AUC when a field is shuffled in the held-out fold; shape (fields,), NaN when not asked.
    """

    score: Floats
    auc: float
    error: float
    p: float
    pairs: tuple[tuple[int, int, int], ...]
    importance: Floats


def combine(
    fields: Sequence[CodedField],
    positive: npt.NDArray[np.bool_],
    known: npt.NDArray[np.bool_],
    clusters: npt.NDArray[np.int64],
    fold: npt.NDArray[np.int8],
    *,
    folds: int,
    seed: int,
    importance: Callable[[float, float], bool] = lambda auc, p: False,  # noqa: ARG005 - never
    strata: npt.NDArray[np.int64] | None = None,
) -> Combined:
    """Predict a class from all fields together, every record by a model that saw none of its patient.

    Everything that looks at labels (which columns, which pairs, their rates) is done anew in each fold's training part. A
    column that is empty in a training part is left out there.

    Args:
        fold: fold per record, shape (records,); whole patients.
        importance: whether it is asked for, by AUC and p: it costs more than the models.
        strata: declared stratum per record: cases are compared with others of their own stratum only.
    """
    matrix = np.column_stack([_ordered_codes(field) for field in fields])
    coarse = np.column_stack([coarsen(field) for field in fields])
    parts: list[_Part] = []
    for h in range(folds):
        train, test = np.flatnonzero(known & (fold != h)), np.flatnonzero(known & (fold == h))
        if test.size == 0 or np.unique(positive[train]).size < 2:
            continue
        ranked = _promising(fields, positive, train)
        ranked = ranked[np.isfinite(matrix[np.ix_(train, ranked)]).any(axis=0)]
        if ranked.size == 0:
            continue
        columns = np.sort(ranked)
        found = screen_pairs(coarse[np.ix_(train, columns)], positive[train])[:PAIRS]
        pairs = [Pair(first=int(columns[pair.first]), second=int(columns[pair.second]), p=pair.p) for pair in found]
        rates = [_pair_rates(coarse, pair, positive, train) for pair in pairs]
        parts.append(_Part(train=train, test=test, ranked=ranked, columns=columns, pairs=pairs, rates=rates))
    learnt = ((_design(matrix[one.train], coarse[one.train], one), positive[one.train]) for one in parts)
    models = fitted(learnt, shapes=[(len(one.train), len(one.columns) + len(one.pairs)) for one in parts])
    score = np.full(len(positive), np.nan)
    for one, model in zip(parts, models, strict=True):
        score[one.test] = model.decision_function(_design(matrix[one.test], coarse[one.test], one))
    blocks = fold.astype(np.int64) if strata is None else np.unique(strata * folds + fold, return_inverse=True)[1]
    auc, error = fold_auc(score, positive, clusters, blocks, folds=int(blocks.max()) + 1)
    p = score_test(score, positive, clusters, fold, folds=folds, strata=strata)
    loss = np.full(len(fields), np.nan)
    if importance(auc, p):
        loss = np.zeros(len(fields))
        generator = np.random.default_rng(seed)
        for one, model in zip(parts, models, strict=True):
            loss += _losses(one, model, matrix, coarse, score, positive, strata, generator) / folds
    used = Counter((pair.first, pair.second) for one in parts for pair in one.pairs)
    return Combined(
        score=score,
        auc=auc,
        error=error,
        p=p,
        pairs=tuple((a, b, n) for (a, b), n in sorted(used.items(), key=lambda item: (-item[1], item[0]))),
        importance=loss,
    )


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What the model of one fold is made of, and the records that it does not see."""

    train: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]
    ranked: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    pairs: Sequence[Pair]
    rates: Sequence[Floats]


def _losses(
    one: _Part,
    model: Model,
    matrix: npt.NDArray[np.float32],
    coarse: npt.NDArray[np.int8],
    score: Floats,
    positive: npt.NDArray[np.bool_],
    strata: npt.NDArray[np.int64] | None,
    generator: np.random.Generator,
) -> Floats:
    """Loss of AUC in one fold when a field is shuffled there, shape (fields,); of the 60 most promising fields."""
    loss, test = np.zeros(matrix.shape[1]), one.test
    block = None if strata is None else strata[test]
    base = _auc(score[test], positive[test], block) if np.unique(positive[test]).size > 1 else np.nan
    if not np.isfinite(base):
        return loss
    for f in one.ranked[:60]:
        shuffled, rough = matrix[test].copy(), coarse[test].copy()
        order = generator.permutation(len(test))
        shuffled[:, f], rough[:, f] = shuffled[order, f], rough[order, f]
        again = model.decision_function(_design(shuffled, rough, one))
        loss[f] = base - _auc(again, positive[test], block)
    return loss


def fold_auc(
    score: Floats,
    positive: npt.NDArray[np.bool_],
    clusters: npt.NDArray[np.int64],
    fold: npt.NDArray[np.int8] | npt.NDArray[np.int64],
    *,
    folds: int,
) -> tuple[float, float]:
    """Within-fold AUC weighted by pairs, and its patient-clustered standard error (influence sums per patient)."""
    scored = np.isfinite(score)
    influence = np.zeros(len(score))
    pairs = np.array([
        float((scored & (fold == h) & positive).sum()) * float((scored & (fold == h) & ~positive).sum()) for h in range(folds)
    ])  # fmt: skip
    if pairs.sum() == 0:
        return float("nan"), float("nan")
    auc = 0.0
    for h in np.flatnonzero(pairs):
        rows = np.flatnonzero(scored & (fold == h))
        case = positive[rows]
        ranks = rankdata(score[rows])
        up = (ranks[case] - rankdata(score[rows][case])) / (~case).sum()
        down = 1 - (ranks[~case] - rankdata(score[rows][~case])) / case.sum()
        weight = pairs[h] / pairs.sum()
        auc += weight * float(up.mean())
        influence[rows[case]] = weight * (up - up.mean()) / case.sum()
        influence[rows[~case]] = weight * (down - down.mean()) / (~case).sum()
    sums = np.bincount(clusters, weights=influence)
    patients = int(np.unique(clusters[scored]).size)
    return float(auc), float(np.sqrt(patients / max(1, patients - 1) * (sums**2).sum()))


def score_test(
    score: Floats,
    positive: npt.NDArray[np.bool_],
    clusters: npt.NDArray[np.int64],
    fold: npt.NDArray[np.int8],
    *,
    folds: int,
    strata: npt.NDArray[np.int64] | None = None,
) -> float:
    """One-sided p-value of an out-of-fold score: are cases ranked higher than patients' exchange allows?

    Inside each fold the mean and variance of the rank sum under the exchange of patients (with equal image count) and of
    images within patients are exact; no permutation is drawn. Folds share training data, so their AUCs are not independent:
    the variance is multiplied by 1 + folds·n_test/n_train (Nadeau & Bengio 2003). p = 2·min over the levels that can tell.

    With declared `strata` all of this happens inside them: a patient's records in two strata are two patients.
    """
    rows = np.flatnonzero(np.isfinite(score))
    case, block = positive[rows].astype(np.float64), fold[rows].astype(np.int64)
    if strata is not None:
        block = np.unique(strata[rows] * folds + block, return_inverse=True)[1].astype(np.int64)
        clusters = np.unique(clusters * (int(strata.max()) + 1) + strata, return_inverse=True)[1].astype(np.int64)
    patient = np.unique(clusters[rows], return_inverse=True)[1]
    rank = np.empty(len(rows))
    for h in np.unique(block):
        inside = block == h
        rank[inside] = rankdata(score[rows][inside]) / max(1, int(inside.sum())) - 0.5
    images = np.bincount(patient)
    home = np.zeros(len(images), np.int64)
    home[patient] = block
    mean_rank = np.bincount(patient, weights=rank) / images
    cases = np.bincount(patient, weights=case)
    stratum = np.zeros(len(images), np.int64)
    for h in np.unique(home):
        members = home == h
        stratum[members] = count_strata(images[members], smallest=10) + 1000 * h
    stratum = np.unique(stratum, return_inverse=True)[1]
    prevalence = np.bincount(stratum, weights=cases) / np.bincount(stratum, weights=images)
    between = _deviate(mean_rank, cases - images * prevalence[stratum], stratum)
    within = _deviate(rank, case - (cases / images)[patient], patient)
    inflation = np.sqrt(1 + folds / max(1, folds - 1))
    p = [float(norm.sf(z / inflation)) for z in (between, within) if np.isfinite(z)]
    return min(1.0, len(p) * min(p)) if p else 1.0


def _deviate(share: Floats, effect: Floats, strata: npt.NDArray[np.int64]) -> float:
    """Σ share·effect over its standard deviation when effects are exchanged inside strata; NaN when it cannot vary."""
    size = np.bincount(strata).astype(np.float64)
    mean = np.bincount(strata, weights=share) / size
    centred = share - mean[strata]
    variance = np.bincount(strata, weights=centred**2) * np.bincount(strata, weights=effect**2) / np.maximum(size - 1, 1.0)
    if np.abs(effect).max(initial=0.0) < 1e-9:
        return float("nan")
    total = float(variance.sum())
    return float((centred * effect).sum() / np.sqrt(total)) if total > 1e-12 else 0.0


def _ordered_codes(field: CodedField) -> npt.NDArray[np.float32]:
    """Codes as a number; text codes run from the commonest to the rarest value. Missing numbers are NaN."""
    codes = field.codes.astype(np.float32)
    if field.ordered and field.missing >= 0:
        codes[field.codes == field.missing] = np.nan
    return codes


def _promising(
    fields: Sequence[CodedField], positive: npt.NDArray[np.bool_], train: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Indices of the fields to use, best first: all of them up to 300, else those with the largest χ² in training."""
    share = float(positive[train].mean())
    strength = np.zeros(len(fields))
    for f, field in enumerate(fields):
        seen = np.bincount(field.codes[train], minlength=field.size)
        hits = np.bincount(field.codes[train], weights=positive[train], minlength=field.size)
        freedom = max(1, int((seen > 0).sum()) - 1)
        chi2 = float(((hits - seen * share) ** 2 / np.maximum(seen * share * (1 - share), 1e-9))[seen > 0].sum())
        strength[f] = (chi2 - freedom) / np.sqrt(2 * freedom)
    return np.argsort(-strength, kind="stable")[:COLUMNS]


def _pair_rates(
    coarse: npt.NDArray[np.int8], pair: Pair, positive: npt.NDArray[np.bool_], train: npt.NDArray[np.int64]
) -> Floats:
    cell = coarse[train, pair.first].astype(np.int64) * LEVELS + coarse[train, pair.second]
    seen = np.bincount(cell, minlength=LEVELS * LEVELS)
    hits = np.bincount(cell, weights=positive[train], minlength=LEVELS * LEVELS)
    return np.asarray((hits + 5 * positive[train].mean()) / (seen + 5))


def _design(matrix: npt.NDArray[np.float32], coarse: npt.NDArray[np.int8], one: _Part) -> npt.NDArray[np.float32]:
    extra = [
        rate[coarse[:, pair.first].astype(np.int64) * LEVELS + coarse[:, pair.second]]
        for pair, rate in zip(one.pairs, one.rates, strict=True)
    ]
    return np.column_stack([matrix[:, one.columns], *extra]).astype(np.float32)


def _auc(score: Floats, positive: npt.NDArray[np.bool_], strata: npt.NDArray[np.int64] | None = None) -> float:
    """AUC over pairs of one stratum; NaN where there is no such pair."""
    won, pairs = 0.0, 0
    for stratum in np.zeros(1, np.int64) if strata is None else np.unique(strata):
        inside = slice(None) if strata is None else strata == stratum
        case = positive[inside]
        cases, others = int(case.sum()), int((~case).sum())
        won += float(rankdata(score[inside])[case].sum() - cases * (cases + 1) / 2)
        pairs += cases * others
    return won / pairs if pairs else float("nan")
