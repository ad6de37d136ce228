"""The frame of all out-of-fold predictions, with models made for the test."""

import numpy as np
import pytest
from builders import make_dataset

from auditor.prediction.out_of_fold import answered, fit_temperature, question_of, soften, why_no_answer


def of_two(n: int = 100):
    return make_dataset(labels=["a" if i % 2 else "b" for i in range(n)])


def alone(dataset):
    return np.arange(dataset.size)


def test_a_model_is_never_asked_about_what_it_learnt_from_and_groups_stay_whole():
    dataset = of_two()
    groups = np.arange(100) // 4
    question = question_of(dataset, np.ones(100, bool))
    asked = []

    def model(train, test, rng):
        assert not set(groups[train]) & set(groups[test])
        asked.extend(test.tolist())
        return np.full((len(test), 2), 0.5, np.float32)

    found = answered(dataset, question, model, groups=groups, origin="coin").predictions
    assert sorted(asked) == list(range(100))
    assert (found.origin, found.folds, found.out_of_fold) == ("coin", 5, True)
    np.testing.assert_allclose(found.probabilities, 0.5)


def test_a_boastful_model_is_calibrated_by_the_other_folds():
    n = 2000
    dataset, rng = of_two(n), np.random.default_rng(0)
    question = question_of(dataset, np.ones(n, bool))
    right = rng.random(n) < 0.7
    said = np.where(right[:, None], question.targets, 1 - question.targets)
    boast = (0.98 * said + 0.01).astype(np.float32)
    found = answered(dataset, question, lambda train, test, rng: boast[test], groups=alone(dataset), origin="x").predictions
    assert found.probabilities.max(axis=1).mean() == pytest.approx(0.76, abs=0.08)  # temperature 4 at most: .99 becomes .76


def test_at_most_so_many_records_train_and_an_unlearnt_class_has_no_answer():
    dataset = make_dataset(labels=["a"] * 60 + ["b"] * 60 + ["c"] * 6)
    groups = np.where(np.arange(126) >= 120, 999, np.arange(126))
    question = question_of(dataset, np.ones(126, bool))

    def model(train, test, rng):
        assert len(train) <= 50
        return np.full((len(test), 3), 1 / 3, np.float32)

    p = answered(dataset, question, model, groups=groups, origin="x", most=50).predictions.probabilities
    assert np.isnan(p[120:]).all()
    assert np.isfinite(p[:120]).all()


def test_why_there_is_no_answer_names_the_model():
    seen = np.ones(10, bool)
    assert why_no_answer(of_two(10), seen, np.arange(10), model="a network") == (
        "10 labelled records have pixels; a network needs at least 20"
    )
    assert "of one patient" in (why_no_answer(of_two(40), np.ones(40, bool), np.zeros(40, int), model="x") or "")
    assert why_no_answer(of_two(40), np.ones(40, bool), np.arange(40), model="x") is None


def test_the_temperature_of_what_is_right_already_is_one():
    rng = np.random.default_rng(1)
    p = rng.dirichlet((2, 2, 2), 4000).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[(p.cumsum(axis=1) > rng.random((4000, 1))).argmax(axis=1)]
    known = np.ones(p.shape, bool)
    assert fit_temperature(p, targets, known, exclusive=True) == pytest.approx(1, abs=0.1)
    assert fit_temperature(soften(p, 0.5, exclusive=True), targets, known, exclusive=True) == pytest.approx(2, abs=0.2)
