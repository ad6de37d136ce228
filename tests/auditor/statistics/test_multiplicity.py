import numpy as np
import pytest
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

from auditor.statistics.multiplicity import benjamini_hochberg, holm, max_t


def test_benjamini_hochberg_equals_scipy() -> None:
    p = np.random.default_rng(0).random(200) ** 2
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p))


def test_holm_equals_statsmodels() -> None:
    p = np.random.default_rng(1).random(50) ** 3
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_nothing_in_nothing_out() -> None:
    assert benjamini_hochberg(np.array([])).size == 0
    assert holm(np.array([])).size == 0


def test_max_t_steps_down() -> None:
    permuted = np.array([[1.0, 5.0], [2.0, 0.0], [0.0, 1.0]])
    # Largest first: 4 against row maxima (5, 2, 1) → 2/4; then 1.5 against the other test alone (1, 2, 0) → 2/4.
    assert max_t(np.array([1.5, 4.0]), permuted).tolist() == [0.5, 0.5]
