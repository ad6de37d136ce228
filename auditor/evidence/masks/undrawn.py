"""Images without a mask, where masks are all there is to learn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.dataset import Dataset


def without_mask(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Records without a mask where masks are all there is to learn; those of a split without any are its unlabelled part."""
    blank, asked = _blank(dataset)
    return blank & asked


def with_mask(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Records that have one, of the same."""
    blank, asked = _blank(dataset)
    return ~blank & asked


def _blank(dataset: Dataset) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which records have no mask, and of which it is asked."""
    if dataset.labels.task != "none" or not dataset.has("mask") or len(dataset.boxes) or len(dataset.points):
        none = np.zeros(dataset.size, dtype=bool)
        return none, none
    blank = dataset.records["mask"].isna().to_numpy(dtype=bool)
    splits = dataset.records["split"].fillna("").astype(str)
    drawn = (~pd.Series(blank, index=splits.index)).groupby(splits).transform("any")
    return blank, drawn.to_numpy(dtype=bool)
