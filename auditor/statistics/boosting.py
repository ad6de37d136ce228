"""Boosted trees of several folds, by whoever is quicker: our own for small samples, scikit-learn's for large ones.

Both give the same numbers to the last bit (a test holds them against each other), so that it does not show who was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from auditor.statistics.trees import BINS, LEAST, LEAVES, RATE, RIDGE, ROUNDS, fit_trees

SEARCHED = 1_600
"""Rows that cost as much as the search through the bins of one column does, whatever the number of rows."""
LITTLE = 300_000
"""Work up to which our own trees cost less than to import scikit-learn and to grow them there: of this size (5,000 records,
eight columns, five folds) three questions of one scan cost as much either way. SP009 asks some of a hundred columns."""


class Model(Protocol):
    """A fitted model."""

    def decision_function(self, design: npt.NDArray[np.float32], /) -> npt.NDArray[np.float64]:
        """Log-odds, shape (rows,), of a design (rows, columns)."""


def fitted(
    parts: Iterable[tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]], *, shapes: Sequence[tuple[int, int]]
) -> list[Model]:
    """A model of each part: a design (rows, columns) with NaN where a number is missing, and which rows are cases.

    Args:
        parts: made when they are asked for, so that of many large ones one is in memory.
        shapes: rows and columns of each.
    """
    if sum(columns * (rows + SEARCHED) for rows, columns in shapes) <= LITTLE:
        return list(fit_trees(list(parts)))
    return [_OneThread(model=grown(design, positive)) for design, positive in parts]


def grown(design: npt.NDArray[np.float32], positive: npt.NDArray[np.bool_]) -> Any:
    """The model of scikit-learn with the settings of `auditor.statistics.trees`."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # nearly a second to import

    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=LEAST, l2_regularization=RIDGE,
        max_bins=BINS, early_stopping=False, random_state=0,
    )  # fmt: skip
    with threadpool_limits(limits=1):
        return model.fit(design, positive)


class _OneThread:
    """One thread: the same result everywhere, and small tables run slower on several."""

    def __init__(self, *, model: Any) -> None:
        self._model = model

    def decision_function(self, design: npt.NDArray[np.float32], /) -> npt.NDArray[np.float64]:
        with threadpool_limits(limits=1):
            return np.asarray(self._model.decision_function(design), np.float64)
