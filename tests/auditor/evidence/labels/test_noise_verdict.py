"""The verdict gives the reason that holds."""

import numpy as np

from auditor.evidence.labels.noise_verdict import growth_of, judge
from auditor.values.judgements import Fraction


def share(value, low, high, count=400):
    return Fraction(value=value, low=low, high=high, count=count)


def told(growth="steady", *, sure=(0.1, 0.08, 0.12), surest=(0.1, 0.07, 0.13), skill=0.6):
    return judge(share(*sure), share(*surest), share(0.2, 0.15, 0.25), skill, 0.01, growth)


def test_growing_disagreement_and_too_few_records_are_two_reasons():
    assert told()[0] == "noise"
    verdict, reason = told("grows")
    assert verdict == "cannot tell"
    assert "grows with the model's doubt (10.0% of 400 where it is surest, 20.0% at middling confidence)" in reason
    verdict, few = told("too few")
    assert verdict == "cannot tell"
    assert "the records are too few to see" in few


def test_what_hardly_shows_among_the_surest_grows_and_what_may_show_is_too_few():
    assert "grows with the model's doubt" in told(surest=(0.004, 0.001, 0.02))[1]
    assert "too few" in told(surest=(0.04, 0.009, 0.1))[1]
    assert "how frequent they are" in told(skill=0.01)[1]
    assert told(sure=(0.01, 0.004, 0.02))[0] == "no evidence"


def test_growth_is_seen_with_many_records_and_not_told_with_few():
    rng = np.random.default_rng(0)
    for n, rate, expected in (
        (4000, lambda u: 0.1 + 0 * u, "steady"), (4000, lambda u: 0.5 * u, "grows"), (60, lambda u: 0.1 + 0 * u, "too few"),
    ):  # fmt: skip
        place = (np.arange(n) + 0.5) / n
        assert growth_of(rng.random(n) < rate(place), place) == expected
    assert growth_of(np.zeros(3, np.bool_), np.full(3, 0.2)) == "steady"
