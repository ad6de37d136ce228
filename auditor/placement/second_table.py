"""A further table that labels the same images: whether it says what the table that was read says, by their first rows."""

from __future__ import annotations

import pandas as pd

from auditor.naming.suffixes import stem_of
from auditor.placement.listing import Listing
from auditor.placement.table_group import Candidate
from auditor.tables.tables import preview_table

OTHERS = "it labels the images too, in words that the table that was read does not hold; name the table that is meant"

WHOLE = 0.9
"""Of the images: a table of other words that names fewer tells of findings in some, and is no second label of all."""


def unlike(listing: Listing, one: Candidate, main: Candidate) -> str:
    """What is told of a table whose labels are not those of the main one; empty where each is, or where it has none.

    Raises:
        DatasetError: one of both cannot be read.
    """
    if not one.labels or not one.naming or not main.naming:
        return ""
    frame, known = (_by_image(listing, table) for table in (one, main))
    covers = frame.index.isin(known.index).sum() >= WHOLE * len(known)
    frame, known = frame.loc[frame.index.isin(known.index)], known.loc[known.index.isin(frame.index)]
    known = known.reindex(frame.index)
    for label in filter(set(frame).__contains__, one.labels):
        own = frame[label]
        if any(known[column].eq(own).all() for column in known.columns):
            continue
        rivals = {
            column: int(known[column].ne(own).sum())
            for column in set(main.labels) & set(known)
            if set(known[column]) & set(own)
        }
        if not rivals:
            if covers:
                return OTHERS
            continue
        many = f"{min(rivals.values()):,} of {len(own):,} images"
        return f"it labels {many} otherwise than the table that was read; say which is right"
    return ""


def _by_image(listing: Listing, table: Candidate) -> pd.DataFrame:
    """The first rows as text, by the stem of the image that each names first."""
    frame: pd.DataFrame = preview_table(listing.root / table.name, listing.limits).frame.astype(str)
    frame = frame.apply(lambda column: column.str.strip().str.casefold())
    frame.index = pd.Index([stem_of(name.rpartition("/")[2]) for name in frame[table.naming[0]]])
    once: pd.DataFrame = frame.loc[~frame.index.duplicated()]
    return once
