"""Scales and ticks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.axis import axis, tick


def test_ticks_are_round_and_hold_the_values():
    scale = axis([0.48, 0.99], start=100, end=600)
    assert scale.ticks == (0.4, 0.6, 0.8, 1.0)
    assert scale.place(0.4) == 100
    assert scale.place(1.0) == 600
    assert scale.place(0.7) == pytest.approx(350)


def test_bars_begin_at_zero():
    assert axis([3, 7], start=0, end=1, zero=True).low == 0


def test_a_wide_span_of_positive_values_is_logarithmic():
    scale = axis([50, 3200], start=0, end=100, log=True)
    assert scale.logarithmic
    assert scale.ticks == (50, 100, 200, 500, 1000, 2000)
    assert scale.place(400) == pytest.approx(50)
    assert not axis([50, 60], start=0, end=100, log=True).logarithmic


def test_a_value_beyond_the_scale_stays_on_the_border():
    assert axis([0, 1], start=10, end=20).place(99) == 20


@given(st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), max_size=6), st.booleans())
def test_any_values_have_a_scale(values, zero):
    scale = axis(values, start=0, end=100, zero=zero)
    assert scale.low < scale.high
    assert len(scale.ticks) < 15
    assert all(0 <= scale.place(v) <= 100 for v in values if v is not None)


def test_tick_words():
    assert [tick(v) for v in (0.25, 3000, 1e9)] == ["0.25", "3,000", "1e+09"]
