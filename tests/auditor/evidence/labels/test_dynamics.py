from dataclasses import replace

import numpy as np
import pytest
from builders import make_dataset

from auditor.evidence.labels.estimate import estimate_noise
from auditor.evidence.labels.label_noise import judge_labels, ranks, with_margins
from auditor.values.predictions import Predictions


def judged(n: int = 400, seed: int = 0):
    """Noisy labels of three classes, a mediocre model, and margins that know better."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    wrong = rng.random(n) < 0.1
    codes = np.where(wrong, (truth + 1) % 3, truth)
    logits = rng.normal(0, 1.2, (n, 3)) + 2.5 * np.eye(3)[truth]
    p = np.exp(logits)
    p = (p / p.sum(axis=1, keepdims=True)).astype(np.float32)
    margins = (np.where(wrong, -2, 3) + rng.normal(0, 1, n)).astype(np.float32)
    return estimate_noise(p, codes), p, codes, wrong, margins


def found(score, wrong):
    """Share of wrong labels among the lowest scores, as many as there are wrong ones."""
    return wrong[np.argsort(score, kind="stable")[: wrong.sum()]].mean()


def test_margins_that_know_better_better_the_ranking_and_leave_counts_and_scores():
    estimate, p, codes, wrong, margins = judged()
    joined = with_margins(estimate, margins, p, codes)
    assert found(joined.score, wrong) > found(estimate.score, wrong) + 0.1
    assert joined.flagged.sum() == estimate.flagged.sum() > 10
    assert joined.score[joined.flagged].max() <= joined.score[~joined.flagged].min()
    np.testing.assert_array_equal(np.sort(joined.score), np.sort(estimate.score))
    np.testing.assert_array_equal(np.sort(joined.suspicion), np.sort(estimate.suspicion))
    assert (joined.verdict, joined.noise) == (estimate.verdict, estimate.noise)
    assert (joined.suggested[joined.flagged] != codes[joined.flagged]).all()


def test_margins_that_say_the_same_as_the_score_change_nothing():
    estimate, p, codes, _, _ = judged()
    joined = with_margins(estimate, estimate.score, p, codes)
    np.testing.assert_array_equal(np.argsort(joined.score, kind="stable"), np.argsort(estimate.score, kind="stable"))
    assert joined.flagged.sum() == estimate.flagged.sum()


def test_labels_that_no_network_learnt_keep_their_rank():
    estimate, p, codes, _, _ = judged()
    assert with_margins(estimate, np.full(len(codes), np.nan, np.float32), p, codes) is estimate


def test_ranks_are_shares_and_equal_values_share_one():
    assert ranks(np.array([3.0, 1.0, 1.0, 7.0], np.float32)) == pytest.approx([0.625, 0.25, 0.25, 0.875])


def test_the_ranking_of_a_scan_heeds_margins_also_of_labels_of_whole_studies():
    _, p, codes, wrong, margins = judged(300)
    names = ["abc"[c] for c in codes]
    plain = make_dataset(labels=names)
    told = Predictions(probabilities=p, classes=("a", "b", "c"), origin="x")
    (before,) = judge_labels(replace(plain, predictions=told), tolerance=0.01)
    (after,) = judge_labels(replace(plain, predictions=replace(told, margins=margins)), tolerance=0.01)
    assert found(after.estimate.score, wrong) > found(before.estimate.score, wrong)
    # every study has two images of one label: its margin is their mean
    twice = np.repeat(np.arange(300), 2)
    studies = make_dataset(labels=[names[i] for i in twice], columns={"study": [f"s{i}" for i in twice]}, level="study")
    off = np.tile([-1, 1], 300).astype(np.float32)
    pairs = Predictions(probabilities=p[twice], classes=("a", "b", "c"), origin="x", margins=margins[twice] + off)
    (pooled,) = judge_labels(replace(studies, predictions=pairs), tolerance=0.01)
    assert found(pooled.estimate.score, wrong[_order(pooled)]) > found(before.estimate.score, wrong)


def _order(task):
    """Study of each judged label."""
    first = np.zeros(len(task.estimate.score), int)
    first[task.label_of] = task.records // 2
    return first
