import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from auditor.evidence.labels.estimate import anchor_transition, best_threshold, estimate_noise


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)).astype(np.float32)


def sharp_model(n, classes, noise, seed, *, pairs=False, sharpness=4.0):
    """A model that learnt from the noisy labels: calibrated to them. Most images are easy, some are not.

    Returns probabilities, given codes, true codes. `pairs`: class 0, 2, ... is mistaken for its neighbour (twice as often).
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, classes)) * 1.2
    logits[np.arange(n), truth] += sharpness * (1 + rng.exponential(1.0, n))
    clean = softmax(logits)
    truth = (clean.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    transition = np.full((classes, classes), noise / (classes - 1))
    np.fill_diagonal(transition, 1 - noise)
    if pairs:
        transition = np.eye(classes)
        for c in range(0, classes, 2):
            transition[c, c], transition[c, c + 1] = 1 - 2 * noise, 2 * noise
    given = (transition[truth].cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return (clean @ transition).astype(np.float32), given, truth


def ambiguous_model(n, seed):
    """Calibrated, right labels, and every degree of doubt: labels are drawn from the probabilities."""
    rng = np.random.default_rng(seed)
    p = softmax(rng.normal(size=(n, 2)) * 1.3)
    return p, (p[:, 1] > rng.random(n)).astype(np.int64)


def f1(flagged, wrong):
    return 2 * np.sum(flagged & wrong) / max(flagged.sum() + wrong.sum(), 1)


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.2, 0.4])
def test_uniform_noise_is_estimated_and_flagged_better_than_by_argmax(noise):
    p, given, truth = sharp_model(4000, 5, noise, 1)
    estimate = estimate_noise(p, given)
    wrong = given != truth
    assert estimate.verdict == "noise"
    assert estimate.noise.value == pytest.approx(wrong.mean(), rel=0.2)
    assert f1(estimate.flagged, wrong) >= f1(p.argmax(axis=1) != given, wrong)
    assert average_precision_score(wrong, -estimate.score) > 0.9


def test_the_suggestion_for_flagged_records_is_the_true_class():
    p, given, truth = sharp_model(4000, 5, 0.1, 2)
    estimate = estimate_noise(p, given)
    both = estimate.flagged & (given != truth)
    assert np.mean(estimate.suggested[both] == truth[both]) > 0.95
    assert (estimate.suggested[estimate.flagged] != given[estimate.flagged]).all()


def test_a_confused_pair_of_classes_is_seen_in_the_transition():
    p, given, truth = sharp_model(6000, 4, 0.1, 3, pairs=True)
    estimate = estimate_noise(p, given)
    assert estimate.transition[0, 1] == pytest.approx(0.2, abs=0.05)
    assert estimate.transition[1, 0] < 0.05
    assert np.allclose(estimate.transition.sum(axis=1), 1)
    assert f1(estimate.flagged, given != truth) > f1(p.argmax(axis=1) != given, given != truth)


def test_a_rare_class_does_not_make_a_good_model_useless():
    """With 3 % positives, naming the other class always is right in 97 %: accuracy says nothing."""
    rng = np.random.default_rng(0)
    truth = (rng.random(6000) < 0.03).astype(np.int64)
    given = np.where(rng.random(6000) < 0.05, 1 - truth, truth)
    likely = np.where(truth == 1, 0.9, 0.03) + rng.normal(size=6000) * 0.01
    p = np.stack([1 - likely, likely], axis=1).astype(np.float32)
    estimate = estimate_noise(p, given)
    assert estimate.verdict == "noise"
    assert f1(estimate.flagged, given != truth) > 0.9


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_clean_labels_are_no_evidence_of_noise_and_hardly_flagged(classes):
    p, given, _ = sharp_model(4000, classes, 0.0, 4, sharpness=8)
    estimate = estimate_noise(p, given)
    assert estimate.verdict == "no evidence"
    assert estimate.flagged.mean() <= 0.01
    assert "would have shown" in estimate.reason


def test_ambiguity_is_not_called_noise():
    p, given = ambiguous_model(4000, 0)
    estimate = estimate_noise(p, given)
    assert estimate.disagreement.value > 0.15
    assert estimate.verdict == "cannot tell"
    assert "reviewed" in estimate.reason


def test_a_model_that_knows_nothing_cannot_tell():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 500).astype(np.float32)
    estimate = estimate_noise(p, rng.integers(0, 3, 500))
    assert estimate.verdict == "cannot tell"
    assert "how frequent they are" in estimate.reason


def test_the_estimate_is_repeatable_and_does_not_depend_on_the_order_of_the_records():
    p, given, _ = sharp_model(3000, 4, 0.1, 5)
    first, again = estimate_noise(p, given), estimate_noise(p, given)
    assert np.array_equal(first.score, again.score)
    order = np.random.default_rng(0).permutation(3000)
    shuffled = estimate_noise(p[order], given[order])
    assert np.allclose(shuffled.suspicion, first.suspicion[order], atol=1e-4)


def test_scores_are_fractions_and_follow_suspicion():
    p, given, _ = sharp_model(2000, 3, 0.1, 6)
    estimate = estimate_noise(p, given)
    for numbers in (estimate.score, estimate.suspicion):
        assert 0 <= numbers.min() <= numbers.max() <= 1
    assert estimate.score[estimate.flagged].mean() < estimate.score[~estimate.flagged].mean() - 0.5
    assert estimate.noise.low <= estimate.noise.value <= estimate.noise.high


def test_certain_probabilities_and_one_record_are_no_trouble():
    certain = np.eye(2, dtype=np.float32)[[0, 1] * 30]
    estimate = estimate_noise(certain, np.array([0, 1] * 29 + [0, 0]))
    assert estimate.suspicion.argmax() == 59
    assert estimate_noise(certain[:1], np.array([0])).flagged.sum() == 0
    with pytest.raises(ValueError, match="at least one record"):
        estimate_noise(certain[:0], np.array([], dtype=np.int64))


def test_the_threshold_has_the_highest_expected_f1():
    suspicion = np.array([0.9, 0.8, 0.7, 0.6, 0.1, 0.05], dtype=np.float32)
    total = suspicion.sum()
    expected = [2 * suspicion[suspicion >= t].sum() / ((suspicion >= t).sum() + total) for t in suspicion]
    assert best_threshold(suspicion) == pytest.approx(suspicion[int(np.argmax(expected))])
    assert best_threshold(np.full(10, 0.01, dtype=np.float32)) == pytest.approx(0.3)


def test_anchors_are_the_surest_of_each_predicted_class():
    named = np.repeat([0, 1], 100)
    codes = named.copy()
    codes[100:120] = 0
    place = np.tile(np.arange(100) / 100, 2)
    transition = anchor_transition(named, codes, place, 2, share=0.5)
    assert transition[0, 0] > 0.97
    assert transition[1, 0] == pytest.approx(20 / 50, abs=0.03)


def test_classes_without_any_prediction_have_a_transition_too():
    transition = anchor_transition(np.zeros(40, np.int64), np.zeros(40, np.int64), np.arange(40) / 40, 3, share=0.3)
    assert np.isfinite(transition).all()
    assert np.allclose(transition.sum(axis=1), 1)


@pytest.mark.slow
def test_verdicts_over_many_seeds():
    ambiguous = [estimate_noise(*ambiguous_model(2000, s)).verdict for s in range(100)]
    clean = [estimate_noise(*sharp_model(2000, 4, 0.0, s, sharpness=8)[:2]).verdict for s in range(100)]
    noisy = [estimate_noise(*sharp_model(2000, 4, 0.08, s)[:2]).verdict for s in range(100)]
    assert ambiguous.count("noise") <= 5
    assert clean.count("noise") <= 2
    assert noisy.count("noise") >= 80
    estimates = [(estimate_noise(p, g), np.mean(g != t)) for p, g, t in (sharp_model(2000, 4, 0.1, s) for s in range(100))]
    assert np.mean([abs(e.noise.value / truth - 1) < 0.25 for e, truth in estimates]) > 0.8
