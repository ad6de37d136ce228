from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests

from auditor.evidence.raters.agreement import count_readings
from auditor.evidence.raters.models import dawid_skene
from auditor.evidence.raters.raters import compare_raters
from auditor.statistics.multiplicity import holm

TABLES = Path(__file__).parents[3] / "../shared/data/tables"


def panel(n, errors, seed, classes=3, hard=0.3):
    """Long readings: some records are hard for everybody."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    difficult = rng.random(n) < hard
    labels = []
    for error in errors:
        wrong = rng.random(n) < np.where(difficult, 0.4, error)
        labels.append(np.where(wrong, (truth + rng.integers(1, classes, n)) % classes, truth))
    unit = np.tile(np.arange(n), len(errors))
    rater = np.repeat(np.arange(len(errors)), n)
    return unit, rater, np.concatenate(labels), truth


def compared(n, errors, seed, **more):
    unit, rater, label, _ = panel(n, errors, seed, **more)
    counts = count_readings(unit, label, units=n, classes=3)
    return compare_raters(unit, rater, label, counts, np.eye(3), raters=len(errors))


def test_agreement_is_counted_with_the_other_readings_only():
    unit, rater, label = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 0, 1]), np.array([0, 0, 1, 1, 1])
    counts = count_readings(unit, label, units=2, classes=2)
    test = compare_raters(unit, rater, label, counts, np.eye(2), raters=3)
    assert test.agreement.tolist() == pytest.approx([(0.5 + 1) / 2, (0.5 + 1) / 2, 0])
    assert test.others.tolist() == pytest.approx([0, 0, 1])
    assert test.readings.tolist() == [2, 2, 1]
    assert test.informative.tolist() == [1, 1, 1]


def test_the_test_agrees_with_the_exact_binomial_where_there_is_one():
    """Three raters, two classes: on a record where they differ, one of three is out, each with probability 1/3."""
    out = np.array([2] * 30 + [1] * 10 + [0] * 8)
    n = len(out)
    label = np.zeros((3, n), dtype=np.int64)
    label[out, np.arange(n)] = 1
    unit, rater = np.tile(np.arange(n), 3), np.repeat(np.arange(3), n)
    counts = count_readings(unit, label.ravel(), units=n, classes=2)
    test = compare_raters(unit, rater, label.ravel(), counts, np.eye(2), raters=3)
    for r, times in enumerate((8, 10, 30)):
        exact = binom.sf(times, n, 1 / 3) + binom.pmf(times, n, 1 / 3) / 2
        assert np.log10(test.p[r]) == pytest.approx(np.log10(exact), abs=0.25)


def test_a_poor_rater_among_three_is_found():
    test = compared(200, [0.1, 0.1, 0.35], 0)
    assert test.q[2] < 0.01
    assert test.deficit[2] > 0.1
    assert test.q[:2].min() > 0.5


def test_two_raters_cannot_be_told_apart():
    test = compared(200, [0.05, 0.6], 0)
    assert (test.p == 1).all()
    assert np.isnan(test.deficit).all()


def test_kappa_with_the_others_of_a_random_rater_is_near_zero():
    test = compared(2000, [0.05, 0.05, 0.6667], 0, hard=0)
    assert abs(test.kappa[2]) < 0.05
    assert test.kappa[0] > 0.3


def test_holm_is_that_of_statsmodels():
    p = np.array([0.01, 0.2, 0.001, 0.04, 0.04])
    assert holm(p).tolist() == pytest.approx(multipletests(p, method="holm")[1].tolist())


def test_dawid_skene_finds_truth_and_confusion():
    unit, rater, label, truth = panel(800, [0.1, 0.2, 0.5, 0.5, 0.5], 0, hard=0)
    fitted = dawid_skene(unit, rater, label, units=800, raters=5, classes=3)
    assert np.mean(fitted.truth.argmax(axis=1) == truth) > 0.86
    assert fitted.accuracy[:3].tolist() == pytest.approx([0.9, 0.8, 0.5], abs=0.05)
    assert np.allclose(fitted.confusion.sum(axis=2), 1)
    majority = count_readings(unit, label, units=800, classes=3).argmax(axis=1)
    assert np.mean(fitted.truth.argmax(axis=1) == truth) > np.mean(majority == truth) + 0.03


@pytest.mark.skipif(not TABLES.exists(), reason="the real data are not on this machine")
@pytest.mark.parametrize(("name", "published", "within"), [("duck", 0.889, 0.02), ("dog", 0.843, 0.01)])
def test_dawid_skene_reaches_the_measured_accuracy_on_real_answers(name, published, within):
    answers = pd.read_csv(TABLES / f"crowd_{name}/answer.csv", dtype=str)
    truth = pd.read_csv(TABLES / f"crowd_{name}/truth.csv", dtype=str).set_index("question")["truth"]
    unit, questions = pd.factorize(answers["question"])
    rater, raters = pd.factorize(answers["worker"])
    label, names = pd.factorize(answers["answer"], sort=True)
    fitted = dawid_skene(unit, rater, label, units=len(questions), raters=len(raters), classes=len(names))
    found = pd.Series(names[fitted.truth.argmax(axis=1)], index=questions)
    assert (found[truth.index] == truth).mean() == pytest.approx(published, abs=within)


@pytest.mark.slow
def test_power_and_false_alarms_over_many_seeds():
    power = np.mean([compared(150, [0.1, 0.1, 0.35], s).q[2] < 0.05 for s in range(200)])
    alarms = np.mean([compared(150, [0.15, 0.15, 0.15], s).q.min() < 0.05 for s in range(400)])
    many = np.mean([compared(100, [0.2] * 12, s).q.min() < 0.05 for s in range(200)])
    assert power > 0.85
    assert alarms <= 0.07
    assert many <= 0.08
