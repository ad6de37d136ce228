"""Annotated objects against those of a model: what is overlooked, what is badly placed, which classes are swapped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.labels.estimate import estimate_noise
from auditor.evidence.masks.mask_verdict import deviations
from auditor.evidence.masks.missing_objects import MissingObjects, judge_missing
from auditor.evidence.objects.object_match import SAME, Match, similarity, surest_alone
from auditor.values.judgements import NoiseEstimate

MIN_PAIRS = 20
"""From so many pairs on classes and places are judged."""
CLEAREST = 0.1
PLACE_FLOOR = 0.3
"""Least spread taken for granted, on the log-odds of what two boxes of one object share."""
SURE = 0.5
CONFUSED = 0.035
"""A model may confuse the classes of so many objects that it is surest to see: its score says less of their class."""

Doubles = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What is wrong, as it seems.

    Args:
        missing: the judgement of the leftovers of both sides; `missing.listed` are positions in `candidates`.
        candidates: predicted objects where nothing is annotated.
        swaps: how far the classes disagree; None where they cannot be compared. `swapped`: annotated objects of another class.
        misplaced: annotated boxes whose place is far worse than the others'.
        unsupported: annotated objects that the model is sure are not there.
        confidence: per annotated object: in its prediction, or in there being nothing.
        sure: mean score of the clearest objects, by which scores are divided.
    """

    missing: MissingObjects
    candidates: Positions
    swaps: NoiseEstimate | None
    swapped: Positions
    misplaced: Positions
    unsupported: Positions
    confidence: Doubles
    sure: float


def one_reader_each(drawn: pd.DataFrame, images: Positions, corners: Doubles, reach: float) -> Positions:
    """Positions of one mark per object where several readers marked; all of them else."""
    if "rater" not in drawn.columns or drawn["rater"].nunique() < 2:
        return np.arange(len(drawn))
    readers = pd.factorize(drawn["rater"])[0]
    order = np.lexsort((readers, images))
    parts = []
    for rows in np.split(order, np.flatnonzero(np.diff(images[order])) + 1):
        same = similarity(corners[rows], corners[rows], reach)
        same[readers[rows][:, None] == readers[rows][None, :]] = 0.0
        parts.append(rows[surest_alone(same)])
    return np.sort(np.concatenate(parts)) if parts else np.arange(0)


def judge_sides(
    drawn: pd.DataFrame, seen: pd.DataFrame, match: Match, images: Positions, placed: bool, limits: tuple[float, float, float]
) -> Judgement:
    """`placed`: whether places are judged; `limits`: max_false, max_p (`judge_missing`) and max_deviations."""
    max_false, max_p, max_deviations = limits
    score = seen["score"].to_numpy(dtype=np.float64)
    partner = match.partner
    same = np.flatnonzero((partner >= 0) & (match.shared >= SAME))
    sure = _clearest(score[partner[same]])
    # a low score for an annotated object is a mistake of the model like none at all, just a less sure one
    doubt = 1 - np.minimum(match.support / sure, 1.0)
    candidates, unseen = np.flatnonzero(match.elsewhere), np.flatnonzero(doubt >= SURE)
    conflicts = pd.DataFrame(
        {
            "record": [*seen["record"].iloc[candidates], *drawn["record"].iloc[unseen]],
            "missing": np.repeat([True, False], [len(candidates), len(unseen)]),
            "confidence": np.concatenate([np.minimum(score[candidates] / sure, 1.0), doubt[unseen]]),
        }
    )
    swaps, swapped = _swaps(drawn, seen, same, partner, images)
    paired = (partner >= 0) & (doubt < SURE)
    confidence = doubt.copy()
    confidence[paired] = np.minimum(score[partner[paired]] / sure, 1.0)
    misplaced = np.empty(0, dtype=np.int64)
    near = np.flatnonzero(paired)
    if placed and len(near) >= MIN_PAIRS:
        share = np.clip(match.shared[near], 0.01, 0.99)
        away = deviations(np.log(share / (1 - share)), PLACE_FLOOR)
        misplaced = near[(away < -max_deviations) & (share < SAME) & (confidence[near] >= SURE)]
    return Judgement(
        missing=judge_missing(conflicts, max_false=max_false, max_p=max_p), candidates=candidates, swaps=swaps, swapped=swapped,
        misplaced=misplaced, unsupported=unseen, confidence=confidence, sure=sure,
    )  # fmt: skip


def _clearest(scores: Doubles) -> float:
    """Mean score of the clearest tenth: a model that learnt from half of the objects gives even these no more than about .5."""
    if len(scores) == 0:
        return 1.0
    best = np.sort(scores)[-max(1, round(len(scores) * CLEAREST)) :]
    return max(float(best.mean()), 1e-6)


def _swaps(
    drawn: pd.DataFrame, seen: pd.DataFrame, same: Positions, partner: Positions, images: Positions
) -> tuple[NoiseEstimate | None, Positions]:
    """The classes of objects that are one, judged like labels: the score is the probability of the predicted class."""
    classes = sorted(set(drawn["label"]))
    place = pd.Index(classes)
    named = place.get_indexer(pd.Index(seen["label"].to_numpy(dtype=object)[partner[same]]))
    same, named = same[named >= 0], named[named >= 0]
    if len(classes) < 2 or len(same) < MIN_PAIRS:
        return None, np.empty(0, dtype=np.int64)
    codes = place.get_indexer(pd.Index(drawn["label"].to_numpy(dtype=object)[same])).astype(np.int64)
    sureness = _class_sureness(
        seen["score"].to_numpy(dtype=np.float64)[partner[same]], float(np.mean(named == codes)), len(classes)
    )
    probabilities = np.repeat(((1 - sureness) / (len(classes) - 1))[:, None], len(classes), axis=1)
    probabilities[np.arange(len(same)), named] = sureness
    groups = images[same] if len(np.unique(images[same])) > 1 else None
    estimate = estimate_noise(probabilities.astype(np.float32), codes, groups, tolerance=CONFUSED)
    if estimate.verdict != "noise":
        return estimate, np.empty(0, dtype=np.int64)
    return estimate, same[estimate.flagged & (named != codes)]


def _class_sureness(score: Doubles, agreement: float, classes: int) -> Doubles:
    """Probability of the predicted class: a detector's score says that there is something, not how sure its class is.

    The scores keep their order and are drawn towards chance until they promise no more agreement than there is.
    """
    chance = 1 / classes
    above = np.clip(score, chance + 0.01, 0.999) - chance
    return np.asarray(chance + above * np.clip((agreement - chance) / above.mean(), 0.05, 1.0))
