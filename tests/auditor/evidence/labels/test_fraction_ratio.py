import numpy as np
import pytest

from auditor.evidence.labels.fraction import fraction, ratio


def test_one_question_per_record_gives_the_plain_fraction():
    rng = np.random.default_rng(0)
    hits, groups = rng.random(400) < 0.2, rng.integers(0, 90, 400)
    plain = fraction(hits, groups)
    assert ratio(hits.astype(np.float64), np.ones(400), groups) == pytest.approx((plain.value, plain.low, plain.high))


def test_the_interval_holds_the_truth_where_the_answers_of_a_patient_are_alike():
    inside = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        rate = rng.beta(2, 8, 80)  # one rate per patient, mean .2
        groups = np.repeat(np.arange(80), 3)
        hits = rng.binomial(4, rate[groups]).astype(np.float64)
        _, low, high = ratio(hits, np.full(240, 4.0), groups)
        inside += low <= 0.2 <= high
    assert inside >= 0.92 * 300
