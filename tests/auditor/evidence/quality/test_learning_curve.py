import numpy as np
import pytest
from builders import make_dataset
from scipy.optimize import least_squares

from auditor.check import SkipCheck
from auditor.evidence.quality.learning_curve import learning_curve, predict_curve
from auditor.prediction.predict import MODULES
from auditor.values.dataset import Dataset

NAMES = [f"{MODULES[0]}.f{i}" for i in range(60)]


def labelled(n: int, signal: float, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, n)
    direction = rng.normal(size=60) / np.sqrt(60)
    values = rng.normal(size=(n, 60)) + signal * (2 * codes[:, None] - 1) * direction
    return make_dataset(
        labels=np.array(["a", "b"])[codes].tolist(), features=dict(zip(NAMES, values.T.astype(float), strict=True))
    )


def test_both_curves_find_the_law_that_made_the_points() -> None:
    sizes = np.array([50.0, 100, 200, 400, 600])
    ahead = np.array([600.0, 900, 1200])
    power = predict_curve(sizes, 0.9 - 0.2 * (sizes / 600) ** -0.5, ahead)[0]
    np.testing.assert_allclose(power, 0.9 - 0.2 * (ahead / 600) ** -0.5, atol=2e-3)
    plateau = predict_curve(sizes, 0.9 - 0.4 * np.exp(-sizes / 150), ahead)[1]
    np.testing.assert_allclose(plateau, 0.9 - 0.4 * np.exp(-ahead / 150), atol=2e-3)


def test_no_other_curve_within_the_bounds_fits_better() -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([20.0, 40, 80, 160, 240])
    noisy = np.clip(0.8 - 0.3 * rng.random((12, 1)) * (sizes / 240) ** -0.4 + rng.normal(0, 0.05, (12, 5)), 0, 1)
    found = predict_curve(sizes, noisy, sizes)
    laws = (
        (lambda p: p[0] - p[1] * (sizes / 240) ** -p[2], (0.0, 0.0, 0.1), (1.0, 1.0, 2.0)),
        (lambda p: p[0] - p[1] * np.exp(-sizes / 240 / p[2]), (0.0, 0.0, 0.02), (1.0, 1.0, 2.0)),
    )
    for scores, own in zip(noisy, found, strict=True):
        for law, values in zip(laws, own, strict=True):
            curve, low, high = law

            def loss(p, curve=curve, scores=scores):
                return np.sqrt(sizes / 240) * (curve(p) - scores)

            other = min(least_squares(loss, start, bounds=(low, high)).cost for start in ((0.7, 0.1, 0.5), (0.9, 0.5, 0.2)))
            assert ((values - scores) ** 2 * sizes / 240).sum() / 2 <= other * (1 + 1e-4) + 1e-12


def test_a_hard_task_still_gains_and_a_solved_one_does_not() -> None:
    hard = learning_curve(labelled(400, 0.8, 0), repeats=3, seed=0)
    solved = learning_curve(labelled(400, 6.0, 0), repeats=3, seed=0)
    assert hard.forecast.gain > 0.005
    assert solved.forecast.gain < 0.005
    assert solved.values[solved.measured - 1] > 0.97
    assert hard.forecast.low <= hard.forecast.gain <= hard.forecast.high


def test_it_is_repeatable() -> None:
    dataset = labelled(240, 1.0, 1)
    assert learning_curve(dataset, repeats=2, seed=5) == learning_curve(dataset, repeats=2, seed=5)


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [(labelled(100, 1.0, 2), "needs 200"), (make_dataset(labels=[1.0, 2.0], task="continuous"), "one class per record")],
)
def test_too_little_is_skipped(dataset: Dataset, reason: str) -> None:
    with pytest.raises(SkipCheck, match=reason):
        learning_curve(dataset, repeats=2, seed=0)
