"""Tables of boxes beside the label table: `finding_annotations.csv`, `BBox_List.csv`; their rows name images and corners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.containers.outline import text
from auditor.naming.labels import numbers_of, text_of
from auditor.naming.lexicon import name_score
from auditor.placement.listing import Listing
from auditor.placement.records import OUTLINE, with_outlines
from auditor.placement.resolve import resolve_names
from auditor.placement.table_choice import MAX_CANDIDATES, PROBE
from auditor.placement.table_readings import read_boxes
from auditor.tables.label_table import LabelTable
from auditor.tables.profiles import NUMBER
from auditor.tables.roles import find_roles
from auditor.tables.tables import preview_table, read_table, table_format
from auditor.values.errors import DatasetError

CORNERS = ("xmin", "ymin", "xmax", "ymax")
"""What a table of boxes of ours calls its columns, beside `path`, `label` and `rater`."""
SEGMENTATION = "segmentation"
"""The column of outlines of such a table: JSON, as COCO has it."""
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
        boxes = _boxes_of(table, name, listing.root, images, record_of)
        if boxes is not None and len(boxes):
            found.append(boxes)
            names.append(name)
    return (pd.concat(found, ignore_index=True) if found else None), tuple(names)


def boxes_named(listing: Listing, name: str, root: Path, record_of: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The boxes of the table that `[dataset] boxes` names.

    Args:
        root: what the paths of the images are relative to; the table lies in `listing`.
        record_of: as of `boxes_beside`; boxes of other images are left out.

    Raises:
        DatasetError: it is not there, cannot be read, or holds no boxes.
    """
    if name not in listing.files:
        raise DatasetError(f"{listing.target}: [dataset] boxes names {name!r}, which is not there")
    table = read_table(listing.root / name, listing.limits)
    boxes = _boxes_of(table, name, root, sorted(record_of), record_of)
    if boxes is None:
        raise DatasetError(f"{listing.target}: [dataset] boxes names {name!r}, which has no columns of an image and of corners")
    return boxes


def _boxes_of(
    table: LabelTable, name: str, root: Path, images: Sequence[str], record_of: Mapping[str, Sequence[str]]
) -> pd.DataFrame | None:
    """A box for each record of the image that its row names; None where the table has no such columns."""
    frame = table.frame
    wanted = {"path": "path", "label": "label", "rater": "rater", "box": ",".join(CORNERS)}
    pins = {role: column for role, column in wanted.items() if set(column.split(",")) <= set(frame.columns)}
    roles = find_roles(frame, pins=pins if "box" in pins else {}, where=name, resolving=shares_of(frame, root, images))
    column = roles.columns.get("path")
    if column is None or roles.boxes is None:
        return None
    cells = [str(cell) for cell in frame[column].cat.categories]
    resolved = resolve_names(root, cells, images, numbers=True)
    files = np.array([file or "" for file in resolved.files], dtype=object)[frame[column].cat.codes.to_numpy()]
    boxes = _outlined(read_boxes(frame, roles, files, table.lines, name), frame, table.lines)
    of = pd.Series([list(record_of[str(file)]) for file in boxes["record"]], index=boxes.index, dtype=object)
    return boxes.assign(record=of).explode("record", ignore_index=True).astype({"record": "str"})


def _outlined(boxes: pd.DataFrame, frame: pd.DataFrame, lines: npt.NDArray[np.int64]) -> pd.DataFrame:
    """The boxes with their outlines, where the table has a column of them; `lines`: of each row, which is that of its box."""
    if SEGMENTATION not in frame.columns:
        return boxes
    rows = np.searchsorted(lines, boxes["line"].to_numpy(np.int64))
    cells = text_of(frame[SEGMENTATION])[rows]
    sizes = [numbers_of(frame[name])[rows] if name in frame.columns else np.full(len(rows), np.nan) for name in OUTLINE[1:]]
    stated = [(int(h), int(w)) if h > 0 and w > 0 else None for h, w in zip(*sizes, strict=True)]
    return with_outlines(boxes, [text(str(cell)) for cell in cells], stated)


def _has_boxes(listing: Listing, name: str, images: Sequence[str]) -> bool:
    frame = preview_table(listing.root / name, listing.limits).frame
    shares = shares_of(frame, listing.root, images)
    roles = find_roles(frame, pins={}, where=name, resolving=shares)
    return roles.boxes is not None and shares.get(roles.columns.get("path", ""), 0.0) >= LEAST_NAMING


def shares_of(frame: pd.DataFrame, root: Path, images: Sequence[str]) -> dict[str, float]:
    """Share of the cells that are images, by column: of all that are no plain numbers, however few images have boxes."""
    shares: dict[str, float] = {}
    for name in map(str, frame.columns):
        cells = [str(cell) for cell in frame[name].cat.categories if cell][:PROBE]
        if cells and (name_score(name, "path") or not all(NUMBER.fullmatch(cell) for cell in cells)):
            shares[name] = resolve_names(root, cells, images, numbers=True).found / len(cells)
    return {name: share for name, share in shares.items() if share}
