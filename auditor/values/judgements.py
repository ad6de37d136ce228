"""What labels and predictions say together, as checks and strategies see it; `auditor.evidence.labels` works it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
NoiseVerdict = Literal["noise", "no evidence", "cannot tell"]


@dataclass(frozen=True, kw_only=True)
class Fraction:
    """A share of `count` records with its 95 % interval."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, kw_only=True)
class NoiseEstimate:
    """What labels and one model say together; arrays have one row per judged record.

    Args:
        verdict, reason: and why, in words.
        disagreement: share of records whose most probable class is not the given one.
        null_disagreement: what the sharpened model would disagree with if every label were right: mean of 1 − max p.
        noise: model-based share of wrong labels, under `ASSUMPTION` (two models: `ASSUMPTION_OF_TWO`); the interval is that of
            sampling alone.
        sure, doubtful: disagreement among the surer half of the records, and among those of middling confidence; of two models,
            where both name the same class.
        skill: how much more probability the given classes get than by chance; 0 = none, 1 = all there is.
        transition: (classes, classes), row = true class, column = given class; rows sum to 1.
        suspicion: probability that the given label is wrong, 0–1; their mean is `noise` where that can be reached.
        score: 0–1, low = look here first.
        suggested: the most probable class, or for flagged records the most probable other one.
        flagged: the lowest scores, as many as give the highest expected F1; at most 1 % where there is no evidence of noise.
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
    suggested: npt.NDArray[np.signedinteger]
    flagged: Bools


@dataclass(frozen=True, kw_only=True)
class JudgedTask:
    """One question that every judged record answers: which class (exclusive classes), or whether one class (multi-label).

    Args:
        name: the class for multi-label, empty otherwise.
        classes: names of the columns of `probabilities`.
        codes: given class of each judged label, in as few bytes as hold it.
        groups: patient of each of them, as a number.
        told: (labels, classes), or of two classes the probability of the second, (labels,): fourteen findings of a million
            images stay a view of the predictions.
        estimate: what follows.
        records: judged records, positions in `Dataset.records`.
        label_of: which judged label each of them carries; the same array as `records` where every record has its own, in order.
            A label of a study is one label, whatever its number of images.
    """

    name: str
    classes: tuple[str, ...]
    codes: npt.NDArray[np.signedinteger]
    groups: npt.NDArray[np.int64]
    told: npt.NDArray[np.float32]
    estimate: NoiseEstimate
    records: npt.NDArray[np.int64]
    label_of: npt.NDArray[np.int64]

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """Shape (labels, classes)."""
        return self.told if self.told.ndim == 2 else both(self.told)

    @property
    def differs(self) -> npt.NDArray[np.bool_]:
        """Whether the model names another class than the given one; shape (labels,)."""
        if self.told.ndim == 2:
            return np.asarray(self.told.argmax(axis=1) != self.codes)
        return np.asarray((self.told > 1 - self.told) != (self.codes == 1))


def both(second: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Probabilities of two classes, shape (labels, 2), from that of the second."""
    return np.stack([1 - second, second], axis=1)


class Judgements(Protocol):
    """The labels of one dataset, judged by its predictions; each tolerance is worked out once, when it is first asked for."""

    def speak_of(self, dataset: object) -> bool:
        """Whether just these labels, predictions and records were judged: what a copy changed must be judged anew."""

    def at(self, tolerance: float) -> tuple[JudgedTask, ...]:
        """One task for single and ordinal labels, one per class for multi-label; empty where too little can be judged."""
