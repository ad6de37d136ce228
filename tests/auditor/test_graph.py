"""Records hang together over keys that they share and pairs that were found."""

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
