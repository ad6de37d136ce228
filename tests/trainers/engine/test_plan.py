"""One plan for all arms: samples are fixed beforehand, and no clock decides afterwards who saw more."""

import pytest

from trainers.engine.plan import Pace, TrainingPlan, duration, planned
from trainers.values.effort import Effort, Spent
from trainers.values.recipe import Recipe

RECIPE = Recipe(epochs=12, batch=8)
PACE = Pace(plain=0.01, augmented=0.02)


def plan(budget: float | None, *efforts: Effort, seeds: int = 3) -> TrainingPlan:
    return planned(RECIPE, 100, efforts or (Effort(), Effort()), seeds=seeds, budget=budget, pace=PACE)


def test_without_a_budget_every_recipe_stays_as_it_is() -> None:
    free = plan(None)
    assert (free.cut, free.scaled(RECIPE), free.samples) == (False, RECIPE, 1200)
    assert "1,200 samples" in free.words


@pytest.mark.parametrize("share", [1.0, 0.5, 0.25])
def test_every_recipe_is_cut_by_the_same_share(share: float) -> None:
    whole = plan(1.0).whole
    found = plan(whole * share * 1.001)
    assert found.share == pytest.approx(share)
    for epochs in (12, 40, 100):
        assert found.scaled(Recipe(epochs=epochs)).epochs == round(epochs * share)
    assert found.samples == found.epochs * 100


def test_dearer_arms_leave_fewer_epochs_for_everybody() -> None:
    assert plan(50.0, Effort(), Effort(plain=0.0, augmented=3.0)).epochs < plan(50.0).epochs
    assert plan(50.0, Effort(), Effort(once=9.0)).epochs < plan(50.0).epochs
    assert plan(50.0, seeds=6).epochs < plan(50.0).epochs


def test_a_budget_below_one_epoch_of_every_arm_is_refused_with_what_it_would_take() -> None:
    found = plan(1.0)
    assert not found.enough
    assert "too short" in found.words
    assert duration(found.least) in found.words
    assert plan(found.least * 1.001).epochs == 1


def test_a_training_that_was_taken_up_again_counts_once() -> None:
    one, other = Spent(name="a", samples=10, seconds=1.0), Spent(name="b", samples=5, seconds=2.0, complete=False)
    both = Spent.together("arm", [one, one, other])
    assert (both.samples, both.seconds, both.complete) == (15, 3.0, False)


def test_durations_are_said_in_the_unit_of_people() -> None:
    assert [duration(s) for s in (0.25, 40, 900, 20_000)] == ["0.25 s", "40 s", "15 min", "5.6 h"]


def test_without_a_budget_it_is_foretold_how_long_it_takes_and_no_report_says_it() -> None:
    free = plan(None)
    assert not free.cut
    seconds = free.whole
    assert seconds == pytest.approx(plan(10_000.0).whole)
    assert f"will probably take {duration(seconds)} of training here" in free.foretold
    assert "probably" not in free.words
    assert "--budget" not in free.foretold
    long = planned(RECIPE, 100_000, (Effort(), Effort()), seeds=3, budget=None, pace=PACE)
    assert f"--budget {duration(long.whole / 4).replace(' ', '')}" in long.foretold


def test_with_a_budget_the_plan_is_foretold_as_the_report_has_it() -> None:
    assert plan(50.0).foretold == plan(50.0).words
