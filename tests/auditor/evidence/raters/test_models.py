import numpy as np
import pytest

from auditor.evidence.raters.models import dawid_skene, entropy_bits, glad, mace, vote_shares


def panel(n, accuracies, seed, classes=3):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    labels = [np.where(rng.random(n) < a, truth, (truth + rng.integers(1, classes, n)) % classes) for a in accuracies]
    raters = len(accuracies)
    return np.tile(np.arange(n), raters), np.repeat(np.arange(raters), n), np.concatenate(labels), truth


def dawid_skene_slowly(unit, rater, label, units, raters, classes, rounds=30):
    """The formulas of Dawid & Skene 1979 (2.3 to 2.5), read by read."""
    truth = np.zeros((units, classes))
    for u, c in zip(unit, label, strict=True):
        truth[u, c] += 1
    truth /= truth.sum(axis=1, keepdims=True)
    for _ in range(rounds):
        confusion = np.full((raters, classes, classes), 0.01)
        for u, r, c in zip(unit, rater, label, strict=True):
            confusion[r, :, c] += truth[u]
        confusion /= confusion.sum(axis=2, keepdims=True)
        updated = np.tile(truth.mean(axis=0), (units, 1))
        for u, r, c in zip(unit, rater, label, strict=True):
            updated[u] *= confusion[r, :, c]
        truth = updated / updated.sum(axis=1, keepdims=True)
    return truth, confusion


def test_dawid_skene_is_the_published_recursion():
    unit, rater, label, _ = panel(40, [0.9, 0.7, 0.6, 0.5], 3)
    truth, confusion = dawid_skene_slowly(unit, rater, label, 40, 4, 3)
    fitted = dawid_skene(unit, rater, label, units=40, raters=4, classes=3, rounds=30, tolerance=0)
    assert fitted.truth == pytest.approx(truth, abs=1e-6)
    assert fitted.confusion == pytest.approx(confusion, abs=1e-6)


@pytest.mark.parametrize("model", [dawid_skene, glad, mace])
def test_a_model_of_the_raters_beats_the_vote_where_raters_differ(model):
    unit, rater, label, truth = panel(600, [0.95, 0.9, 0.45, 0.45, 0.45], 0)
    sizes = {"units": 600, "raters": 5, "classes": 3}
    vote = vote_shares(unit, label, units=600, classes=3).argmax(axis=1)
    fitted = model(unit, rater, label, **sizes)
    assert np.allclose(fitted.truth.sum(axis=1), 1)
    assert (fitted.truth.argmax(axis=1) == truth).mean() > (vote == truth).mean() + 0.05


def test_glad_ranks_raters_by_ability_and_records_by_ease():
    rng = np.random.default_rng(5)
    truth, hard = rng.integers(0, 2, 500), rng.random(500) < 0.4
    accuracy = np.array([0.95, 0.85, 0.75, 0.65, 0.9])
    right = rng.random((500, 5)) < np.where(hard[:, None], 0.5 + (accuracy - 0.5) * 0.3, accuracy)
    label = np.where(right, truth[:, None], 1 - truth[:, None]).ravel()
    unit, rater = np.repeat(np.arange(500), 5), np.tile(np.arange(5), 500)
    fitted = glad(unit, rater, label, units=500, raters=5, classes=2)
    assert np.argmax(fitted.ability) in (0, 4)
    assert np.argmin(fitted.ability) == 3
    assert fitted.ease[~hard].mean() > fitted.ease[hard].mean()


def test_mace_finds_the_one_who_guesses_and_the_habit():
    unit, rater, label, _ = panel(500, [0.9, 0.9, 0.9, 0.9], 1)
    guesses = np.random.default_rng(2).choice(3, 500, p=[0.8, 0.1, 0.1])
    unit = np.concatenate([unit, np.arange(500)])
    rater, label = np.concatenate([rater, np.full(500, 4)]), np.concatenate([label, guesses])
    fitted = mace(unit, rater, label, units=500, raters=5, classes=3)
    assert fitted.competence[4] < 0.2 < 0.7 < fitted.competence[:4].min()
    assert fitted.habit[4, 0] > 0.6


def test_an_opposite_rater_is_understood_and_not_only_outvoted():
    unit, rater, label, truth = panel(400, [0.8, 0.8, 0.8, 0.05, 0.05], 4, classes=2)
    fitted = dawid_skene(unit, rater, label, units=400, raters=5, classes=2)
    assert (fitted.truth.argmax(axis=1) == truth).mean() > 0.98


def test_entropy_is_in_bits():
    assert entropy_bits(np.array([[0.5, 0.5], [1.0, 0.0]])).tolist() == [1.0, 0.0]
