"""The floor: what a predictor reaches that never looked at an image. Two arms below it have no difference worth telling.

Where objects are large, painting all is a high floor in Dice that a network which sees a lot, but paints too little, does not
reach. So masks are also held against the floor of a metric that no such predictor flatters (`LearningTask.unflattered`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainers.grading.grade import Graded
from trainers.grading.paired import Draws, Interval, draw, interval
from trainers.metrics.panel import Doubles, Metric, Panel

CHANCES = 8
"""Predictions of a predictor that throws dice, whose mean counts."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """The best trivial predictor, and how far both arms are above it; differences are turned so that more is better.

    Args:
        metric: in which.
        name, value: of that predictor.
        before, after: the metric of the two arms, less that of the predictor.
    """

    metric: Metric
    name: str
    value: float
    before: Interval
    after: Interval

    @property
    def learnt(self) -> tuple[bool, bool]:
        """Whether the baseline and the arm are above it, the whole interval."""
        return self.before.low > 0, self.after.low > 0

    @property
    def inverted(self) -> tuple[bool, bool]:
        """Whether the baseline and the arm are below it, the whole interval: something speaks against what was learnt."""
        return self.before.high < 0, self.after.high < 0


def floor_of(
    graded: Graded, one: Draws, two: Draws, shares: Doubles, *, resamples: int, seed: int, metric_index: int = 0
) -> Floor | None:
    """The floor under two arms that were drawn with the same number of resamples and seed; None where it is not defined."""
    metric = graded.metrics[metric_index]
    best: tuple[float, str, list[Panel]] | None = None
    for name, panels in trivial_panels(graded, seed).items():
        value = float(np.mean([panel.plain()[0][metric_index] for panel in panels]))
        if np.isfinite(value) and (best is None or metric.sign * value > metric.sign * best[0]):
            best = value, name, panels
    if best is None:
        return None
    value, name, panels = best
    (drawn,) = draw([panels], patients=graded.patients, resamples=resamples, seed=seed)
    under = drawn.metrics[:, :, metric_index].mean(axis=1, keepdims=True)

    def above(arm: Draws) -> Interval:
        return interval(
            metric.sign * (arm.metrics_plain[:, metric_index] - value),
            metric.sign * (arm.metrics[:, :, metric_index] - under), shares, patients=graded.patients,
        )  # fmt: skip

    return Floor(metric=metric, name=name, value=value, before=above(one), after=above(two))


def trivial_panels(graded: Graded, seed: int) -> dict[str, list[Panel]]:
    """Each trivial predictor, once; one that throws dice several times."""
    draws = [graded.task.trivial(graded.truth, np.random.default_rng([seed, 3, i])) for i in range(CHANCES)]
    found = {}
    for name, first in draws[0].items():
        same = np.array_equal(first, draws[1][name])
        found[name] = [graded.panel(one[name]) for one in (draws[:1] if same else draws)]
    return found
