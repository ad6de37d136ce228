"""Boosted trees on histograms (Ke et al. 2017, NeurIPS) for small samples, without scikit-learn.

To import scikit-learn takes longer than all else that is done with a few hundred records. These are the trees of its
`HistGradientBoostingClassifier` with the settings below, split by split (a test holds both against each other); several
models grow at a time, so that the search for splits looks at one node of each at once. For many records that one is faster.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.statistics.distributions import logit

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

ROUNDS = 60
RATE = 0.15
LEAVES = 12
LEAST = 20
"""Records of a leaf."""
RIDGE = 1.0
BINS = 64
LEAST_CURVE = 1e-3
_WIDE = BINS + 1
"""The last bin is of what is missing."""
_NODES = 2 * LEAVES - 1
_DEEPEST = LEAVES - 1


@dataclass(frozen=True, kw_only=True)
class Trees:
    """A fitted model.

    Args:
        edges: of each column, between its bins.
        start: log-odds before the first tree.
        column, bin, missing_left, child, value: of each node, (rounds, nodes); `child` is the left one, the right one follows
            it, and 0 marks a leaf.
    """

    edges: Sequence[Doubles]
    start: float
    column: Rows
    bin: Rows
    missing_left: npt.NDArray[np.bool_]
    child: Rows
    value: Doubles

    def decision_function(self, design: npt.NDArray[np.float32]) -> Doubles:
        """Log-odds, shape (rows,), of a design (rows, columns)."""
        codes = binned(design, self.edges)
        rows, trees = np.arange(len(design))[:, None], np.arange(ROUNDS)[None]
        at = np.zeros((len(design), ROUNDS), np.int64)
        for _ in range(_DEEPEST):
            child = self.child[trees, at]
            if not child.any():
                break
            code = codes[rows, self.column[trees, at]]
            left = (code <= self.bin[trees, at]) | ((code == BINS) & self.missing_left[trees, at])
            at = np.where(child > 0, child + ~left, at)
        found = np.full(len(design), self.start)
        for tree in range(ROUNDS):  # one after the other, as they were learnt
            found += self.value[tree, at[:, tree]]
        return found


def fit_trees(parts: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]]) -> list[Trees]:
    """A model of each part: a design (rows, columns), NaN = missing, and which of its rows are cases; of both kinds some."""
    growing = [_learn(design, positive) for design, positive in parts]
    found: dict[int, Trees] = {}
    answers: dict[int, list[_Split] | None] = dict.fromkeys(range(len(parts)))
    while answers:
        asked: dict[int, _Asked] = {}
        for number, answer in answers.items():
            try:
                asked[number] = growing[number].send(answer)  # type: ignore[arg-type]  # the first time, None
            except StopIteration as ended:
                found[number] = ended.value
        splits = iter(_best_splits(list(asked.values())) if asked else ())
        answers = {number: [next(splits) for _ in question.nodes] for number, question in asked.items()}
    return [found[number] for number in range(len(parts))]


def edges_of(column: Doubles) -> Doubles:
    """Between the bins of one column: half-way between neighbouring values, or, where they are many, quantiles."""
    column = np.sort(column[~np.isnan(column)])
    values = np.unique(column)
    if len(values) <= BINS:
        return (values[1:] + values[:-1]) / 2
    return np.unique(np.percentile(column, np.linspace(0, 100, BINS + 1)[1:-1], method="averaged_inverted_cdf"))


def binned(design: npt.NDArray[np.float32], edges: Sequence[Doubles]) -> Rows:
    """In which bin of its column each value is, shape (rows, columns)."""
    wide = design.astype(np.float64)
    codes = [np.where(np.isnan(column), BINS, np.searchsorted(own, column)) for own, column in zip(edges, wide.T, strict=True)]
    return np.column_stack(codes).astype(np.int64)


@dataclass(eq=False, slots=True)
class _Node:
    """A node: its place in the tree, its rows, what they add up to, and the best split of them."""

    place: int
    rows: Rows
    slope: float
    curve: float
    value: float
    sums: Any = None
    split: Any = None

    def __lt__(self, other: _Node) -> bool:
        return bool(self.split[0] > other.split[0])


@dataclass(slots=True)
class _Asked:
    """Nodes whose best splits are asked for, and which columns of theirs have missing values."""

    nodes: list[_Node]
    missing: npt.NDArray[np.bool_]


_Split = tuple[float, int, int, bool, float, float]
"""Gain, column, bin, whether what is missing goes left; slope and curve of the left side."""


def _learn(design: npt.NDArray[np.float32], positive: npt.NDArray[np.bool_]) -> Generator[_Asked, list[_Split], Trees]:
    """One model; asks for the splits that it needs."""
    wide = design.astype(np.float64)
    edges = [edges_of(column) for column in wide.T]
    codes = binned(design, edges)
    missing = np.asarray(np.isnan(wide).any(axis=0))
    flat = codes + np.arange(codes.shape[1]) * _WIDE
    case = positive.astype(np.float64)
    start = logit(float(case.mean()))
    raw = np.full(len(case), start)
    kept: dict[str, npt.NDArray[Any]] = {
        "column": np.zeros((ROUNDS, _NODES), np.int64), "bin": np.zeros((ROUNDS, _NODES), np.int64),
        "missing_left": np.zeros((ROUNDS, _NODES), np.bool_), "child": np.zeros((ROUNDS, _NODES), np.int64),
        "value": np.zeros((ROUNDS, _NODES)),
    }  # fmt: skip
    for number in range(ROUNDS):
        power = np.exp(-raw)
        slope = (((1 - case) - case * power) / (1 + power)).astype(np.float32).astype(np.float64)
        curve = (power / (1 + power) ** 2).astype(np.float32).astype(np.float64)
        for leaf in (yield from _grow(codes, flat, slope, curve, missing, {name: of[number] for name, of in kept.items()})):
            kept["value"][number, leaf.place] = leaf.value * RATE
            raw[leaf.rows] += leaf.value * RATE
    return Trees(edges=edges, start=start, **kept)


def _grow(
    codes: Rows, flat: Rows, slope: Doubles, curve: Doubles, missing: npt.NDArray[np.bool_], tree: dict[str, npt.NDArray[Any]]
) -> Generator[_Asked, list[_Split], list[_Node]]:
    """One tree, the node of the largest gain first; its leaves."""
    rows = np.arange(len(codes))
    sums = _sums(flat, slope, curve)
    first = sums.reshape(3, -1, _WIDE)[:, 0].sum(axis=1).tolist()
    root = _Node(0, rows, first[0], first[1], 0.0, sums)
    leaves: list[_Node] = []
    heap: list[_Node] = []
    asked = [root]
    places = 1
    if len(rows) < 2 * LEAST or root.curve < LEAST_CURVE:
        return [root]
    while True:
        splits = (yield _Asked(asked, missing)) if asked else []
        for asking, split in zip(asked, splits, strict=True):
            asking.split = split
            if split[0] > 0:
                heappush(heap, asking)
            else:
                leaves.append(asking)
        if not heap:
            return leaves
        node = heappop(heap)
        pair = _children(node, codes, places, missing, tree)
        places += 2
        if len(leaves) + len(heap) + 2 == LEAVES:
            return [*leaves, *heap, *pair]
        small = pair[1] if len(pair[0].rows) >= len(pair[1].rows) else pair[0]
        asked = [child for child in pair if len(child.rows) >= 2 * LEAST]
        leaves += [child for child in pair if len(child.rows) < 2 * LEAST]
        if asked:
            small.sums = _sums(flat[small.rows], slope[small.rows], curve[small.rows])
            pair[small is pair[0]].sums = node.sums - small.sums
        node.sums = None


def _children(
    node: _Node, codes: Rows, place: int, missing: npt.NDArray[np.bool_], tree: dict[str, npt.NDArray[Any]]
) -> tuple[_Node, _Node]:
    """Both sides of a node's split, which is written down."""
    _, column, edge, missing_left, slope, curve = node.split
    code = codes[node.rows, column]
    left = code <= edge
    if missing_left:
        left |= code == BINS
    pair = tuple(
        _Node(place + side, node.rows[which], s, c, -s / (c + RIDGE + 1e-15))
        for side, which, s, c in ((0, left, slope, curve), (1, ~left, node.slope - slope, node.curve - curve))
    )
    if not missing[column]:  # what is missing only later goes with the many
        missing_left = len(pair[0].rows) > len(pair[1].rows)
    for name, value in (("column", column), ("bin", edge), ("missing_left", missing_left), ("child", place)):
        tree[name][node.place] = value
    return pair[0], pair[1]


def _sums(flat: Rows, slope: Doubles, curve: Doubles) -> Doubles:
    """Slopes, curves and records by column and bin, shape (3, columns · bins)."""
    columns = flat.shape[1]
    size, places = columns * _WIDE, flat.ravel()
    found = np.empty((3, size))
    found[0] = np.bincount(places, np.repeat(slope, columns), size)
    found[1] = np.bincount(places, np.repeat(curve, columns), size)
    found[2] = np.bincount(places, minlength=size)
    return found


def _best_splits(asked: Sequence[_Asked]) -> list[_Split]:
    """Of each node the split that gains most, the first one where several do; a gain of −1 where none is allowed."""
    nodes = [node for question in asked for node in question.nodes]
    widest = max(node.sums.shape[1] for node in nodes)
    sums = np.zeros((len(nodes), 3, widest // _WIDE, _WIDE))
    for number, node in enumerate(nodes):
        sums[number].reshape(3, -1)[:, : node.sums.shape[1]] = node.sums
    total = np.array([(node.slope, node.curve, len(node.rows)) for node in nodes])[:, :, None, None]
    now = np.array([node.slope * node.value for node in nodes])[:, None, None]
    left = np.cumsum(sums[..., :BINS], axis=-1)
    each = np.arange(len(nodes))
    gain, edge, to_left = _columns_best(left, total - left, now)
    missing_left = np.zeros(gain.shape, np.bool_)
    missing = np.zeros(gain.shape, np.bool_)
    at = 0
    for question in asked:
        missing[at : at + len(question.nodes), : len(question.missing)] = question.missing
        at += len(question.nodes)
    if missing.any():
        # what is missing goes left: the right side adds up from the last bin, and of equal gains the last bin's counts
        right = np.cumsum(sums[..., BINS - 1 : 0 : -1], axis=-1)
        again, back, other_left = _columns_best(total - right, right, now)
        missing_left = missing & (again > gain)
        gain = np.where(missing_left, again, gain)
        edge = np.where(missing_left, BINS - 2 - back, edge)
        to_left = np.where(missing_left[:, None], other_left, to_left)
    column = gain.argmax(axis=1)
    best = zip(
        gain[each, column].tolist(), column.tolist(), edge[each, column].tolist(), missing_left[each, column].tolist(),
        to_left[each, 0, column].tolist(), to_left[each, 1, column].tolist(), strict=True,
    )  # fmt: skip
    return list(best)


def _columns_best(left: Doubles, right: Doubles, now: Doubles) -> tuple[Doubles, Rows, Doubles]:
    """Of each node and column the largest gain, its place, and the sums of its left side.

    Args:
        left, right: sums on either side, (nodes, 3, columns, places).
        now: slope times value of each node, (nodes, 1, 1).
    """
    (slope, curve, count), (slope_r, curve_r, count_r) = left.swapaxes(0, 1), right.swapaxes(0, 1)
    allowed = (np.minimum(count, count_r) >= LEAST) & (np.minimum(curve, curve_r) >= LEAST_CURVE)
    gain = now + slope * (slope / (curve + RIDGE + 1e-15)) + slope_r * (slope_r / (curve_r + RIDGE + 1e-15))
    gain = np.where(allowed & (gain > 0), gain, -1.0)
    place = gain.argmax(axis=-1)
    at = place[:, None, :, None]
    return (
        np.take_along_axis(gain, place[..., None], -1)[..., 0],
        place,
        np.take_along_axis(left, np.broadcast_to(at, (*left.shape[:3], 1)), -1)[..., 0],
    )
