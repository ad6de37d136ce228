"""A gain is the strategy's own only above plain training done better, with as many samples."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from auditor.values.corrections import Evaluation
from trainers.grading.evaluate import compare_arms
from trainers.references import AUGMENTED, AVERAGED, LONGER, STOPPED, above, effort_of, ways
from trainers.strategies.augment import Augment
from trainers.values.effort import Effort, Spent
from trainers.values.recipe import Recipe

RECIPE = Recipe(epochs=10)
SPENT = Spent(name="x", samples=100, seconds=1.0)


def said(rng: np.random.Generator, truth: np.ndarray, right: float, seeds: int = 3) -> np.ndarray:
    return np.stack([np.eye(2)[np.where(rng.random(len(truth)) < right, truth, 1 - truth)] for _ in range(seeds)])


def judged(plain: float, arm: float, **others: float) -> Evaluation:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    after = said(rng, truth, arm)

    def against(right: float, name: str) -> Evaluation:
        return compare_arms(
            truth, said(rng, truth, right), after, patients=np.arange(400), task="single", classes=("a", "b"), arm="robust",
            baseline=name, resamples=300,
        )  # fmt: skip

    found = against(plain, "none")
    assert found.verdict == "improved"
    return above(found, {name: (against(right, name), SPENT) for name, right in others.items()})


def test_a_gain_above_all_of_them_stays_improved_and_says_so() -> None:
    found = judged(0.7, 0.9, averaged=0.72, augmented=0.82)
    assert found.verdict == "improved"
    assert "the best of plain training, augmented" in found.notes[-1]


def test_a_gain_that_one_of_them_reaches_alone_is_not_the_strategys() -> None:
    found = judged(0.7, 0.9, averaged=0.9, augmented=0.75)
    assert (found.verdict, found.metrics[0].verdict) == ("not worse", "not worse")
    assert found.summary.startswith("not worse: balanced accuracy")
    assert "not shown to be the strategy's own: averaged" in found.summary
    table = next(t for t in found.tables if t.name == "references")
    assert list(table.columns[0].values) == ["averaged", "augmented"]


def test_a_gain_that_was_compared_with_nothing_else_is_not_the_strategys() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    found = compare_arms(
        truth, said(rng, truth, 0.7), said(rng, truth, 0.9), patients=np.arange(400), task="single", classes=("a", "b"),
        arm="robust", baseline="none", resamples=300,
    )  # fmt: skip
    assert found.verdict == "improved"
    undefined = replace(found, metrics=(replace(found.metrics[0], difference=math.nan, low=math.nan, high=math.nan),))
    for beside in ({}, {"averaged": (replace(found, metrics=()), SPENT)}, {"averaged": (undefined, SPENT)}):
        judged_beside = above(found, beside)
        assert judged_beside.verdict == "not worse"
        assert "could not be compared with it" in judged_beside.summary


def test_each_way_has_as_many_samples_as_the_strategy() -> None:
    plain = ways(RECIPE, 1.0, validation=True)
    assert set(plain) == {AVERAGED, AUGMENTED, STOPPED}
    assert {r.epochs for r in plain.values()} == {10}
    longer = ways(RECIPE, 2.0, validation=False)
    assert set(longer) == {AVERAGED, AUGMENTED, LONGER}
    assert {r.epochs for r in longer.values()} == {20}
    assert longer[LONGER] == replace(RECIPE, epochs=20)
    assert longer[AUGMENTED].augmentation == "standard"
    assert longer[AVERAGED].ema is not None


def test_the_plan_counts_with_them() -> None:
    assert effort_of(Effort(), 3) == Effort(plain=2.0, augmented=1.0)
    assert effort_of(Effort(plain=0.0, augmented=1.5, once=1.5), 3) == Effort(plain=6.0, augmented=2.0)


def test_augmentation_need_not_beat_itself() -> None:
    assert set(Augment.stands_for) == {AUGMENTED}


def test_a_choice_is_kept_for_its_own_options_alone(tmp_path: Path) -> None:
    class Case:
        work, seed = tmp_path, 0
        bench = type("B", (), {"recipe": RECIPE})()

    one, same, other = (Augment(networks=n)._place(Case()) for n in (1, 1, 3))  # type: ignore[arg-type]
    assert one == same != other
