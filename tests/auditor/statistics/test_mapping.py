import numpy as np
import pytest

from auditor.checks.ln009 import mapping_of


def test_the_records_that_break_the_rule_are_named_and_no_others() -> None:
    score = np.random.default_rng(0).integers(0, 5, 300)
    grade = np.array([0, 1, 2, 2, 3])[score]
    grade[[7, 90]] = (grade[[7, 90]] + 1) % 4
    rule = mapping_of(score, grade)
    assert rule is not None
    assert rule.broken.tolist() == [7, 90]
    assert rule.follows == pytest.approx(298 / 300)


def test_missing_values_break_nothing() -> None:
    first, second = np.arange(100) % 4, np.arange(100) % 2
    second[::9] = -1
    rule = mapping_of(first, second)
    assert rule is not None
    assert rule.broken.size == 0
    assert rule.records == int((second >= 0).sum())


def test_a_column_that_is_nearly_constant_is_no_rule() -> None:
    g = np.random.default_rng(0)
    assert mapping_of(g.integers(0, 4, 500), (g.random(500) < 0.02).astype(np.int64)) is None


def test_columns_that_know_nothing_of_each_other_have_no_rule() -> None:
    for seed in range(50):
        g = np.random.default_rng(seed)
        assert mapping_of(g.integers(0, 8, 60), g.integers(0, 2, 60)) is None
