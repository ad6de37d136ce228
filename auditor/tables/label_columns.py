"""Labels out of a label table's columns, by the style that the roles say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming import labels as labelling
from auditor.naming.labels import text_of
from auditor.tables.label_table import categorical
from auditor.tables.roles import Roles
from auditor.values.labels import Labels, Level

_INNER = "\x1f"


def labels_of(roles: Roles, frame: pd.DataFrame, index: pd.Index, *, level: Level) -> Labels:
    """Labels of records, one row of `frame` each.

    Args:
        roles: with at least one label column.
        frame: categorical text columns, aligned with `index`.
    """
    origin = ", ".join(roles.labels)
    if roles.style == "columns":
        return labelling.columns(frame[list(roles.labels)], index, level=level, origin=origin)
    values = frame[roles.labels[0]]
    if roles.style == "joined":
        return labelling.joined(values, index, roles.separator, level=level, origin=origin)
    if roles.style == "continuous":
        return labelling.continuous(values, index, level=level, origin=origin)
    return labelling.single(values, index, level=level, origin=origin, ordinal=roles.style == "ordinal")


def gather_findings(
    column: pd.Series, records: npt.NDArray[np.object_], index: pd.Index, *, level: Level, origin: str
) -> Labels:
    """One finding per row → several classes per record; `records` is the record of every row."""
    pairs = pd.DataFrame({"record": records, "label": text_of(column)})
    pairs = pairs[pairs["label"] != ""].drop_duplicates()
    cells = pairs.groupby("record", sort=False)["label"].agg(_INNER.join)
    joined = categorical(cells.reindex(list(index), fill_value="").tolist())
    return labelling.joined(joined, index, _INNER, level=level, origin=origin)
