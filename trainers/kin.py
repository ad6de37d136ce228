"""Who belongs together: records that must not be torn apart when some of them teach and others judge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.graph import connected
from auditor.prediction.folds import fold_groups
from auditor.values.dataset import Dataset


def kin(dataset: Dataset) -> npt.NDArray[np.int64]:
    """A number per record, equal for records that are linked by a patient, an acquisition or a verified copy."""
    groups = fold_groups(dataset)
    links = dataset.links
    if links.empty:
        return groups
    firm = links[links["evidence"] != "candidate"]
    place = pd.Index(dataset.records.index)
    a, b = groups[place.get_indexer(firm["record_a"])], groups[place.get_indexer(firm["record_b"])]
    size = int(groups.max(initial=-1)) + 1
    return connected(size, a, b)[groups]
