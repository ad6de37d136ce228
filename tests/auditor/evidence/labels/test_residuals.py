from dataclasses import replace

import numpy as np
import pytest
from builders import make_dataset
from scipy.stats import t as student

from auditor.check import SkipCheck
from auditor.checks.ln001 import EstimatedNoise
from auditor.checks.ln002 import SuspectLabels
from auditor.evidence.labels.residuals import discoveries, judge_numbers, tail, usual_residual
from auditor.values.dataset import Dataset
from auditor.values.predictions import Predictions


def built(labels, predicted, **more) -> Dataset:
    dataset = make_dataset(labels=[float(v) for v in labels], task="continuous", **more)
    probabilities = np.asarray(predicted, dtype=np.float32)[:, None]
    return replace(dataset, predictions=Predictions(probabilities=probabilities, classes=("value",), origin="p.npy"))


def numbers(seed: int, n: int, rate: float, residual) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    predicted = rng.normal(50, 15, n)
    wrong = rng.random(n) < rate
    labels = predicted + residual(rng, n) + np.where(wrong, rng.choice([-1, 1], n) * rng.uniform(25, 60, n), 0)
    return labels, predicted, wrong


RESIDUALS = {
    "normal": lambda rng, n: 4 * rng.normal(size=n),
    "long tails": lambda rng, n: 4 * rng.standard_t(3, n),
    "skewed": lambda rng, n: 4 * rng.gamma(2, 1, n),
    "double exponential": lambda rng, n: 4 * rng.laplace(size=n),
}


def test_planted_errors_are_flagged_ranked_first_and_named_noise():
    labels, predicted, wrong = numbers(0, 2000, 0.04, RESIDUALS["normal"])
    found = judge_numbers(built(labels, predicted), tolerance=0.01)
    assert found.verdict == "noise"
    assert (found.flagged & wrong).sum() >= 0.85 * wrong.sum()
    assert (found.flagged & ~wrong).sum() <= 0.15 * found.flagged.sum()
    assert found.noise.low < wrong.mean() < found.noise.high
    assert set(np.argsort(found.score)[:20]) <= set(np.flatnonzero(wrong))
    assert found.visible < 60


@pytest.mark.parametrize("kind", RESIDUALS)
def test_right_labels_are_not_called_noisy_whatever_their_residuals(kind):
    verdicts = [judge_numbers(built(*numbers(seed, 300, 0, RESIDUALS[kind])[:2]), tolerance=0.01).verdict for seed in range(30)]
    assert verdicts.count("noise") <= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", RESIDUALS)
@pytest.mark.parametrize("n", [100, 1000])
def test_right_labels_are_called_noisy_in_one_of_twenty_at_most(kind, n):
    noisy = [
        judge_numbers(built(*numbers(seed, n, 0, RESIDUALS[kind])[:2]), tolerance=0.01).verdict == "noise"
        for seed in range(200)
    ]
    assert np.mean(noisy) <= 0.05


def test_a_residual_is_compared_with_those_of_like_predictions():
    rng = np.random.default_rng(3)
    predicted = rng.uniform(0, 100, 4000)
    residual = rng.normal(size=4000) * (1 + predicted / 10) + predicted / 5
    middle, spread = usual_residual(residual, predicted)
    low, high = np.argmin(np.abs(predicted - 10)), np.argmin(np.abs(predicted - 90))
    assert middle[low] == pytest.approx(2, abs=0.7)
    assert middle[high] == pytest.approx(18, abs=2)
    assert 1.4826 * spread[low] == pytest.approx(2, rel=0.25)
    assert 1.4826 * spread[high] == pytest.approx(10, rel=0.25)


def test_the_tail_is_that_of_the_distribution_it_was_drawn_from():
    away = np.abs(3 * student.rvs(4, size=400_000, random_state=0))
    found = tail(away)
    assert found.degrees == pytest.approx(4, abs=0.5)
    assert found.scale == pytest.approx(3, rel=0.03)
    assert found.beyond(np.array([15.0]))[0] == pytest.approx((away > 15).mean(), rel=0.15)
    assert found.beyond(np.array([found.least(1e-4)]))[0] == pytest.approx(1e-4)


def test_discoveries_are_those_of_benjamini_and_hochberg():
    p = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216])
    assert discoveries(p, 0.05).sum() == 2  # the example of their paper's kind: .008 <= 2 * .05 / 10, .039 > 3 * .05 / 10
    assert not discoveries(np.full(5, 0.5), 0.05).any()


def test_a_number_of_a_study_is_judged_once():
    labels, predicted, _ = numbers(1, 120, 0, RESIDUALS["normal"])
    labels[7] += 90
    rng = np.random.default_rng(0)
    shown = np.repeat(predicted, 2) + rng.normal(size=240)
    dataset = built(np.repeat(labels, 2), shown, level="study", columns={"study": [f"s{i // 2}" for i in range(240)]})
    found = judge_numbers(dataset, tolerance=0.01)
    assert len(found.given) == 120
    assert np.flatnonzero(found.flagged[found.label_of]).tolist() == [14, 15]


def test_what_cannot_be_judged_is_said():
    rng = np.random.default_rng(0)
    for labels, predicted, words in (
        ([1.0] * 60 + [2.0] * 20, rng.normal(size=80), "one and the same number"),
        (np.arange(80), np.arange(80), "repeat the labels"),
        ([1.0, 2.0] * 5, [1.0, 2.0] * 5, "fewer than 20"),
    ):
        with pytest.raises(SkipCheck, match=words):
            judge_numbers(built(labels, predicted), tolerance=0.01)
    with pytest.raises(SkipCheck, match="hardly knows more") as skipped:
        EstimatedNoise().run(built(rng.normal(size=200), np.zeros(200) + rng.normal(size=200) / 100))
    assert skipped.value.verdict is not None


def test_the_checks_say_continuous_and_list_the_numbers():
    labels, predicted, wrong = numbers(2, 1500, 0.05, RESIDUALS["normal"])
    dataset = built(labels, predicted)
    verdict = EstimatedNoise().run(dataset)
    assert verdict.summary.startswith("Continuous label. Some labels look wrong")
    assert verdict.metrics["verdict"] == "noise"
    ranked = SuspectLabels().run(dataset)
    columns = {c.name: list(c.values) for c in ranked.tables[0].columns}
    assert list(columns) == ["record", "given", "suggested", "score", "flagged"]
    first = int(np.argmin(columns["score"]))
    assert wrong[first]
    # The text that `scan --reviewed` compares with the label as it is then.
    assert columns["given"] == [str(v) for v in dataset.labels.values.astype(object)]
    assert float(columns["suggested"][first]) == pytest.approx(predicted[first], rel=1e-3)
    assert "to the model; look at it again" in ranked.findings[1].message


def test_in_sample_predictions_do_not_acquit():
    labels, predicted, _ = numbers(4, 300, 0, RESIDUALS["normal"])
    dataset = built(labels, predicted)
    assert dataset.predictions is not None
    dataset = replace(dataset, predictions=replace(dataset.predictions, out_of_fold=False))
    with pytest.raises(SkipCheck, match="in-sample"):
        EstimatedNoise().run(dataset)
