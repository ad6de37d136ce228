"""Which features of an image the built-in probes read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.dataset import Dataset

MODULES: tuple[str, ...] = ("gradients", "intensity", "patches", "texture")
ENCODING: frozenset[str] = frozenset(
    f"intensity.{name}" for name in ("at_min_fraction", "at_max_fraction", "stored_levels", "range_used_fraction")
)
COLOURS: tuple[str, ...] = ("intensity.red_mean", "intensity.green_mean", "intensity.blue_mean")
"""Read as their distance from their mean: 0 for a grey image, whether it was stored with one channel or with three."""

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


class Inputs:
    """The numbers that the probe reads, taken from the features a part of the rows at a time."""

    def __init__(self, dataset: Dataset) -> None:
        self._features = dataset.features.to_numpy(dtype=np.float32, copy=False)
        names = dataset.features.columns
        self._plain = names.get_indexer(pd.Index([c for c in feature_columns(dataset) if c not in COLOURS]))
        colours = names.get_indexer(pd.Index(COLOURS))
        self._colours = colours[colours >= 0]

    def of(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Shape (rows, inputs)."""
        part = self._features[rows]
        colours = part[:, self._colours]
        chroma = np.nan_to_num(colours - colours.mean(axis=1, keepdims=True)) if colours.shape[1] else colours
        return np.hstack([part[:, self._plain], chroma])


def feature_columns(dataset: Dataset) -> list[str]:
    """Features that say what the picture shows, not how it was stored."""
    return [c for c in dataset.features.columns if str(c).split(".")[0] in MODULES and c not in ENCODING]


def has_pixels(dataset: Dataset) -> Bools:
    """Records whose image was read; shape (records,)."""
    column = next(c for c in feature_columns(dataset) if c not in COLOURS)
    return np.asarray(np.isfinite(dataset.features[column].to_numpy(dtype=np.float32)))
