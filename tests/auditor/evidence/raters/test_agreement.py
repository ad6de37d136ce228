"""Oracles: statsmodels, scikit-learn, and published worked examples typed in with their source."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from auditor.evidence.raters.agreement import (
    cohen_kappa,
    count_readings,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    percent_agreement,
    similarity_matrix,
)

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C/D: 4 observers, 12 units, 0 = missing.
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)
# Fleiss, Measuring nominal scale agreement among many raters (1971): 14 raters, 10 subjects, 5 categories (κ = .210).
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ],
    dtype=np.float64,
)  # fmt: skip


def krippendorff_counts():
    return count_readings(np.tile(np.arange(12), 4), OBSERVERS.ravel() - 1, units=12, classes=5)


def simulated(n, raters, classes, error, seed, missing=0.0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    labels = np.where(rng.random((n, raters)) < error, rng.integers(0, classes, (n, raters)), truth[:, None])
    labels[rng.random((n, raters)) < missing] = -1
    return labels


def counts_of(labels, classes):
    n, raters = labels.shape
    return count_readings(np.repeat(np.arange(n), raters), labels.ravel(), units=n, classes=classes)


@pytest.mark.parametrize(("metric", "printed"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)])
def test_alpha_of_the_published_example_with_missing_cells(metric, printed):
    alpha = krippendorff_alpha(krippendorff_counts(), metric, values=np.arange(1.0, 6.0))
    assert round(alpha.value, 3) == printed


def test_alpha_of_two_observers_and_binary_data_is_the_published_one():
    """Krippendorff 2011, section A: ten units, α = .095."""
    first, second = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    counts = count_readings(np.tile(np.arange(10), 2), np.array(first + second), units=10, classes=2)
    assert round(krippendorff_alpha(counts).value, 3) == 0.095


def test_fleiss_kappa_of_the_published_example():
    assert round(fleiss_kappa(FLEISS).value, 3) == 0.210


@pytest.mark.parametrize("seed", range(5))
def test_fleiss_kappa_is_that_of_statsmodels(seed):
    counts = counts_of(simulated(60, 4, 5, 0.4, seed), 5)
    assert fleiss_kappa(counts).value == pytest.approx(statsmodels_fleiss(counts), abs=1e-9)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
@pytest.mark.parametrize("seed", range(3))
def test_cohen_kappa_is_that_of_scikit_learn(weights, seed):
    labels = simulated(80, 2, 4, 0.4, seed)
    expected = cohen_kappa_score(labels[:, 0], labels[:, 1], weights=None if weights == "none" else weights)
    assert cohen_kappa(labels[:, 0], labels[:, 1], classes=4, weights=weights) == pytest.approx(expected, abs=1e-12)


def test_cohen_kappa_leaves_out_what_one_rater_did_not_read():
    labels = simulated(80, 2, 4, 0.4, 0)
    gaps = np.vstack([labels, [[-1, 2], [3, -1]]])
    assert cohen_kappa(gaps[:, 0], gaps[:, 1], classes=4) == cohen_kappa(labels[:, 0], labels[:, 1], classes=4)
    assert np.isnan(cohen_kappa(np.array([-1]), np.array([0]), classes=2))


def test_ac1_of_the_published_example_with_missing_cells():
    """The same four raters in Gwet's irrCAC (`cac.raw4raters`): percent .8181818, AC1 .77544."""
    assert percent_agreement(krippendorff_counts()) == pytest.approx(0.8181818, abs=1e-7)
    assert round(gwet_ac1(krippendorff_counts()).value, 5) == 0.77544


def test_ac1_stays_high_where_one_label_dominates_and_kappa_does_not():
    counts = np.array([[2, 0]] * 118 + [[1, 1]] * 7, dtype=np.float64)
    assert gwet_ac1(counts).value > 0.9
    assert fleiss_kappa(counts).value < 0.05


def test_percent_agreement_counts_pairs_of_readings():
    counts = np.array([[3, 0], [2, 1], [1, 0]], dtype=np.float64)
    assert percent_agreement(counts) == pytest.approx((1 + 1 / 3) / 2)


def test_units_with_one_reading_change_nothing():
    counts = counts_of(simulated(50, 3, 3, 0.3, 0), 3)
    more = np.vstack([counts, [[1, 0, 0]] * 20])
    assert krippendorff_alpha(more).value == pytest.approx(krippendorff_alpha(counts).value)
    assert fleiss_kappa(more).value == pytest.approx(fleiss_kappa(counts).value)


def test_one_class_only_or_no_pair_gives_no_coefficient():
    assert np.isnan(krippendorff_alpha(np.array([[3.0, 0], [2, 0]])).value)
    assert np.isnan(fleiss_kappa(np.array([[1.0, 0], [0, 1]])).value)
    assert np.isnan(percent_agreement(np.array([[1.0, 0]])))


def test_perfect_agreement_is_one_and_random_labels_are_near_zero():
    perfect = counts_of(simulated(100, 3, 4, 0.0, 0), 4)
    chance = counts_of(simulated(3000, 3, 4, 1.0, 0), 4)
    for coefficient in (krippendorff_alpha, fleiss_kappa, gwet_ac1):
        assert coefficient(perfect).value == pytest.approx(1)
        assert abs(coefficient(chance).value) < 0.03


def test_ordinal_disagreement_between_neighbours_weighs_less():
    near = np.array([[1, 1, 0, 0]] * 10 + [[0, 0, 1, 1]] * 10, dtype=np.float64)
    far = np.array([[1, 0, 0, 1]] * 10 + [[0, 1, 1, 0]] * 10, dtype=np.float64)
    assert krippendorff_alpha(near, "ordinal").value > krippendorff_alpha(far, "ordinal").value
    assert fleiss_kappa(near, weights="quadratic").value > fleiss_kappa(far, weights="quadratic").value


def test_interval_distances_need_values():
    with pytest.raises(ValueError, match="number behind each class"):
        similarity_matrix(FLEISS, "interval")


def test_the_bootstrap_is_repeatable_and_holds_the_value():
    counts = counts_of(simulated(200, 3, 3, 0.3, 0, missing=0.2), 3)
    first, again = (krippendorff_alpha(counts, repeats=200, seed=1) for _ in range(2))
    assert first == again
    assert first.low < first.value < first.high


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """The truth is the coefficient of a very large sample; 200 samples of 150 units."""
    truth = krippendorff_alpha(counts_of(simulated(400_000, 3, 3, 0.3, 999), 3)).value
    hits = 0
    for seed in range(200):
        alpha = krippendorff_alpha(counts_of(simulated(150, 3, 3, 0.3, seed), 3), repeats=300, seed=seed)
        hits += alpha.low <= truth <= alpha.high
    assert hits >= 180
