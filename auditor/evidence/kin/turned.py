"""The EXIF orientation of pictures: whether a file says that it is to be turned before it is shown, and how."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.dataset import Dataset

ORIENTATION = "container.exif_orientation"
TURNS: Mapping[int, str] = {
    1: "as it lies",
    2: "mirrored left to right",
    3: "turned by 180°",
    4: "mirrored top to bottom",
    5: "mirrored and turned by 270°",
    6: "turned by 90° clockwise",
    7: "mirrored and turned by 90°",
    8: "turned by 270° clockwise",
}
"""How the stored picture is to be turned (CIPA DC-008)."""
LYING = (5, 6, 7, 8)
"""These exchange height and width."""


def orientations(dataset: Dataset) -> npt.NDArray[np.int64]:
    """The tag per record; 1 where a file has none, or one that does not exist."""
    if ORIENTATION not in dataset.metadata.columns:
        return np.ones(dataset.size, np.int64)
    tags = pd.to_numeric(dataset.metadata[ORIENTATION], errors="coerce").to_numpy(dtype=np.float64, na_value=1.0)
    return np.where(np.isin(tags, list(TURNS)), np.nan_to_num(tags, nan=1.0), 1.0).astype(np.int64)
