import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from auditor.evidence.labels.fraction import fraction
from auditor.statistics.wilson import share_interval


@pytest.mark.parametrize(("hits", "count"), [(0, 20), (3, 50), (25, 50), (50, 50)])
def test_wilson_is_that_of_statsmodels_and_scipy(hits, count):
    low, high = share_interval(hits / count, count)
    assert (low, high) == pytest.approx(proportion_confint(hits, count, method="wilson"), abs=1e-9)
    interval = binomtest(hits, count).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((interval.low, interval.high), abs=1e-6)


def test_an_interval_over_patients_is_wider_when_patients_differ():
    hits = np.repeat(np.random.default_rng(0).random(40) < 0.3, 25)
    groups = np.repeat(np.arange(40), 25)
    plain, clustered = fraction(hits), fraction(hits, groups)
    assert clustered.value == plain.value
    assert clustered.high - clustered.low > 3 * (plain.high - plain.low)
    alone = fraction(hits, np.arange(1000))
    assert alone.high - alone.low == pytest.approx(plain.high - plain.low)


def test_with_no_hit_the_patients_count():
    none = fraction(np.zeros(1000, dtype=bool), np.repeat(np.arange(10), 100))
    assert none.high == pytest.approx(share_interval(0.0, 10)[1])
    assert fraction(np.zeros(0, dtype=bool)).high == 1
