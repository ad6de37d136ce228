"""What hangs together: the connected components of a graph, as every grouping of records needs them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]


def connected(nodes: int, first: Codes, second: Codes) -> Codes:
    """Component of each node, from 0 in the order of the nodes; edges are pairs of nodes, shape (edges,) each."""
    parent = np.arange(nodes, dtype=np.int64)
    while len(first):
        first, second = parent[first], parent[second]
        apart = first != second
        first, second = first[apart], second[apart]
        # Each root that has a smaller neighbour goes below its smallest: no circle. One that stays took a neighbour in, or is
        # next to a smaller one then, so that two rounds at least halve what hangs together. Below any smaller one, a hub would
        # gather its spokes one in a round.
        np.minimum.at(parent, np.maximum(first, second), np.minimum(first, second))
        while (above := parent[parent]).tobytes() != parent.tobytes():
            parent = above
    return np.asarray(np.unique(parent, return_inverse=True)[1], np.int64)


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
