"""What a disagreement of labels and model says: noise, no evidence of it, or that it cannot be told, and why in words.

Noise is what shows where the model is sure. Where the disagreement grows steadily with the model's doubt, as it does for
ambiguous images with right labels, the assumption behind the estimate is not supported; where the records are too few, it
cannot be seen whether it grows.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from auditor.values.judgements import Fraction, NoiseVerdict

MIN_SKILL = 0.05
RISE_END, START, END = 0.7, 0.1, 0.6
RISE, SLACK, USUAL_ERROR, PENALTY = 0.5, 0.02, 0.015, 1.4
"""A line through the disagreement of the surer 70 % may rise from START to END by half of where it starts and two points, where
noise and not doubt explains it; less where few records leave its slope uncertain (standard error above .015)."""

Growth = Literal["grows", "too few", "steady"]


def growth_of(differs: npt.NDArray[np.bool_], place: npt.NDArray[np.float64]) -> Growth:
    """Whether the disagreement rises with the model's doubt more than noise would, or could for all that is known."""
    part = place < RISE_END
    x, y = place[part] - place[part].mean(), differs[part].astype(np.float64)
    spread = float(x @ x)
    if spread <= 0:
        return "steady"
    slope, middle = float(x @ y) / spread, float(y.mean())
    start = max(0.0, middle + slope * (START - float(place[part].mean())))
    error = float(np.sqrt(middle * (1 - middle) / spread)) * (END - START)
    beyond = slope * (END - START) - (RISE * start + SLACK)
    if beyond > 0:
        return "grows"
    return "too few" if beyond > -PENALTY * max(0.0, error - USUAL_ERROR) else "steady"


def judge(
    sure: Fraction, surest: Fraction, doubtful: Fraction, skill: float, tolerance: float, growth: Growth
) -> tuple[NoiseVerdict, str]:
    """The verdict and its reason.

    Args:
        sure, surest, doubtful: disagreement among the surer half, the surest quarter, and at middling confidence.
        skill: how much more probability the given classes get than by chance.
        tolerance: noise up to here is not worth a word.
        growth: of the disagreement with the model's doubt.
    """
    if skill < MIN_SKILL:
        return "cannot tell", "the model hardly knows more about the labels than how frequent they are"
    if sure.low <= tolerance:
        seen = max(sure.high, tolerance)
        return "no evidence", (
            f"among the surer half, {sure.value:.1%} of {sure.count:,} labels disagree with the model; "
            f"noise of more than {seen:.1%} spread over all records would have shown"
        )
    # Noise is only what shows among the surest.
    where = f"{surest.value:.1%} of {surest.count:,} where it is surest, {doubtful.value:.1%} at middling confidence"
    if growth == "grows" or surest.value <= tolerance:
        return "cannot tell", (
            f"the disagreement grows with the model's doubt ({where}): ambiguous images and wrong labels look alike; have a "
            "random sample reviewed"
        )
    if growth == "too few" or surest.low <= tolerance:
        return "cannot tell", (
            f"the records are too few to see whether the disagreement grows with the model's doubt ({where}), as it does for "
            "ambiguous images with right labels; have a random sample reviewed"
        )
    return "noise", f"even where the model is surest, {surest.value:.1%} of {surest.count:,} labels disagree"
