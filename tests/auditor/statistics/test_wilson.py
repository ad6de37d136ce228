"""The interval of Wilson against SciPy."""

import numpy as np
import pytest
from scipy.stats import binomtest

from auditor.statistics.wilson import wilson


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_interval_is_that_of_scipy(level: float) -> None:
    rng = np.random.default_rng(0)
    for total in (1, 2, 7, 40, 1000, *rng.integers(1, 5000, 30).tolist()):
        for hits in {0, total, int(rng.integers(total + 1))}:
            oracle = binomtest(hits, total).proportion_ci(level, method="wilson")
            assert wilson(hits, total, level=level) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_of_none_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_more_hits_than_cases_are_no_share() -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(3, 2)
