import numpy as np
import pytest

from auditor.noise.dynamics import ranks, with_margins
from auditor.noise.estimate import estimate_noise


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
