import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from auditor.evidence.raters.agreement import count_readings, gwet_ac2, krippendorff_alpha, weight_matrix
from auditor.evidence.raters.measurements import interval_alpha
from auditor.evidence.raters.pairs import class_alphas, finding_alphas, rater_pairs, set_similarity

NA = np.nan
# The worked example of the encyclopaedia article on Krippendorff's α: 3 coders, 15 units, 19 of 45 cells missing.
CODERS = np.array(
    [
        [NA, NA, NA, NA, NA, 3, 4, 1, 2, 1, 1, 3, 3, NA, 3],
        [1, NA, 2, 1, 3, 3, 4, 3, NA, NA, NA, NA, NA, NA, NA],
        [NA, NA, 2, 1, 3, 4, 4, NA, 2, 1, 1, 3, 3, NA, 4],
    ]
)


def simulated(seed, n=80, raters=3, classes=4, missing=0.2):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    labels = np.where(rng.random((n, raters)) < 0.3, rng.integers(0, classes, (n, raters)), truth[:, None])
    labels[rng.random((n, raters)) < missing] = -1
    return labels


def long(labels):
    unit, rater = np.nonzero(labels >= 0)
    return unit, rater, labels[unit, rater]


def test_alpha_of_the_worked_example_with_many_missing_cells():
    label = np.where(np.isnan(CODERS), 0, CODERS).astype(int) - 1
    counts = count_readings(np.tile(np.arange(15), 3), label.ravel(), units=15, classes=4)
    assert round(krippendorff_alpha(counts).value, 3) == 0.691
    assert round(krippendorff_alpha(counts, "interval", values=np.arange(1.0, 5.0)).value, 3) == 0.811
    assert round(interval_alpha(CODERS.T).value, 3) == 0.811


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_kappa_of_each_pair_is_that_of_scikit_learn_on_the_common_records(weights):
    labels = simulated(0)
    unit, rater, label = long(labels)
    pairs = rater_pairs(unit, rater, label, units=80, raters=3, classes=4, weights=weights, repeats=50)
    assert [(p.first, p.second) for p in pairs] == [(0, 1), (0, 2), (1, 2)]
    for pair in pairs:
        both = (labels[:, pair.first] >= 0) & (labels[:, pair.second] >= 0)
        one, two = labels[both, pair.first], labels[both, pair.second]
        assert pair.shared == both.sum()
        assert pair.percent == pytest.approx((one == two).mean())
        expected = cohen_kappa_score(one, two, weights=None if weights == "none" else weights)
        assert pair.kappa.value == pytest.approx(expected, abs=1e-9)
        assert pair.kappa.low <= pair.kappa.value <= pair.kappa.high


def test_pairs_with_few_common_records_and_all_but_the_busiest_raters_are_left_out():
    labels = np.full((40, 35), -1)
    labels[:, :34] = 0
    labels[:4, 34] = 1
    pairs = rater_pairs(*long(labels), units=40, raters=35, classes=2)
    assert len(pairs) == 30 * 29 / 2
    assert max(p.second for p in pairs) < 34


def test_specific_agreement_by_hand():
    counts = np.array([[2, 0], [1, 1], [0, 2]], dtype=float)
    (first, alpha), _ = class_alphas(counts)
    assert first == pytest.approx(2 / 3)
    assert alpha.value == pytest.approx(krippendorff_alpha(counts).value)


def test_findings_in_sets_are_compared_one_by_one():
    members = np.array([[1, 0], [1, 1], [0, 0]], dtype=bool)  # a, a|b, none
    counts = np.array([[1, 1, 0], [0, 0, 2]], dtype=float)
    (a, _), (b, _) = finding_alphas(counts, members)
    assert (a, b) == (1.0, 0.0)
    assert set_similarity(members).tolist() == [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]


def test_ac2_is_gwets_formula_and_ac1_without_weights():
    counts = np.array([[3, 0, 0], [1, 2, 0], [0, 1, 2], [0, 0, 3], [2, 0, 1]], dtype=float)
    w = weight_matrix(3, "quadratic")
    observed = np.mean([sum(r[k] * ((w @ r)[k] - 1) for k in range(3)) / 6 for r in counts])
    share = (counts / 3).mean(axis=0)
    chance = w.sum() / 6 * (share * (1 - share)).sum()
    assert gwet_ac2(counts, w).value == pytest.approx((observed - chance) / (1 - chance))


def test_patients_are_drawn_whole_so_that_alike_records_widen_the_interval():
    labels = np.repeat(simulated(3, n=40, missing=0), 10, axis=0)
    counts = count_readings(np.repeat(np.arange(400), 3), labels.ravel(), units=400, classes=4)
    rows = krippendorff_alpha(counts, repeats=300, seed=1)
    patients = krippendorff_alpha(counts, cluster=np.repeat(np.arange(40), 10), repeats=300, seed=1)
    assert patients.high - patients.low > 2 * (rows.high - rows.low)


@pytest.mark.slow
def test_intervals_cover_at_small_numbers_and_are_not_wide():
    """Truth from a large sample; the best width is that of the coefficient's own spread over samples."""
    for n in (20, 50):
        big = simulated(999, n=200_000, missing=0.2)
        units = np.repeat(np.arange(len(big)), 3)
        truth = krippendorff_alpha(count_readings(units, big.ravel(), units=len(big), classes=4)).value
        found = []
        for seed in range(300):
            labels = simulated(seed, n=n, missing=0.2)
            counts = count_readings(np.repeat(np.arange(n), 3), labels.ravel(), units=n, classes=4)
            found.append(krippendorff_alpha(counts, repeats=400, seed=seed))
        assert np.mean([c.low <= truth <= c.high for c in found]) >= 0.92
        best = 2 * 1.96 * np.std([c.value for c in found])
        assert np.mean([c.high - c.low for c in found]) <= 1.2 * best
