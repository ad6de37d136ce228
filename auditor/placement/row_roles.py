"""Roles of records that no column of their table has: the split by lists of images, the study by the case that a row is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.labels import text_of
from auditor.placement.listing import Listing
from auditor.placement.split_lists import splits_in_lists
from auditor.tables.label_table import LabelTable
from auditor.values.results import Guess

Columns = dict[str, Sequence[object] | pd.Series]


def add_case(table: LabelTable, rows: npt.NDArray[np.int64], columns: Columns, guesses: list[Guess]) -> None:
    """The images of one case belong together, whoever it is: its name is their study where nothing else tells."""
    if table.case and not {"patient", "study"} & set(columns):
        columns["study"] = pd.Series(text_of(table.frame[table.case].iloc[rows]))
        why = "calls the case of the images"
        guesses.append(Guess(role="study", value=table.case, confidence=0.8, why=why, column=table.case))


def add_listed_splits(listing: Listing, images: Sequence[str], columns: Columns, guesses: list[Guess]) -> tuple[str, ...]:
    """The split that lists of images say, where no column does; which lists those are."""
    if "split" in columns or "path" not in columns:
        return ()
    of, lists = splits_in_lists(listing, images)
    if of:
        columns["split"] = [of.get(str(name)) for name in columns["path"]]
        guesses.append(Guess(role="split", value=", ".join(lists[:3]), confidence=0.9, why="lists of the images"))
    return lists
