"""Logistic regression against scikit-learn's, and its gradient against nought."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from auditor.prediction.logistic import fit_logistic


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("strength", [0.01, 1.0, 1000.0])
def test_the_optimum_is_that_of_scikit_learn(classes: int, strength: float) -> None:
    rng = np.random.default_rng(classes)
    inputs = rng.normal(size=(400, 12)) * np.geomspace(3, 0.1, 12)
    codes = (inputs[:, :classes].argmax(axis=1) + (rng.random(400) < 0.2)) % classes
    own, offsets = fit_logistic(inputs.astype(np.float32), codes, classes, strength=strength)
    other = LogisticRegression(C=strength, tol=1e-10, max_iter=20_000).fit(inputs.astype(np.float32).astype(float), codes)
    if classes == 2:
        np.testing.assert_allclose(own[:, 1] - own[:, 0], other.coef_[0], rtol=2e-3, atol=2e-4)
        assert offsets[1] - offsets[0] == pytest.approx(other.intercept_[0], abs=2e-3)
        return
    np.testing.assert_allclose(own, other.coef_.T, rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(offsets, other.intercept_, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("classes", [2, 4])
def test_what_can_be_told_apart_wholly_and_wild_numbers_end(classes: int) -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(80) % classes
    inputs = (codes[:, None] == np.arange(classes)) * 1e4 + rng.normal(size=(80, classes))
    weights, offsets = fit_logistic(inputs, codes, classes, strength=0.01)
    scores = inputs @ weights + offsets
    assert (scores.argmax(axis=1) == codes).all()
    assert np.isfinite(weights).all()
    np.testing.assert_allclose(scores.sum(axis=1), 0, atol=1e-6 * np.abs(scores).max())


def test_without_inputs_that_tell_the_shares_are_learnt() -> None:
    codes = np.repeat([0, 1, 2], [10, 20, 70])
    weights, offsets = fit_logistic(np.zeros((100, 1)), codes, 3, strength=0.01)
    power = np.exp(offsets)
    np.testing.assert_allclose(power / power.sum(), [0.1, 0.2, 0.7], atol=1e-5)
    assert not weights.any()
