"""What the verdicts are worth: many comparisons by the real plan, floor and verdict, of learners whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainers.engine.plan import Pace, planned
from trainers.grading.evaluate import compare_arms
from trainers.references import above, effort_of
from trainers.values.effort import Effort, Spent
from trainers.values.recipe import Recipe

RECORDS, SEEDS, MARGIN, CLASSES = 400, 3, 0.05, ("a", "b", "c")
RECIPE, EXAMPLES, PACE = Recipe(epochs=40), 300, Pace(plain=0.01, augmented=0.02)
EFFORTS = (Effort(), Effort(), effort_of(Effort(), SEEDS))
SLOW = 3000.0
"""Samples after which a learner has come two thirds of its way from chance."""


def skill(samples: int, effect: float) -> float:
    """How often a learner is right that has seen so many samples."""
    return 1 / 3 + (0.8 - 1 / 3) * (1 - float(np.exp(-samples / SLOW))) + effect


def network(rng: np.random.Generator, truth: np.ndarray, hard: np.ndarray, right: float) -> np.ndarray:
    """One trained network: hard records are hard for all, and every training has its own luck."""
    lucky = np.clip(right + rng.normal(0, 0.015), 0, 1)
    good = 0.6 * hard + 0.4 * rng.random(len(truth))
    said = np.where(good <= np.quantile(good, lucky), truth, (truth + rng.integers(1, 3, len(truth))) % 3)
    return np.eye(3)[said]


def verdict(seed: int, effect: float, share: float) -> str:
    """The verdict of one simulated run of `fix` whose budget allows this share of the epochs."""
    rng = np.random.default_rng([seed, int(1000 * share)])
    whole = planned(RECIPE, EXAMPLES, EFFORTS, seeds=SEEDS, budget=1.0, pace=PACE).whole
    plan = planned(RECIPE, EXAMPLES, EFFORTS, seeds=SEEDS, budget=1.001 * share * whole, pace=PACE)
    assert plan.share == pytest.approx(share)
    truth, hard = rng.integers(0, 3, RECORDS), rng.random(RECORDS)

    def arm(gain: float) -> np.ndarray:
        return np.stack([network(rng, truth, hard, skill(plan.samples, gain)) for _ in range(SEEDS)])

    options: dict[str, Any] = {
        "patients": np.arange(RECORDS), "task": "single", "classes": CLASSES, "resamples": 300, "arm": "x", "seed": seed,
    }  # fmt: skip
    after = arm(effect)
    found = compare_arms(truth, arm(0.0), after, margin=MARGIN, **options)
    if found.verdict == "improved":
        others = {name: compare_arms(truth, arm(0.0), after, **options) for name in ("averaged", "stopped", "augmented")}
        found = above(found, {n: (e, Spent(name=n, samples=plan.samples, seconds=1.0)) for n, e in others.items()})
    return found.verdict


@pytest.mark.slow
@pytest.mark.parametrize("share", [1.0, 0.25, 0.1])
def test_no_effect_is_seldom_called_one_and_twice_the_margin_is_found(share: float) -> None:
    nothing = [verdict(seed, 0.0, share) for seed in range(200)]
    assert nothing.count("improved") <= 10
    assert nothing.count("harmed") <= 10
    gains = [verdict(1000 + seed, 2 * MARGIN, share) for seed in range(100)]
    assert gains.count("improved") >= 80
    losses = [verdict(2000 + seed, -2 * MARGIN, share) for seed in range(100)]
    assert losses.count("improved") == 0
