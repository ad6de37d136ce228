"""Matrices of which most cells are nought: those of `scipy.sparse`, which is imported when the first one is made.

To import it takes longer than all that a small scan does with it, so small ones that are only multiplied are plain arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Sparse = Any
"""A `scipy.sparse.csr_matrix`; of `small_or_sparse` an array, where it is small."""
FEW_CELLS = 1 << 20
"""Cells of an array in the place of a sparse matrix: eight megabytes, and a product of it with 320 draws takes milliseconds."""


def sparse(values: npt.NDArray[Any], rows: npt.NDArray[Any], columns: npt.NDArray[Any], shape: tuple[int, int]) -> Sparse:
    """Values at places; those at one place are added up. Three arrays of one length."""
    from scipy.sparse import csr_matrix

    return csr_matrix((values, (rows, columns)), shape=shape)


def small_or_sparse(
    values: npt.NDArray[Any], rows: npt.NDArray[Any], columns: npt.NDArray[Any], shape: tuple[int, int]
) -> Sparse:
    """The same, an array where it has few cells: for those who multiply it, take rows of it and add them up.

    The array is of 64 bits whatever the values are: sums that are equal then are so in every order of their terms. In 32 bits
    the order decided which permutations of a field with few values reach the observed sum, and p was .6 where it is 1.
    """
    if shape[0] * shape[1] > FEW_CELLS:
        return sparse(values, rows, columns, shape)
    cells = np.zeros(shape)
    np.add.at(cells, (rows, columns), values)
    return cells


def sums_of_groups(cells: npt.NDArray[np.float64], groups: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Columns of an array added up by group, (rows, groups that there are), in the order of their numbers."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    return np.asarray(np.add.reduceat(cells[:, order], starts, axis=1), np.float64)
