"""Pairs on one spot: as many looks as the places allow, and never more than a bound, which is told."""

import numpy as np
import pandas as pd
import pytest

from auditor.evidence.objects import object_match, sweep
from auditor.evidence.objects.boxes import overlapping_pairs
from auditor.evidence.objects.point_verdict import doubled_points
from auditor.evidence.raters.boxes import _box_fits, _common


def test_marks_near_each_other_are_those_of_the_plain_formula():
    rng = np.random.default_rng(0)
    n = 300
    points = pd.DataFrame(
        {"record": rng.integers(0, 3, n).astype(str), "rater": rng.integers(0, 2, n).astype(str), "label": "a",
         "x": rng.integers(0, 12, n).astype(float), "y": rng.integers(0, 12, n).astype(float)}
    )  # fmt: skip
    points.loc[::17, "x"] = np.nan
    at, who = points[["x", "y"]].to_numpy(), (points["record"] + points["rater"]).to_numpy()
    expected = {(i, j) for i in range(n) for j in range(i + 1, n) if who[i] == who[j] and np.hypot(*(at[i] - at[j])) <= 1}
    found = doubled_points(points, most=1.0)
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected
    assert len(expected) > 100


@pytest.mark.parametrize("spread", ["one spot", "one column", "one row", "a cross"])
def test_a_crowd_costs_no_more_than_the_bound_and_is_told(spread: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweep, "MOST_LOOKS", 20_000)
    monkeypatch.setattr(sweep, "BLOCK", 5_000)
    n, steps, odd = 4000, np.arange(4000.0) * 100, np.arange(4000) % 2
    x = {"one row": steps, "a cross": steps * odd}.get(spread, 0 * steps)
    y = {"one column": steps, "a cross": steps * (1 - odd)}.get(spread, 0 * steps)
    looked: list[int] = []

    def measure(a, b):
        looked.append(len(a))
        return -np.hypot(x[a] - x[b], y[a] - y[b])

    at = np.stack([x, y], axis=1)
    found = sweep.near_pairs(np.zeros(n, np.int64), at, at + 1.0, measure, -1.0)
    assert sum(looked) <= 20_000 + 5_000 + n
    assert max(looked, default=0) <= 5_000 + n
    assert (found.left > 0) == (spread in ("one spot", "a cross"))


def test_images_with_few_objects_are_judged_before_a_crowd(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweep, "MOST_LOOKS", 1000)
    monkeypatch.setattr(sweep, "BLOCK", 500)
    images = np.array([0] * 3000 + [1, 1])
    corners = np.tile([0.0, 0.0, 10.0, 10.0], (3002, 1))
    found = overlapping_pairs(images, corners, min_iou=0.8)
    assert (3000, 3001) in set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert 2000 < found.left < 3000


def test_objects_are_matched_alike_whatever_is_looked_at_at_once(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(1)

    def boxes(n: int):
        low = rng.uniform(0, 60, (n, 2))
        return np.hstack([low, low + rng.uniform(5, 30, (n, 2))])

    told = (rng.integers(0, 3, 200), boxes(200), rng.integers(0, 3, 150), boxes(150), rng.random(150))
    whole = object_match.match_objects(*told, reach=10.0)
    monkeypatch.setattr(object_match, "BLOCK", 100)
    parts = object_match.match_objects(*told, reach=10.0)
    for name in ("partner", "shared", "support", "elsewhere"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
    assert (whole.partner >= 0).sum() > 20


def test_the_boxes_of_two_readers_are_matched_as_by_the_assignment_of_all(monkeypatch: pytest.MonkeyPatch):
    from scipy.optimize import linear_sum_assignment

    monkeypatch.setattr("auditor.evidence.raters.boxes.BLOCK", 64)
    rng = np.random.default_rng(2)
    for _ in range(20):
        low = rng.integers(0, 12, (60, 2)).astype(float)
        corners = np.hstack([low, low + rng.integers(3, 9, (60, 2))])
        one, two, label = corners[:35], corners[35:], rng.integers(0, 2, 60)
        both = _box_fits(one, two) & (label[:35, None] == label[None, 35:])
        rows, columns = linear_sum_assignment(-both.astype(float))
        assert _common(one, two, label[:35], label[35:], _box_fits) == both[rows, columns].sum()


def test_pairs_of_a_crowd_end_at_the_bound_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch):
    """What a table of the pairs takes is bounded with them."""
    monkeypatch.setattr(sweep, "MOST_PAIRS", 3_000)
    monkeypatch.setattr(sweep, "BLOCK", 1_000)
    n = 500
    found = overlapping_pairs(np.zeros(n, np.int64), np.tile([0.0, 0.0, 10.0, 10.0], (n, 1)), min_iou=0.8)
    assert 3_000 <= len(found.first) <= 3_000 + 1_000 + n
    assert found.left > 400
