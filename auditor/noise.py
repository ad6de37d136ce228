"""Label noise: how far labels and a model disagree, how much of it is noise, and which labels to look at first.

What can be observed is the disagreement. How much of it is noise cannot be told from probabilities alone: honest ambiguity
and wrong labels give the same numbers (Northcutt et al., JAIR 2021, assume the answer). The assumption here is written out:

    *Anchors*: among the records that the model is most sure of, per predicted class, a label that disagrees is wrong; and
    labels of other records go wrong as often, from the same class to the same class.

From the anchors comes the matrix `transition` (true class → given class). The model's probabilities are sharpened until,
sent through that matrix, they explain the given labels best; Bayes' rule then gives each label's probability of being wrong,
and the flagged set is the one with the highest expected F1. Where the disagreement grows steadily with the model's own
doubt, the assumption is not supported, and the verdict is "cannot tell".

Measured on 87 noisy matrices (digits, pneumoniamnist, simulated classes, CIFAR-10 and MNIST probabilities; uniform,
asymmetric, instance-dependent and clustered flips of 2–40 %; six kinds of model): mean F1 .71 against .67 of cleanlab's
default and .62 of "argmax ≠ label"; mean average precision .78 against .76 of self-confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from auditor.fraction import Fraction, fraction

NoiseVerdict = Literal["noise", "no evidence", "cannot tell"]
ASSUMPTION = "labels of the records that the model is most sure of are wrong as often as all others, class by class"

SHARES: tuple[float, ...] = (0.3, 0.5)
"""Which part of each predicted class are anchors; the probabilities of both are averaged."""
MIN_ANCHORS = 20
SMOOTHING = 6.0
FLOOR = 1e-4
FIT_ROWS = 10_000
CHUNK = 65_536
MIN_SUSPICION = 0.3
MIN_SKILL = 0.05
SURE, DOUBTFUL = (0.0, 0.25), (0.35, 0.60)
"""Parts of each predicted class, by falling confidence, whose disagreement is compared."""
RISE, SLACK = 1.25, 0.015
"""By how much the second may exceed the first where noise, not doubt, explains the first: 1.25-fold and 1.5 points."""

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class NoiseEstimate:
    """What labels and one model say together; arrays have one row per judged record.

    Args:
        verdict, reason: and why, in words.
        disagreement: share of records whose most probable class is not the given one.
        null_disagreement: what the sharpened model would disagree with if every label were right: mean of 1 − max p.
        noise: model-based share of wrong labels, under `ASSUMPTION`; the interval is that of sampling alone.
        sure, doubtful: disagreement among the records that the model is most sure of, and among those of middling confidence.
        skill: how much more probability the given classes get than by chance; 0 = none, 1 = all there is.
        transition: (classes, classes), row = true class, column = given class; rows sum to 1.
        suspicion: probability that the given label is wrong, 0–1.
        score: 0–1, low = look here first: sharpened self-confidence and 1 − suspicion.
        suggested: the most probable class, or for flagged records the most probable other one.
        flagged: the set of the highest expected F1; empty or ≤ 1 % where there is no evidence of noise.
        threshold: suspicion from which a record is flagged.
    """

    verdict: NoiseVerdict
    reason: str
    disagreement: Fraction
    null_disagreement: float
    noise: Fraction
    sure: Fraction
    doubtful: Fraction
    skill: float
    transition: Doubles
    suspicion: Floats
    score: Floats
    suggested: Codes
    flagged: Bools
    threshold: float


def estimate_noise(
    probabilities: Floats,
    codes: Codes,
    groups: npt.NDArray[np.int64] | None = None,
    *,
    tolerance: float = 0.01,
    seed: int = 0,
) -> NoiseEstimate:
    """Judge labels by out-of-fold probabilities.

    Args:
        probabilities: (records, classes), finite, rows sum to 1.
        codes: given class per record.
        groups: patient per record; intervals then count patients, not records.
        tolerance: noise up to here is not worth a word.
        seed: draws the rows that the sharpness is fitted on.

    Raises:
        ValueError: no records, or shapes that do not fit.
    """
    n, classes = probabilities.shape
    if n == 0 or codes.shape != (n,):
        raise ValueError("probabilities (records, classes) and one given class per record are needed, at least one record")
    named, sureness = probabilities.argmax(axis=1), probabilities.max(axis=1)
    differs = named != codes
    place = _place(named, sureness)
    disagreement = fraction(differs, groups)
    sure = fraction(differs, groups, (place >= SURE[0]) & (place < SURE[1]))
    doubtful = fraction(differs, groups, (place >= DOUBTFUL[0]) & (place < DOUBTFUL[1]))

    sample = _sample(n, seed)
    posterior = np.zeros((n, classes), dtype=np.float32)
    sharp_given, sharp_top = np.zeros(n, dtype=np.float32), np.zeros(n)
    transitions = []
    for share in SHARES:
        transition = anchor_transition(named, codes, place, classes, share=share)
        sharpness = _fit_sharpness(probabilities[sample], codes[sample], transition)
        for start in range(0, n, CHUNK):
            part = slice(start, start + CHUNK)
            sharp = _sharpen(probabilities[part], sharpness)
            joint = sharp * transition[:, codes[part]].T
            posterior[part] += joint / joint.sum(axis=1, keepdims=True) / len(SHARES)
            sharp_given[part] += sharp[np.arange(len(sharp)), codes[part]] / len(SHARES)
            sharp_top[part] += sharp.max(axis=1) / len(SHARES)
        transitions.append(transition)
    transition = np.mean(transitions, axis=0)
    rows = np.arange(n)
    suspicion = np.clip(1 - posterior[rows, codes], 0, 1)
    skill = _skill(probabilities, codes)
    verdict, reason = _judge(sure, doubtful, skill, tolerance)
    threshold = best_threshold(suspicion)
    flagged = suspicion >= threshold
    if verdict == "no evidence" and flagged.mean() > 0.01:
        most = int(0.01 * n)
        threshold = float(np.partition(suspicion, n - most - 1)[n - most - 1]) if most else 1.0
        flagged = suspicion > threshold
    suggested = posterior.argmax(axis=1)
    others = posterior[flagged]
    others[np.arange(len(others)), codes[flagged]] = -1
    suggested[flagged] = others.argmax(axis=1)
    return NoiseEstimate(
        verdict=verdict, reason=reason, disagreement=disagreement, null_disagreement=float(np.mean(1 - sharp_top)),
        noise=_noise_interval(named, transition, sure), sure=sure, doubtful=doubtful,
        skill=skill, transition=transition, suspicion=suspicion,
        score=(0.75 * (1 - suspicion) + 0.25 * sharp_given).astype(np.float32),
        suggested=suggested.astype(np.int64), flagged=flagged, threshold=threshold,
    )  # fmt: skip


def anchor_transition(named: Codes, codes: Codes, place: Doubles, classes: int, *, share: float) -> Doubles:
    """True class → given class, counted among the anchors: the surest `share` of each predicted class, at least 20 records.

    A class with few anchors leans on the mean error rate, its errors on an even spread (six pseudo-counts each); no
    error at all counts as half a one.
    """
    counts = np.bincount(named, minlength=classes)
    anchor = place < np.maximum(share, MIN_ANCHORS / np.maximum(counts, 1))[named]
    table = np.bincount(named[anchor] * classes + codes[anchor], minlength=classes * classes).reshape(classes, classes)
    wrong: Doubles = np.where(np.eye(classes, dtype=np.bool_), 0.0, table)
    overall = (wrong.sum() + 0.5) / (table.sum() + 1)
    rate = (wrong.sum(axis=1) + SMOOTHING * overall) / (table.sum(axis=1) + SMOOTHING)
    even = (1 - np.eye(classes)) / max(classes - 1, 1)
    wrong = wrong + SMOOTHING * even
    transition = wrong / np.maximum(wrong.sum(axis=1, keepdims=True), 1e-12) * rate[:, None]
    transition[np.arange(classes), np.arange(classes)] = 1 - rate
    return np.asarray(transition)


def best_threshold(suspicion: Floats) -> float:
    """The suspicion from which flagging has the highest expected F1 = 2 Σ flagged suspicion / (flagged + Σ suspicion).

    Never under 0.3: a label that is twice as likely right as wrong is not flagged.
    """
    falling = np.sort(suspicion)[::-1].astype(np.float64)
    expected = 2 * np.cumsum(falling) / (np.arange(1, len(falling) + 1) + falling.sum())
    return max(float(falling[int(expected.argmax())]), MIN_SUSPICION)


def _skill(probabilities: Floats, codes: Codes) -> float:
    n, classes = probabilities.shape
    prior = np.bincount(codes, minlength=classes) / n
    chance = float(prior @ probabilities.mean(axis=0, dtype=np.float64))
    given = float(probabilities[np.arange(n), codes].mean(dtype=np.float64))
    return (given - chance) / max(1 - chance, 1e-12)


def _place(named: Codes, sureness: Floats) -> Doubles:
    """Place of each record within its predicted class, 0 = the surest, below 1."""
    order = np.lexsort((-sureness, named))
    counts = np.bincount(named)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.empty(len(named))
    place[order] = np.arange(len(named)) - starts[named[order]]
    return np.asarray(place / counts[named])


def _sample(n: int, seed: int) -> npt.NDArray[np.int64]:
    if n <= FIT_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, FIT_ROWS, replace=False))


def _sharpen(probabilities: Floats, sharpness: float) -> Floats:
    logs = np.log(np.maximum(probabilities, FLOOR)) * np.float32(sharpness)
    power = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(power / power.sum(axis=1, keepdims=True), dtype=np.float32)


def _fit_sharpness(probabilities: Floats, codes: Codes, transition: Doubles) -> float:
    """The power of the probabilities that explains the given labels best when sent through the transition."""
    towards = transition[:, codes].T
    grid = np.geomspace(0.3, 8.0, 18)
    loss = [-float(np.log((_sharpen(probabilities, a) * towards).sum(axis=1) + 1e-12).mean()) for a in grid]
    return float(grid[int(np.argmin(loss))])


def _noise_interval(named: Codes, transition: Doubles, sure: Fraction) -> Fraction:
    """The anchors' error rates, each predicted class by its size. The interval is that of the surest records, scaled."""
    n = len(named)
    noise = float(np.bincount(named, minlength=len(transition)) / n @ (1 - np.diag(transition)))
    if sure.value > 0:
        low, high = noise * sure.low / sure.value, min(1.0, noise * sure.high / sure.value)
    else:
        low, high = 0.0, max(noise, sure.high)
    return Fraction(value=noise, low=low, high=high, count=n)


def _judge(sure: Fraction, doubtful: Fraction, skill: float, tolerance: float) -> tuple[NoiseVerdict, str]:
    if skill < MIN_SKILL:
        return "cannot tell", "the model hardly knows more about the labels than how frequent they are"
    if sure.low <= tolerance:
        seen = max(sure.high, tolerance)
        return "no evidence", (
            f"where the model is surest, {sure.value:.1%} of {sure.count:,} labels disagree; "
            f"noise of more than {seen:.1%} spread over all records would have shown"
        )
    if doubtful.value > RISE * sure.value + SLACK:
        return "cannot tell", (
            f"the disagreement grows with the model's doubt ({sure.value:.1%} where it is surest, {doubtful.value:.1%} at "
            "middling confidence): ambiguous images and wrong labels look alike; have a random sample reviewed"
        )
    return "noise", f"even where the model is surest, {sure.value:.1%} of {sure.count:,} labels disagree"
