import itertools

import numpy as np

from auditor.statistics.sites import allot


def worst_of(counts: np.ndarray, part: np.ndarray, parts: int) -> float:
    share = counts / counts.sum(axis=0)
    held = np.stack([share[part == p].sum(axis=0) for p in range(parts)])
    return float(((held - 1 / parts) ** 2).sum())


def test_it_is_as_good_as_trying_everything_on_small_problems() -> None:
    g = np.random.default_rng(0)
    near = 0
    for _ in range(20):
        counts = g.integers(1, 100, (7, 2)).astype(float)
        found = worst_of(counts, allot(counts, parts=2).part, 2)
        best = min(worst_of(counts, np.array(p), 2) for p in itertools.product((0, 1), repeat=7))
        near += found <= best + 0.005
    assert near >= 16


def test_equal_groups_are_dealt_evenly_and_the_worst_share_is_told() -> None:
    found = allot(np.full((10, 3), 4.0), parts=5)
    assert np.bincount(found.part).tolist() == [2] * 5
    assert found.worst < 1e-9
    assert allot(np.array([[9.0], [1.0]]), parts=2).worst == 0.4
