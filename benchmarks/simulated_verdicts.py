"""What the verdicts of `medaudit fix` are worth: many comparisons by the real plan, floor and verdict, of learners
whose truth is known.

    python benchmarks/simulated_verdicts.py [--runs 200] [--shares 1,0.25,0.1] [--effects 0,2,-2]

A learner comes the nearer to its best the more samples it has seen; hard records are hard for all networks, and every training
has its own luck. Doing nothing and the strategy are compared on 400 records with three networks each, in a budget that allows
this share of the epochs. Printed: how often each verdict falls where the strategy has no effect, and where it gains or loses
twice the margin (effects are given in margins).
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from trainers.engine.plan import Pace, planned
from trainers.grading.evaluate import compare_arms
from trainers.references import above, effort_of
from trainers.values.effort import Effort, Spent
from trainers.values.recipe import Recipe

RECORDS, SEEDS, MARGIN, CLASSES = 400, 3, 0.05, ("a", "b", "c")
RECIPE, EXAMPLES, PACE = Recipe(epochs=40), 300, Pace(plain=0.01, augmented=0.02)
EFFORTS = (Effort(), Effort(), effort_of(Effort(), SEEDS))
Floats = npt.NDArray[Any]
SLOW = 3000.0
"""Samples after which a learner has come two thirds of its way from chance."""


def skill(samples: int, effect: float) -> float:
    """How often a learner is right that has seen so many samples."""
    return 1 / 3 + (0.8 - 1 / 3) * (1 - float(np.exp(-samples / SLOW))) + effect


def network(rng: np.random.Generator, truth: Floats, hard: Floats, right: float) -> Floats:
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
    assert abs(plan.share - share) < 1e-6
    truth, hard = rng.integers(0, 3, RECORDS), rng.random(RECORDS)

    def arm(gain: float) -> Floats:
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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--shares", default="1,0.25,0.1")
    parser.add_argument("--effects", default="0,2,-2")
    given = parser.parse_args()
    print("| share of the epochs | true effect | runs | improved | not worse | cannot tell | neither learnt | harmed |")
    print("|---|---|---|---|---|---|---|---|")
    for margins in map(float, given.effects.split(",")):
        first, effect = {0.0: 0, 2.0: 1000, -2.0: 2000}.get(margins, 3000), margins * MARGIN
        for share in map(float, given.shares.split(",")):
            said = Counter(verdict(first + seed, effect, share) for seed in range(given.runs))
            words = ("improved", "not worse", "cannot tell", "neither learnt the task", "harmed")
            print(f"| {share:g} | {effect:+.2f} | {given.runs} | {' | '.join(str(said[w]) for w in words)} |", flush=True)


if __name__ == "__main__":
    main()
