"""Folds for cross-validation: what must stay together does, and every class is spread evenly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.graph import joined_by
from auditor.values.dataset import Dataset


def fold_groups(dataset: Dataset) -> npt.NDArray[np.int64]:
    """A number per record, shape (records,): equal for records that must stay together.

    Records belong together when they share a patient id (unless all records have the same one) or have identical pixels
    (constant pictures are no evidence).
    """
    n = dataset.size
    keys: list[pd.Series] = []
    if dataset.has("patient"):
        patients = dataset.records["patient"]
        if patients.nunique() > 1:
            keys.append(patients)
    if "pixels" in dataset.fingerprints.columns:
        pixels = dataset.fingerprints["pixels"]
        if "constant" in dataset.fingerprints.columns:
            pixels = pixels.where(~dataset.fingerprints["constant"].fillna(False).astype(bool))
        keys.append(pixels)
    if not keys:
        return np.arange(n, dtype=np.int64)
    return joined_by(n, [pd.factorize(key)[0].astype(np.int64) for key in keys])


def assign_folds(
    strata: npt.NDArray[np.int64], group: npt.NDArray[np.int64], *, folds: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Fold per record: groups whole, strata spread evenly. Larger groups are dealt first, like cards, stratum by stratum."""
    _, compact, size = np.unique(group, return_inverse=True, return_counts=True)
    dominant = pd.DataFrame({"group": compact, "stratum": strata}).groupby("group")["stratum"].max().to_numpy()
    order = np.lexsort((rng.random(len(size)), -size, dominant))
    dealt = np.empty(len(size), dtype=np.int64)
    dealt[order] = np.arange(len(size)) % folds
    return dealt[compact]
