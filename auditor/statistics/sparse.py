"""Sparse matrices of `scipy.sparse`, which is imported when the first one is made: in a small scan none is."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

Sparse = Any
"""A `scipy.sparse.csr_matrix`."""


def sparse(values: npt.NDArray[Any], rows: npt.NDArray[Any], columns: npt.NDArray[Any], shape: tuple[int, int]) -> Sparse:
    """Values at places; those at one place are added up. Three arrays of one length."""
    from scipy.sparse import csr_matrix

    return csr_matrix((values, (rows, columns)), shape=shape)
