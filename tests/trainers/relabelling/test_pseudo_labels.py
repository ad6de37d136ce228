"""Pseudo-labels: against simulated teachers and labels whose mistakes are known."""

from typing import Any

import numpy as np
import pytest

from trainers.relabelling.pseudo_labels import (
    DECISIONS,
    balanced,
    decide,
    gates_of,
    joined,
    noise_model,
    targets_of,
    temperature_of,
    tempered,
)

Array = np.ndarray[Any, Any]


def teacher(n: int, classes: int, *, seed: int, strength: float = 3.0) -> tuple[Array, Array]:
    """True classes, and calibrated probabilities: the posterior of a Gaussian score per class."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    scores = rng.normal(size=(n, classes))
    scores[np.arange(n), truth] += strength
    p = np.exp(strength * scores)  # equal variances: the exact posterior is softmax(strength × score)
    return truth, p / p.sum(axis=1, keepdims=True)


def flipped(truth: Array, model: Array, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return np.array([rng.choice(len(model), p=model[t]) for t in truth])


def shift(classes: int, share: float) -> Array:
    return (1 - share) * np.eye(classes) + share * np.roll(np.eye(classes), 1, axis=1)


@pytest.mark.parametrize("wrong", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_wrong_one(wrong: float) -> None:
    truth, p = teacher(4000, 4, seed=0)
    assert temperature_of(tempered(p, wrong).astype(np.float32), truth) == pytest.approx(1 / wrong, rel=0.1)


def test_a_temperature_keeps_order_and_sum() -> None:
    _, p = teacher(100, 5, seed=1)
    soft = tempered(p, 3.0)
    assert (soft.argmax(axis=1) == p.argmax(axis=1)).all()
    np.testing.assert_allclose(soft.sum(axis=1), 1)
    assert (soft.max(axis=1) <= p.max(axis=1)).all()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4])
def test_the_noise_model_is_found_without_knowing_the_truth(share: float) -> None:
    truth, p = teacher(3000, 5, seed=2)
    model = shift(5, share)
    found = noise_model(p, flipped(truth, model, 3))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found, model, atol=0.05)


def test_a_class_that_nobody_gave_is_taken_as_rightly_labelled() -> None:
    p = np.tile([0.98, 0.01, 0.01], (50, 1))
    assert noise_model(p, np.zeros(50, int))[2].argmax() == 2


def test_teacher_and_label_together_are_right_more_often_than_each_alone() -> None:
    truth, p = teacher(4000, 5, seed=4, strength=2.0)
    model = shift(5, 0.4)
    given = flipped(truth, model, 5)
    both = joined(p, given, noise_model(p, given)).argmax(axis=1) == truth
    alone, label = (p.argmax(axis=1) == truth).mean(), (given == truth).mean()
    assert both.mean() > max(alone, label) + 0.05


def test_bayes_by_hand_and_without_a_label_the_teacher_alone() -> None:
    p = np.array([[0.6, 0.4], [0.6, 0.4]])
    model = np.array([[0.9, 0.1], [0.5, 0.5]])
    np.testing.assert_allclose(joined(p, np.array([1, -1]), model), [[0.06 / 0.26, 0.2 / 0.26], [0.6, 0.4]])


def test_above_the_gate_the_wanted_share_is_right_on_new_records() -> None:
    truth, p = teacher(3000, 4, seed=6, strength=2.0)
    gates = gates_of(p, truth, None, precision=0.95)
    new_truth, new = teacher(6000, 4, seed=7, strength=2.0)
    believed = decide(new, np.full(6000, -1), gates) == DECISIONS.index("replace")
    assert 0.2 < believed.mean() < 0.9
    assert (new[believed].argmax(axis=1) == new_truth[believed]).mean() == pytest.approx(0.95, abs=0.02)


def test_the_gate_heeds_how_often_labels_are_wrong() -> None:
    truth, p = teacher(2000, 4, seed=8, strength=1.5)
    clean = gates_of(p, truth, shift(4, 0.01), precision=0.99)
    assert (clean.high < gates_of(p, truth, shift(4, 0.45), precision=0.99).high).all()


def test_small_classes_share_a_gate_and_large_ones_have_their_own() -> None:
    truth, p = teacher(100, 4, seed=9)
    assert len(set(gates_of(p, truth, None, precision=0.95).high)) == 1
    truth, p = teacher(2000, 4, seed=9, strength=1.5)
    assert len(set(gates_of(p, truth, None, precision=0.95).high)) == 4


def test_a_teacher_that_is_never_right_enough_is_never_believed() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), 200)
    gates = gates_of(p, rng.integers(0, 4, 200), None, precision=0.95)
    assert not np.isin(decide(p, np.full(200, -1), gates), [0, 1]).mean() > 0.05
    assert (decide(p, np.full(200, -1), gates) == DECISIONS.index("drop")).mean() > 0.9


def test_the_four_decisions() -> None:
    truth = np.array([0] * 50 + [1] * 50)
    p = np.where(truth[:, None] == [0, 1], 0.9, 0.1)
    p[:4] = [0.45, 0.55]  # all wrong where the teacher is unsure
    p[4:8] = p[54:66] = [0.3, 0.7]
    gates = gates_of(p, truth, None, precision=0.97)
    shares = np.array([[0.95, 0.05], [0.95, 0.05], [0.3, 0.7], [0.45, 0.55]])
    assert [DECISIONS[i] for i in decide(shares, np.array([0, 1, 1, 1]), gates)] == ["keep", "replace", "soften", "drop"]


def test_targets_are_hard_where_a_class_is_believed() -> None:
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]])
    np.testing.assert_allclose(targets_of(shares, np.array([0, 1, 2])), [[1, 0], [1, 0], [0.6, 0.4]])


def test_balance_gives_every_class_its_share_back() -> None:
    shares = np.repeat(np.eye(2), [50, 50], axis=0)
    used = np.arange(100) < 70  # all of the first class, 20 of the second
    weights = balanced(shares, shares.astype(np.float32), used)
    assert weights[:50].sum() == pytest.approx(weights[50:].sum(), rel=1e-5)
    assert weights.sum() == pytest.approx(70)
    assert (weights[~used] == 0).all()
    assert not balanced(shares, shares.astype(np.float32), np.zeros(100, bool)).any()
