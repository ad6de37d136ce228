"""Where records stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trainers.values.pictures import Rows


def places(index: pd.Index, records: Sequence[str]) -> Rows:
    """Row numbers of records.

    Raises:
        ValueError: one is not there.
    """
    found = index.get_indexer(pd.Index(list(records), dtype="str")) if records else np.empty(0, np.int64)
    if (found < 0).any():
        raise ValueError(f"{int((found < 0).sum())} records of the proposal are not in the dataset")
    return np.asarray(found, np.int64)
