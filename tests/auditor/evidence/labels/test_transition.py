import numpy as np
import pytest

from auditor.evidence.labels.transition import Profile, anchor_transition, fit_sharpness, label_odds, noise_profile, place_of


def test_places_run_from_the_surest_of_each_predicted_class_and_ties_share_one():
    named = np.array([0, 0, 0, 0, 1, 1])
    sureness = np.array([0.9, 0.6, 0.9, 0.5, 0.7, 0.8], dtype=np.float32)
    assert place_of(named, sureness).tolist() == [0.125, 0.5, 0.125, 0.75, 0.5, 0.0]


def test_places_do_not_depend_on_the_order_of_the_records():
    rng = np.random.default_rng(0)
    named, sureness = rng.integers(0, 3, 500), rng.random(500).round(2).astype(np.float32)
    order = rng.permutation(500)
    assert np.array_equal(place_of(named, sureness)[order], place_of(named[order], sureness[order]))


@pytest.mark.parametrize("noise", [0.05, 0.2])
def test_a_flat_disagreement_with_doubtful_mistakes_at_the_end_is_that_much_noise(noise):
    rng = np.random.default_rng(1)
    place = np.arange(20_000) / 20_000
    differs = (rng.random(20_000) < noise) | ((place > 0.85) & (rng.random(20_000) < 0.4))
    profile = noise_profile(differs, place, 1.0)
    assert profile.rates(place).mean() == pytest.approx(noise, rel=0.15)
    assert noise_profile(differs, place, 0.4).slope == 0


def test_noise_that_grows_with_doubt_is_carried_on_to_the_doubtful_end():
    rng = np.random.default_rng(2)
    place = np.arange(20_000) / 20_000
    differs = rng.random(20_000) < 0.05 + 0.2 * place
    profile = noise_profile(differs, place, 1.0)
    assert profile.offset == pytest.approx(0.05, abs=0.015)
    assert profile.slope == pytest.approx(0.2, abs=0.04)
    boastful = noise_profile(differs, place, 0.5)
    assert boastful.rates(place).mean() < 0.11


def test_the_profile_never_says_more_than_what_disagrees():
    place = np.arange(100) / 100
    differs = place < 0.3
    assert noise_profile(differs, place, 1.0).rates(place).mean() <= differs.mean() + 1e-9
    assert noise_profile(np.zeros(100, dtype=bool), place, 1.0) == Profile(offset=0.0, slope=0.0)


def test_the_sharpness_that_made_the_labels_is_found():
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(3) * 0.5, 20_000)
    sharp = p**2 / (p**2).sum(axis=1, keepdims=True)
    codes = (sharp.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    found = fit_sharpness(p.astype(np.float32), codes, np.eye(3) * (1 - 1e-6) + 1e-6 / 3)
    assert found == pytest.approx(2, rel=0.2)


def test_the_odds_are_those_of_bayes_rule():
    rng = np.random.default_rng(4)
    p = rng.dirichlet(np.ones(4), 200).astype(np.float32)
    codes = rng.integers(0, 4, 200)
    transition = np.full((4, 4), 0.05) + np.eye(4) * 0.8
    odds, best, given, top = label_odds(p, codes, transition, 1.0)
    joint = p * transition[:, codes].T
    posterior = joint / joint.sum(axis=1, keepdims=True)
    rows = np.arange(200)
    assert np.allclose(1 / (1 + np.exp(-odds)), posterior[rows, codes], atol=1e-6)
    assert np.allclose(given, p[rows, codes], atol=1e-6)
    assert np.allclose(top, p.max(axis=1), atol=1e-6)
    others = posterior.copy()
    others[rows, codes] = -1
    assert np.array_equal(best, others.argmax(axis=1))


def test_twice_the_rate_is_the_odds_of_twice_the_noise():
    p = np.array([[0.3, 0.6, 0.1]], dtype=np.float32)
    codes = np.array([0])
    once, twice = (np.full((3, 3), r / 2) + np.eye(3) * (1 - 1.5 * r) for r in (0.1, 0.2))
    assert label_odds(p, codes, once, 1.0, np.array([2.0]))[0] == pytest.approx(label_odds(p, codes, twice, 1.0)[0])


def test_probabilities_of_zero_still_have_an_order():
    p = np.array([[1e-20, 1.0, 0], [1e-28, 1.0, 0], [0.0, 1.0, 0]], dtype=np.float32)
    odds = label_odds(p, np.zeros(3, dtype=np.int64), np.full((3, 3), 0.1) + np.eye(3) * 0.7, 1.0)[0]
    assert odds[0] > odds[1] > odds[2]
    assert np.isfinite(odds).all()


def test_anchors_are_the_surest_of_each_predicted_class():
    named = np.repeat([0, 1], 100)
    codes = named.copy()
    codes[100:120] = 0
    place = np.tile(np.arange(100) / 100, 2)
    transition = anchor_transition(named, codes, place, 2, share=0.5)
    assert transition[0, 0] > 0.97
    assert transition[1, 0] == pytest.approx(20 / 50, abs=0.03)
