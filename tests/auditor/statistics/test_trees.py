"""Own boosted trees: the numbers of scikit-learn's to the last bit, whatever the columns hold."""

import numpy as np
import pytest

from auditor.statistics import boosting
from auditor.statistics.boosting import fitted, grown
from auditor.statistics.trees import LEAST, LEAVES, ROUNDS, fit_trees


def part(seed, rows, columns, *, missing=False):
    """A design whose first and last column tell the class together; some columns with few values, some with many."""
    rng = np.random.default_rng(seed)
    made = [rng.integers(0, rng.choice([2, 3, 7, 64, 65, 500]), rows).astype(np.float32) for _ in range(columns)]
    if missing:
        for column in made[::2]:
            column[rng.random(rows) < 0.2] = np.nan
    above = [np.nan_to_num(column) > np.nanmedian(column) for column in (made[0], made[-1])]
    return np.column_stack(made), rng.random(rows) < np.where(above[0] ^ above[1], 0.75, 0.25)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(30, 2), (90, 3), (400, 5), (1500, 2)])
def test_each_score_is_that_of_scikit_learn_to_the_last_bit(rows, columns, missing):
    parts = [part(seed, rows, columns, missing=missing) for seed in range(3)]
    for number, (own, (design, positive)) in enumerate(zip(fit_trees(parts), parts, strict=True)):
        other = grown(design, positive)
        for asked in (design, part(50 + number, 200, columns, missing=True)[0], part(90 + number, 200, columns)[0]):
            np.testing.assert_array_equal(own.decision_function(asked), other.decision_function(asked))


def test_models_that_grow_together_are_those_that_grow_alone():
    parts = [part(1, 300, 2), part(2, 500, 6, missing=True), part(3, 45, 3)]
    asked = [part(9, 100, design.shape[1], missing=True)[0] for design, _ in parts]
    together = [own.decision_function(design) for own, design in zip(fit_trees(parts), asked, strict=True)]
    alone = [fit_trees([one])[0].decision_function(design) for one, design in zip(parts, asked, strict=True)]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_column_of_one_value_and_a_sample_too_small_for_two_leaves_give_the_prevalence_alone():
    design, positive = np.zeros((60, 1), np.float32), np.arange(60) < 15
    few = np.arange(2 * LEAST - 1, dtype=np.float32)[:, None]
    flat, small = fit_trees([(design, positive), (few, few[:, 0] < 10)])
    np.testing.assert_allclose(flat.decision_function(design), np.log(15 / 45))
    np.testing.assert_allclose(small.decision_function(few), np.log(10 / (2 * LEAST - 11)))


def test_an_interaction_of_two_columns_is_learnt():
    design, positive = part(4, 2000, 3)
    score = fit_trees([(design[:1000], positive[:1000])])[0].decision_function(design[1000:])
    held_out = positive[1000:]
    higher = (score[held_out][:, None] > score[~held_out]).mean()
    assert higher > 0.7


def test_every_round_has_a_tree_of_no_more_leaves_than_it_may_have():
    (model,) = fit_trees([part(5, 1000, 4)])
    splits = (model.child > 0).sum(axis=1)
    assert len(splits) == ROUNDS
    assert splits.max() == LEAVES - 1


@pytest.mark.parametrize("little", [0, 10**9])
def test_who_grows_the_trees_does_not_show(little, monkeypatch):
    parts = [part(seed, 200, 3, missing=True) for seed in range(2)]
    expected = [own.decision_function(design) for own, (design, _) in zip(fit_trees(parts), parts, strict=True)]
    monkeypatch.setattr(boosting, "LITTLE", little)
    models = fitted(iter(parts), shapes=[design.shape for design, _ in parts])
    assert {type(model).__name__ for model in models} == {"Trees" if little else "_OneThread"}
    for model, (design, _), same in zip(models, parts, expected, strict=True):
        np.testing.assert_array_equal(model.decision_function(design), same)
