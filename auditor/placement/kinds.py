"""How many different classes and readers a dataset may have: what is learnt of them grows with the square of their number."""

from __future__ import annotations

import pandas as pd

from auditor.values.errors import DatasetError
from auditor.values.image import Limits
from auditor.values.labels import Labels


def check_kinds(name: object, labels: Labels, readings: pd.DataFrame, limits: Limits) -> None:
    """Refuse what holds more of them than the limits allow: a column of ids, dates or texts that was taken for one of classes.

    Raises:
        DatasetError: more than `limits.kinds`.
    """
    readers = readings["rater"].nunique() if "rater" in readings.columns else 0
    for count, what, role in ((len(labels.classes), "classes", "label"), (readers, "readers", "rater")):
        if count > limits.kinds:
            raise DatasetError(
                f"{name}: {count:,} different {what}, more than {limits.kinds:,}: name another column (--{role}), "
                "or raise [limits] kinds"
            )
