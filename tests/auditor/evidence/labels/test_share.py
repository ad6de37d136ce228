"""The share of wrong labels, on models whose errors are known."""

import numpy as np
import pytest

from auditor.evidence.labels.estimate import estimate_noise
from auditor.evidence.labels.share import noise_share, shared_noise


def two_models(noise, seed, *, n=4000, hard=False):
    """Two models that err by themselves in 2 % of the sure records and in 30 % of the others, apart from one another.

    Returns:
        Place of each record (its sureness by the first model), class named by either, truth, given label.
    """
    rng = np.random.default_rng(seed)
    place = (rng.permutation(n) + 0.5) / n
    truth = rng.integers(0, 2, n)
    errs = np.where(place < 0.5, 0.02, 0.30)
    first, second = (np.where(rng.random(n) < errs, 1 - truth, truth) for _ in range(2))
    rate = 2 * noise * place if hard else noise
    given = np.where(rng.random(n) < rate, 1 - truth, truth)
    return place, first, second, truth, given


def shares(noise, *, hard):
    """What two models say, and what the first one's disagreement alone would say, each over the truth; means of 5 draws."""
    said, alone = [], []
    for seed in range(5):
        place, first, second, truth, given = two_models(noise, seed, hard=hard)
        agreed, differs = first == second, first != given
        wrong = float((given != truth).mean())
        said.append(shared_noise(differs, agreed, float(differs[agreed & (place < 0.5)].mean())) / wrong)
        alone.append(differs.mean() / wrong)
    return np.mean(said), np.mean(alone)


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.2, 0.3])
def test_two_models_tell_their_own_errors_from_labels_that_went_wrong_anywhere(noise):
    said, alone = shares(noise, hard=False)
    assert 0.85 < said < 1.4
    assert abs(said - 1) < abs(alone - 1) / 2


@pytest.mark.parametrize("noise", [0.1, 0.2, 0.3])
def test_labels_wrong_on_hard_records_alone_are_counted_too_low_but_seen(noise):
    assert 0.55 < shares(noise, hard=True)[0] < 1


def test_where_the_sure_records_are_clean_there_is_no_noise_by_two_models():
    place, first, second, truth, _ = two_models(0.0, 0)
    differs, agreed = first != truth, first == second
    assert differs.mean() > 0.1
    assert shared_noise(differs, agreed, float(differs[agreed & (place < 0.5)].mean())) < 0.02
    assert shared_noise(np.zeros(5, np.bool_), np.ones(5, np.bool_), 0.0) == 0


def test_half_of_what_one_model_errs_by_itself_is_taken_off():
    place, first, _, _, given = two_models(0.1, 1)
    differs, null = first != given, np.where(place < 0.5, 0.02, 0.30)
    with_null, without = (noise_share(differs, place, own, 2, 1.0) for own in (null, np.zeros_like(null)))
    assert 0.09 < with_null < without - 0.02
    assert without <= differs.mean() + 1e-9


def test_a_boastful_model_is_judged_by_its_surer_half_alone():
    place, first, _, _, given = two_models(0.1, 2)
    differs = first != given
    assert noise_share(differs, place, np.full(len(place), 0.2), 2, 0.4) == pytest.approx(differs[place < 0.5].mean())


def models(n, seed, *, noise=0.1, weak=0.4):
    """Calibrated probabilities of a weak model of two classes, where an independent one agrees, given and true labels."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    signal = (2 * truth - 1) * 2.0
    views = [signal + rng.normal(0, 1 / weak * 0.8, n) for _ in range(2)]
    given = np.where(rng.random(n) < noise, 1 - truth, truth)
    likely = 1 / (1 + np.exp(-2 * 2.0 * views[0] / (1 / weak * 0.8) ** 2))
    told = (1 - noise) * likely + noise * (1 - likely)
    return np.stack([1 - told, told], axis=1).astype(np.float32), (views[0] > 0) == (views[1] > 0), given, truth


def test_a_second_model_brings_the_estimate_nearer_and_keeps_clean_labels_clean():
    errors = {"one": [], "two": []}
    for seed in range(10):
        p, agreed, given, truth = models(1500, seed)
        wrong = float((given != truth).mean())
        for name, where in (("one", None), ("two", agreed)):
            errors[name].append(abs(estimate_noise(p, given, agreed=where).noise.value / wrong - 1))
    assert np.mean(errors["two"]) < np.mean(errors["one"])
    clean = [estimate_noise(p, given, agreed=agreed) for p, agreed, given, _ in (models(1500, s, noise=0.0) for s in range(10))]
    assert all(found.verdict != "noise" for found in clean)


def test_two_models_that_agree_nowhere_are_no_witnesses():
    p, _, given, _ = models(400, 3)
    found = estimate_noise(p, given, agreed=np.zeros(400, np.bool_))
    assert found.sure.count == estimate_noise(p, given).sure.count
