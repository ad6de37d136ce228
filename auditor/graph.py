"""What hangs together: the connected components of a graph, as every grouping of records needs them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Codes = npt.NDArray[np.int64]


def connected(nodes: int, first: Codes, second: Codes) -> Codes:
    """Component of each node, from 0 in the order of the nodes; edges are pairs of nodes, shape (edges,) each."""
    graph = coo_matrix((np.ones(len(first), np.int8), (first, second)), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def joined_by(size: int, keys: Iterable[Codes], pairs: Iterable[tuple[Codes, Codes]] = ()) -> Codes:
    """Component of each of `size` records, from 0 in their order.

    Args:
        keys: a code per record; two records with one code are joined, −1 joins nothing.
        pairs: positions of records that are joined.
    """
    rows, nodes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for first, second in pairs:
        rows.append(first)
        nodes.append(second)
    count = size
    for codes in keys:
        known = np.flatnonzero(codes >= 0)
        rows.append(known)
        nodes.append(codes[known] + count)
        count += int(codes.max(initial=-1)) + 1
    return connected(count, np.concatenate(rows), np.concatenate(nodes))[:size]
