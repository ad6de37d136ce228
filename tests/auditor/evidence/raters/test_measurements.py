import numpy as np
import pytest

from auditor.evidence.raters.agreement import krippendorff_alpha
from auditor.evidence.raters.measurements import icc_average, icc_single, interval_alpha, variances

# Shrout & Fleiss, Intraclass correlations, Psychological Bulletin 1979, table 2: 6 targets, 4 judges.
SHROUT = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=np.float64)
NA = np.nan
# Gwet, user guide of irrICC (2019), `iccdata1`: 5 subjects measured once to three times by 4 judges, 8 cells missing.
GWET_UNIT = np.array([0, 0, 0, 4, 4, 3, 3, 3, 1, 1, 1, 2])
GWET = np.array(
    [
        [6, 1, 3, 2], [6.5, NA, 3, 4], [4, 3, 5.5, 4], [10, 5, 6, 9], [9.5, 4, NA, 8], [6, 2, 4, NA],
        [NA, 1, 3, 6], [8, 2.5, NA, 5], [9, 2, 5, 8], [7, NA, 2, 6], [8, NA, 2, 7], [10, 5, 6, NA],
    ]
)  # fmt: skip


def test_icc_of_the_published_example():
    assert round(icc_single(SHROUT).value, 2) == 0.29
    assert round(icc_average(SHROUT).value, 2) == 0.91


def test_icc_of_the_published_example_with_missing_and_repeated_readings():
    """Printed by Gwet: σ² .. 2.090769, 4.34898, 1.598313; ICC(2,1) .2601086; with fixed judges .6038611."""
    found = variances(GWET, GWET_UNIT)
    assert (round(found.unit, 6), round(found.rater, 5), round(found.error, 6)) == (2.090769, 4.34898, 1.598313)
    assert round(icc_single(GWET, unit=GWET_UNIT).value, 7) == 0.2601086
    assert round(icc_average(GWET, unit=GWET_UNIT, readings=1).value, 7) == 0.6038611


def test_a_constant_added_by_one_rater_lowers_absolute_agreement_alone():
    rng = np.random.default_rng(0)
    values = rng.normal(50, 10, (60, 1)) + rng.normal(0, 2, (60, 3))
    shifted = values + np.array([0, 0, 15])
    assert icc_average(shifted).value == pytest.approx(icc_average(values).value)
    assert icc_single(shifted).value < icc_single(values).value - 0.2


def test_the_interval_alpha_is_that_of_the_counts():
    rng = np.random.default_rng(1)
    values = np.round(rng.normal(5, 2, (40, 1)) + rng.normal(0, 1, (40, 4)))
    values[rng.random((40, 4)) < 0.3] = NA
    names = np.unique(values[~np.isnan(values)])
    counts = np.stack([(values == name).sum(axis=1) for name in names], axis=1).astype(np.float64)
    expected = krippendorff_alpha(counts, "interval", values=names).value
    assert interval_alpha(values).value == pytest.approx(expected, abs=1e-9)


def test_more_raters_than_can_be_fixed_have_no_icc_of_fixed_raters():
    assert np.isnan(icc_average(np.random.default_rng(0).normal(size=(5, 41))).value)


def test_intervals_hold_the_value_and_repeat():
    rng = np.random.default_rng(2)
    values = rng.normal(0, 2, (50, 1)) + rng.normal(0, 1, (50, 4))
    values[rng.random((50, 4)) < 0.2] = NA
    for measure in (icc_single, icc_average, interval_alpha):
        first = measure(values, repeats=200, seed=3)
        assert first == measure(values, repeats=200, seed=3)
        assert first.low < first.value < first.high


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """Truth: variances 4, 1, 1, many raters: ICC(2,1) = 2/3. Raters are random too, so here they are the same fixed three."""
    raters = np.array([-1.0, 0.0, 1.0])
    hits = np.zeros(2)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = rng.normal(0, 2, (60, 1)) + raters + rng.normal(0, 1, (60, 3))
        single, average = icc_single(values, repeats=400, seed=seed), icc_average(values, repeats=400, seed=seed)
        hits += [single.low <= 4 / 6 <= single.high, average.low <= 4 / (4 + 1 / 3) <= average.high]
    assert (hits >= 180).all()
