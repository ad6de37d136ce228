"""Records hang together over keys that they share and pairs that were found."""

import sys
from collections.abc import Callable
from types import FrameType

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from auditor.graph import connected, joined_by


def test_components_are_numbered_in_the_order_of_the_nodes() -> None:
    assert connected(5, np.array([4, 1]), np.array([2, 3])).tolist() == [0, 1, 2, 1, 2]


def test_a_code_joins_and_a_missing_one_does_not() -> None:
    assert joined_by(4, [np.array([7, -1, 7, -1])]).tolist() == [0, 1, 0, 2]


def test_keys_and_pairs_join_further_than_each_alone() -> None:
    keys = [np.array([0, 0, -1, -1]), np.array([-1, 5, 5, -1])]
    assert joined_by(4, keys, [(np.array([2]), np.array([3]))]).tolist() == [0, 0, 0, 0]


def test_nothing_joins_nothing() -> None:
    assert joined_by(3, []).tolist() == [0, 1, 2]
    assert joined_by(0, [np.zeros(0, np.int64)]).tolist() == []


def test_components_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    for nodes, edges in ((1, 3), (50, 20), (500, 400), (500, 3000)):
        first, second = rng.integers(0, nodes, (2, edges))
        graph = coo_matrix((np.ones(edges), (first, second)), shape=(nodes, nodes))
        expected = connected_components(graph, directed=False)[1]
        assert connected(nodes, first, second).tolist() == expected.tolist()
    chain = np.random.default_rng(1).permutation(5000)
    assert not connected(5000, chain[:-1], chain[1:]).any()


def test_a_hub_is_joined_in_as_few_rounds_as_a_chain() -> None:
    """One key that all records share has them all below the smallest at once, not one in a round."""
    hub, path = (
        rounds(lambda: joined_by(3000, [np.zeros(3000, np.int64)])),
        rounds(lambda: connected(3, np.array([0]), np.array([1]))),
    )
    keys = [np.arange(3000) % 20, np.arange(3000) // 7]
    assert hub <= 20 * path
    assert rounds(lambda: joined_by(3000, keys)) <= 20 * path


def rounds(work: Callable[[], object]) -> int:
    """Lines of `connected` that were run: a count that no machine changes."""
    lines = 0

    def step(frame: FrameType, event: str, _: object) -> object:
        nonlocal lines
        lines += event == "line"
        return step

    before = sys.gettrace()
    sys.settrace(lambda frame, *_: step if frame.f_code is connected.__code__ else None)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines
