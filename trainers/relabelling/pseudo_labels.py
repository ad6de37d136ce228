"""What a teacher's predictions make of labels: calibrated, joined with the given label, kept, replaced, softened or dropped.

A teacher that saw few records errs; a label that was given by somebody errs otherwise. Where both are there, the probability
of the true class k follows from both (Bayes): that of the teacher times how often a record of class k is labelled as this one
is. How often that is, the noise model, is estimated on the records themselves (Dawid & Skene 1979, with the teacher as prior).
It takes mistakes to depend on the class alone, so what is decided on is checked on the trusted records, out of fold.

All arrays are numpy; n = records, m = trusted records, K = classes. A given class of -1 means that there is no label.

Whether the teacher knows enough to teach is judged on trusted records that it did not learn from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from auditor.statistics.distributions import beta

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Decision = Literal["keep", "replace", "soften", "drop"]
DECISIONS: tuple[Decision, ...] = ("keep", "replace", "soften", "drop")
FEW = 30
"""Classes with fewer trusted records than this share one threshold."""
MOST_WEIGHT = 3.0
"""No class weighs more than this for having lost records."""
ROUNDS = 50


def temperature_of(probabilities: Floats, truth: Codes) -> float:
    """The temperature at which log-probabilities, divided by it, fit the truth best (Guo 2017); between 0.2 and 10.

    Args:
        probabilities: out of fold, (m, K); truth: (m,).
    """

    def loss(logarithm: float) -> float:
        p = tempered(probabilities, float(np.exp(logarithm)))
        return -float(np.log(np.maximum(p[np.arange(len(truth)), truth], 1e-12)).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.2), np.log(10)), method="bounded")
    return float(np.exp(found.x))


def tempered(probabilities: Floats, temperature: float) -> Doubles:
    """softmax(log p / temperature), (n, K)."""
    logs = np.log(np.maximum(probabilities.astype(np.float64), 1e-12)) / temperature
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def noise_model(probabilities: Doubles, given: Codes) -> Doubles:
    """P(given label | true class), (K, K), rows sum to 1; expectation-maximisation with the teacher as prior of each record.

    One record per row is assumed beforehand, labelled rightly, so that a class without records is taken as rightly labelled.
    """
    known = given >= 0
    p, label = probabilities[known], given[known]
    classes = probabilities.shape[1]
    model = 0.5 * np.eye(classes) + 0.5 / classes
    for _ in range(ROUNDS):
        share = joined(p, label, model)
        counts = np.eye(classes)
        np.add.at(counts.T, label, share)
        model = counts / counts.sum(axis=1, keepdims=True)
    return np.asarray(model)


def joined(probabilities: Doubles, given: Codes, model: Doubles) -> Doubles:
    """Probability of the true class by teacher and given label together, (n, K); without a label the teacher's own."""
    share = probabilities * np.where(given[:, None] >= 0, model.T[given], 1.0)
    total = share.sum(axis=1, keepdims=True)
    return np.where(total > 1e-12, share / np.maximum(total, 1e-12), probabilities)


@dataclass(frozen=True, kw_only=True)
class Gates:
    """Confidence from which a class is believed outright, (K,), and below which a record teaches nothing, (K,)."""

    high: Doubles
    low: Doubles


def gates_of(probabilities: Doubles, truth: Codes, model: Doubles | None, *, precision: float, useless: float = 0.5) -> Gates:
    """Gates from precision that is measured on trusted records out of fold, never set.

    Args:
        probabilities: calibrated, out of fold, (m, K); truth: (m,).
        model: each trusted record stands for one of every given label, by its probability in the noise model;
            None for records without label.
        precision: of the records above the gate, so many are right; the lowest such gate is taken.
        useless: below the lower gate, fewer than this are right.
    """
    m, classes = probabilities.shape
    if model is None:
        shares, weights, real = probabilities, np.ones(m), truth
    else:
        given = np.tile(np.arange(classes), m)
        real = np.repeat(truth, classes)
        shares = joined(np.repeat(probabilities, classes, axis=0), given, model)
        weights = model[real, given]
    called, sure = shares.argmax(axis=1), shares.max(axis=1)
    right = called == real
    common = _gates(sure, right, weights, precision, useless)
    high, low = np.full(classes, common[0]), np.full(classes, common[1])
    for c in range(classes):
        mine = called == c
        if weights[mine].sum() >= FEW:
            high[c], low[c] = _gates(sure[mine], right[mine], weights[mine], precision, useless)
    return Gates(high=high, low=low)


def _gates(sure: Doubles, right: Bools, weights: Doubles, precision: float, useless: float) -> tuple[float, float]:
    if not len(sure) or weights.sum() <= 0:
        return np.inf, 0.0
    order = np.argsort(-sure, kind="stable")
    sure, hits, weights = sure[order], (right * weights)[order], weights[order]
    # equal confidences stand or fall together
    last = np.append(sure[1:] < sure[:-1], True)
    down = np.cumsum(hits) / np.maximum(np.cumsum(weights), 1e-12)
    high = np.flatnonzero(last & (down >= precision))
    first = np.insert(sure[1:] < sure[:-1], 0, True)
    up = np.cumsum(hits[::-1])[::-1] / np.maximum(np.cumsum(weights[::-1])[::-1], 1e-12)
    low = np.flatnonzero(first & (up < useless))
    return (
        float(sure[high[-1]]) if len(high) else np.inf,
        float(np.nextafter(sure[low[0]], 1)) if len(low) else 0.0,
    )


def decide(shares: Doubles, given: Codes, gates: Gates) -> Codes:
    """Number of the decision in `DECISIONS` for each record, (n,). A record without label is replaced where it is believed."""
    called, sure = shares.argmax(axis=1), shares.max(axis=1)
    believed = sure >= gates.high[called]
    found = np.where(believed, np.where(called == given, 0, 1), 2)
    return np.where(~believed & (sure < gates.low[called]), 3, found).astype(np.int64)


def targets_of(shares: Doubles, decisions: Codes) -> Floats:
    """What a student learns, (n, K): one class where that is believed, else the probabilities."""
    hard = np.eye(shares.shape[1])[shares.argmax(axis=1)]
    return np.where((decisions <= 1)[:, None], hard, shares).astype(np.float32)


def balanced(shares: Doubles, targets: Floats, used: Bools) -> Floats:
    """Weights, (n,), that give every class the share of the records it has by all predictions, not only by the used ones.

    What is easily recognised would otherwise crowd out what is not. No weight is above 3 nor below 1/3.
    """
    if not used.any():
        return np.zeros(len(shares), np.float32)
    wanted = shares.sum(axis=0) / len(shares)
    there = targets[used].sum(axis=0) / used.sum()
    factor = np.clip(wanted / np.maximum(there, 1e-9), 1 / MOST_WEIGHT, MOST_WEIGHT)
    weights = np.where(used, targets @ factor, 0.0)
    return np.asarray(weights * used.sum() / weights.sum(), np.float32)


LEVEL = 0.95


def ignorance(called: Codes, truth: Codes, said: Codes, given: Codes, *, classes: int) -> str:
    """Why a teacher must not teach, with the figures: it knows no more than nothing does, or less than the labels that it would
    correct. Empty where it may.

    Args:
        called: its classes of the trusted records, out of fold; `truth`: theirs.
        said: its classes of the other records; `given`: their labels, -1 where there is none.
    """
    right, size = int((called == truth).sum()), len(truth)
    accuracy = right / size
    low = float(beta.ppf(1 - LEVEL, right, size - right + 1)) if right else 0.0
    trivial = float(np.bincount(truth, minlength=classes).max() / size)
    if low <= trivial:
        return (
            f"the teacher knows too little to teach: right in {accuracy:.0%} of {size:,} trusted records out of fold (at least "
            f"{low:.0%}, with 95 % confidence), and always saying the commonest class is right in {trivial:.0%}; name more "
            "trusted records, or allow more training"
        )
    labelled = given >= 0
    if labelled.mean() < 0.5:  # most records have no label that could be the better one
        return ""
    rate = rate_of_labels(float((said == given)[labelled].mean()), accuracy, classes)
    if accuracy < rate:
        return (
            f"the teacher would make labels worse: it is right in {accuracy:.0%} of {size:,} trusted records out of fold, the "
            f"labels themselves in about {rate:.0%} (from how often both agree); name more trusted records, or allow more "
            "training"
        )
    return ""


def rate_of_labels(agreement: float, accuracy: float, classes: int) -> float:
    """How often the labels are right, from how often they agree with a teacher of this accuracy, errors being independent and
    even over the other classes: a = t·r + (1 - t)·(1 - r)/(K - 1), solved for r."""
    apart = (1 - accuracy) / (classes - 1)
    return float(np.clip((agreement - apart) / max(accuracy - apart, 1e-9), 0.0, 1.0))
