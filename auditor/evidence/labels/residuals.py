"""Labels that are numbers: which are too far from what a model predicts out of fold.

The residual is compared with those of records of about the same prediction, in robust standard deviations (median absolute
deviation), since a model errs more where there are few records or values are large. What is usual is, on each side, a Student
distribution whose tail is read from the inner 80 % of that side's residuals: honest residuals are skewed and have longer tails
than normal ones, and few wrong labels do not reach so far inside. Tail probabilities are corrected for the number of labels
(Benjamini & Hochberg, 1995), so that at most about one in ten of the flagged labels is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.check import SkipCheck
from auditor.evidence.labels.fraction import fraction
from auditor.evidence.labels.label_noise import MIN_JUDGED, carriers
from auditor.prediction.folds import fold_groups
from auditor.prediction.predict import why_not
from auditor.statistics.distributions import t as student
from auditor.values.dataset import Dataset
from auditor.values.judgements import Fraction, NoiseVerdict

FALSE_FLAGS = 0.1
WINDOW, MOST_WINDOWS = 100, 10
INNER, OUTER = 0.5, 0.8
DEGREES = np.concatenate([np.arange(1.5, 10, 0.25), np.arange(10, 40, 2.0), [60.0, 120.0, 1000.0]])
MIN_SKILL = 0.05
CAUTION = 1.0
ASSUMPTION = "residuals of right labels follow a Student distribution whose tails can be read from the inner 80 %"

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class JudgedNumbers:
    """What numbers and one model say together; arrays have one row per judged label.

    Args:
        verdict, reason: and why, in words.
        given, predicted: the number in the table and the model's.
        score: probability of a residual at least as large if the label is right, 0–1; low = look here first.
        flagged: at a false discovery rate of .1.
        noise: share of wrong labels: the flagged, less the part that is expected to be right.
        skill: share of the labels' robust variance that the model explains, 0–1.
        spread: robust standard deviation of the residuals, in the unit of the label; the median over the predictions.
        degrees: of freedom of the longer tail; few = long.
        visible: an error of this size, in the unit of the label, would have been flagged on its own.
        records, label_of: as in `JudgedTask`.
    """

    verdict: NoiseVerdict
    reason: str
    given: Doubles
    predicted: Doubles
    score: Doubles
    flagged: Bools
    noise: Fraction
    skill: float
    spread: float
    degrees: float
    visible: float
    records: npt.NDArray[np.int64]
    label_of: npt.NDArray[np.int64]


def judge_numbers(dataset: Dataset, *, tolerance: float) -> JudgedNumbers:
    """Judge a continuous label. Where it speaks of a study, a lesion or a patient, the predictions of its images are averaged.

    Raises:
        SkipCheck: no predictions, or fewer than 20 records that have both.
    """
    predictions = dataset.predictions
    if predictions is None:
        raise SkipCheck(f"no predictions: {why_not(dataset) or 'the predict stage did not run'}")
    values = dataset.labels.values.to_numpy(dtype=np.float64)
    told = predictions.probabilities[:, 0].astype(np.float64)
    rows = np.flatnonzero(np.isfinite(values) & np.isfinite(told))
    given, predicted, label_of = values[rows], told[rows], np.arange(len(rows))
    groups = fold_groups(dataset)[rows]
    carrier = carriers(dataset)
    if carrier is not None:
        pairs = np.stack([carrier[rows].astype(np.float64), given], axis=1)
        _, first, label_of = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        label_of = label_of.reshape(-1)
        predicted = np.bincount(label_of, predicted) / np.bincount(label_of)
        given, groups = given[first], groups[first]
    if len(given) < MIN_JUDGED:
        raise SkipCheck(f"fewer than {MIN_JUDGED} records have both a label and a prediction")
    spread_of_labels = robust_spread(given)
    if spread_of_labels == 0:
        raise SkipCheck("more than half of the labels are one and the same number: their residuals have no scale")
    middle, spread = usual_residual(given - predicted, predicted)
    usual = float(np.median(spread))
    if usual <= 1e-9 * spread_of_labels:
        raise SkipCheck("the predictions repeat the labels: there is no residual to judge by")
    away = (given - predicted - middle) / spread
    tails = {side: tail(away[np.sign(away) == side] * side) for side in (-1, 1)}
    score = np.ones(len(away))
    for side, found in tails.items():
        beyond = np.sign(away) == side
        score[beyond] = found.beyond(np.abs(away[beyond]))
    flagged = discoveries(score, FALSE_FLAGS)
    share = fraction(flagged, groups)
    noise = Fraction(
        value=share.value * (1 - FALSE_FLAGS), low=share.low * (1 - FALSE_FLAGS), high=share.high, count=share.count
    )
    skill = max(0.0, 1 - (robust_spread(given - predicted) / spread_of_labels) ** 2)
    visible = max(found.least(FALSE_FLAGS / len(given)) for found in tails.values()) * usual
    verdict, reason = _judge(noise, skill, visible, int(flagged.sum()), tolerance)
    longest = min(found.degrees for found in tails.values())
    return JudgedNumbers(
        verdict=verdict, reason=reason, given=given, predicted=predicted, score=score, flagged=flagged, noise=noise,
        skill=skill, spread=1.4826 * usual, degrees=longest, visible=visible, records=rows, label_of=label_of,
    )  # fmt: skip


def robust_spread(values: Doubles) -> float:
    """Median absolute deviation."""
    return float(np.median(np.abs(values - np.median(values))))


def usual_residual(residual: Doubles, predicted: Doubles) -> tuple[Doubles, Doubles]:
    """Median and median absolute deviation of the residuals among records of about the same prediction; shape (labels,) each.

    Windows of at least 100 labels along the predictions, ten at most, with straight lines between their middles. No window
    has less than a fifth of the spread of all, so that a run of equal numbers does not make all others errors.
    """
    windows = int(np.clip(len(residual) // WINDOW, 1, MOST_WINDOWS))
    parts = np.array_split(np.argsort(predicted, kind="stable"), windows)
    at = np.array([np.median(predicted[part]) for part in parts])
    middles = np.array([np.median(residual[part]) for part in parts])
    spreads = np.maximum([robust_spread(residual[part]) for part in parts], robust_spread(residual) / 5)
    return np.interp(predicted, at, middles), np.interp(predicted, at, spreads)


@dataclass(frozen=True, kw_only=True)
class Tail:
    """One side of the usual residuals: Student's distribution of `degrees`, times `scale`."""

    degrees: float
    scale: float

    def beyond(self, away: Doubles) -> Doubles:
        """Probability of a residual at least as far on this side, given that it is on this side."""
        return np.asarray(2 * student.sf(away / self.scale, self.degrees))

    def least(self, probability: float) -> float:
        """The residual with that probability."""
        return float(student.isf(probability / 2, self.degrees)) * self.scale


def tail(away: Doubles) -> Tail:
    """The distribution whose 50 % and 80 % points are those of the residuals of one side, taken as positive numbers.

    The 80 % point is taken one standard error higher: with few labels the tail is not known, and then it is long.
    """
    if len(away) < 2:
        return Tail(degrees=float(DEGREES[0]), scale=1.0)
    inner = float(np.quantile(away, INNER))
    outer = float(np.quantile(away, min(1.0, OUTER + CAUTION * (OUTER * (1 - OUTER) / len(away)) ** 0.5)))
    ratios = student.ppf(0.5 + OUTER / 2, DEGREES) / student.ppf(0.5 + INNER / 2, DEGREES)
    degrees = float(DEGREES[int(np.argmin(np.abs(ratios - outer / max(inner, 1e-12))))])
    return Tail(degrees=degrees, scale=max(inner, 1e-12) / float(student.ppf(0.5 + INNER / 2, degrees)))


def discoveries(p: Doubles, rate: float) -> Bools:
    """Which p-values the procedure of Benjamini & Hochberg (JRSS B 57, 1995) rejects."""
    rising = np.sort(p)
    below = np.flatnonzero(rising <= rate * np.arange(1, len(p) + 1) / len(p))
    return np.asarray(p <= rising[below[-1]]) if len(below) else np.zeros(len(p), dtype=np.bool_)


def _judge(noise: Fraction, skill: float, visible: float, flagged: int, tolerance: float) -> tuple[NoiseVerdict, str]:
    if skill < MIN_SKILL:
        return "cannot tell", "the model hardly knows more about the numbers than their median"
    if noise.low > tolerance:
        return "noise", f"{flagged:,} of {noise.count:,} numbers lie further from the model than right ones do"
    return "no evidence", (
        f"{flagged:,} of {noise.count:,} numbers lie further from the model than right ones do; a single error of "
        f"{visible:.3g} or more would have shown"
    )
