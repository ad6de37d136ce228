from __future__ import annotations

import pytest
from scipy.stats import binom

from trainers.relabelling.verified import bounded_groups, group_table, lower_bound, stratum_of


def test_fifty_nine_without_an_error_reach_the_gate_and_fifty_eight_do_not() -> None:
    assert lower_bound(59, 59) == pytest.approx(0.05 ** (1 / 59))
    assert lower_bound(59, 59) >= 0.95 > lower_bound(58, 58)


@pytest.mark.parametrize(("right", "verified"), [(1, 4), (30, 40), (92, 93), (93, 93)])
def test_the_bound_is_where_so_many_or_more_would_be_seen_once_in_twenty(right: int, verified: int) -> None:
    low = lower_bound(right, verified)
    assert float(binom.sf(right - 1, verified, low)) == pytest.approx(0.05, abs=1e-9)


def test_nothing_verified_bounds_nothing() -> None:
    assert lower_bound(0, 0) == 0.0
    assert lower_bound(0, 50) == 0.0


def test_groups_are_class_and_confidence() -> None:
    suggested = ["a"] * 60 + ["b"] * 60
    confidence = [0.95] * 60 + [0.8] * 60
    groups = bounded_groups(suggested, confidence, [True] * 60 + [None] * 60)
    assert set(groups) == {("a", 0.9), ("b", 0.7)}
    assert groups["a", 0.9].low >= 0.95
    assert (groups["b", 0.7].verified, groups["b", 0.7].low) == (0, 0.0)


def test_two_verified_groups_share_the_error() -> None:
    groups = bounded_groups(["a"] * 60 + ["b"] * 60, [0.95] * 120, [True] * 120)
    assert groups["a", 0.9].low == pytest.approx(lower_bound(60, 60, level=0.975))
    assert groups["a", 0.9].low < 0.95


def test_strata_are_told_by_their_lower_ends() -> None:
    assert [stratum_of(v) for v in (1.0, 0.9, 0.89, 0.7, 0.1, 0.0)] == [0.9, 0.9, 0.7, 0.7, 0.0, 0.0]


def test_the_table_says_what_is_rewritten() -> None:
    groups = bounded_groups(["a"] * 59 + ["b"], [0.95] * 60, [True] * 59 + [None])
    table = group_table(list(groups.values()), 0.95)
    assert {c.name: list(c.values) for c in table.columns}["rewritten"] == [True, False]
