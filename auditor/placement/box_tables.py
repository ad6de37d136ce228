"""Tables of boxes beside the label table: `finding_annotations.csv`, `BBox_List.csv`; their rows name images and corners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from auditor.naming.lexicon import name_score
from auditor.placement.listing import Listing
from auditor.placement.resolve import resolve_names
from auditor.placement.table_choice import MAX_CANDIDATES, PROBE
from auditor.placement.table_readings import read_boxes
from auditor.tables.profiles import NUMBER
from auditor.tables.roles import find_roles
from auditor.tables.tables import preview_table, read_table, table_format
from auditor.values.errors import DatasetError

LEAST_NAMING = 0.5
"""Of the names of a table, so many are images of records."""


def boxes_beside(
    listing: Listing, read: Sequence[str], record_of: Mapping[str, Sequence[str]]
) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """The boxes of further tables, and which tables those are; None where there are none.

    Args:
        read: tables that were read already.
        record_of: image → its records, to each of which a box belongs.
    """
    found, names = [], []
    images = sorted(record_of)
    tables = [name for name in listing.inventory.tables if name not in read and table_format(name) not in ("json", "sheets")]
    for name in sorted(tables, key=lambda name: (name.count("/"), name))[:MAX_CANDIDATES]:
        try:
            if not _has_boxes(listing, name, images):
                continue
            table = read_table(listing.root / name, listing.limits)
        except DatasetError:
            continue  # `placement.unused` tells why a table cannot be read
        roles = find_roles(table.frame, pins={}, where=name, resolving=_shares(table.frame, listing, images))
        column = roles.columns.get("path")
        if column is None or roles.boxes is None:
            continue
        cells = [str(cell) for cell in table.frame[column].cat.categories]
        resolved = resolve_names(listing.root, cells, images, numbers=True)
        files = np.array([file or "" for file in resolved.files], dtype=object)[table.frame[column].cat.codes.to_numpy()]
        boxes = read_boxes(table.frame, roles, files, table.lines, name)
        of = pd.Series([list(record_of[str(file)]) for file in boxes["record"]], index=boxes.index, dtype=object)
        copies = boxes.assign(record=of).explode("record", ignore_index=True)
        if len(copies):
            found.append(copies.astype({"record": "str"}))
            names.append(name)
    return (pd.concat(found, ignore_index=True) if found else None), tuple(names)


def _has_boxes(listing: Listing, name: str, images: Sequence[str]) -> bool:
    frame = preview_table(listing.root / name, listing.limits).frame
    shares = _shares(frame, listing, images)
    roles = find_roles(frame, pins={}, where=name, resolving=shares)
    return roles.boxes is not None and shares.get(roles.columns.get("path", ""), 0.0) >= LEAST_NAMING


def _shares(frame: pd.DataFrame, listing: Listing, images: Sequence[str]) -> dict[str, float]:
    """Share of the cells that are images, by column: of all that are no plain numbers, however few images have boxes."""
    shares: dict[str, float] = {}
    for name in map(str, frame.columns):
        cells = [str(cell) for cell in frame[name].cat.categories if cell][:PROBE]
        if cells and (name_score(name, "path") or not all(NUMBER.fullmatch(cell) for cell in cells)):
            shares[name] = resolve_names(listing.root, cells, images, numbers=True).found / len(cells)
    return {name: share for name, share in shares.items() if share}
