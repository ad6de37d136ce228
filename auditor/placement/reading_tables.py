"""Readings beside the label table: a table of who read what (`readings.csv`), or a table of each reader (`readers/A.csv`).

Nobody's released label: what the readers said is compared with it, and never taken for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.placement.box_tables import LEAST_NAMING, shares_of
from auditor.placement.listing import Listing
from auditor.placement.resolve import resolve_names
from auditor.placement.table_choice import MAX_CANDIDATES, PROBE
from auditor.placement.table_readings import long_readings, wide_readings
from auditor.tables.label_table import LabelTable
from auditor.tables.rater_columns import reader_of
from auditor.tables.roles import Roles, find_roles
from auditor.tables.tables import preview_table, read_table, table_format
from auditor.values.errors import DatasetError

OURS = ("path", "rater", "label")
"""What a table of readings of ours calls its columns."""
Objects = npt.NDArray[np.object_]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Readings that lie beside the label table.

    Args:
        readings: as `Dataset.annotations`, without those of what is no record.
        tables: the files that they were read from.
        each: every table is that of one reader, whose name is the table's.
    """

    readings: pd.DataFrame
    tables: tuple[str, ...]
    each: bool

    @property
    def told(self) -> str:
        """Where they come from, in words; names of readers are not among them."""
        raters = self.readings["rater"].nunique()
        where = f"{len(self.tables):,} tables, one of each reader," if self.each else ", ".join(self.tables[:3])
        return f"{len(self.readings):,} readings by {raters:,} readers are read from {where} beside the label table"


def readings_beside(listing: Listing, read: Sequence[str], record_of: Mapping[str, Sequence[str]]) -> Beside | None:
    """The readings of further tables; None where there are none.

    Args:
        read: tables that were read already.
        record_of: image, or name of a record where there are no images → its records, each of which was read.
    """
    names = sorted(record_of)
    panels: list[str] = []
    single: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    tables = [name for name in listing.inventory.tables if name not in read and table_format(name) not in ("json", "sheets")]
    for name in sorted(tables, key=lambda name: (name.count("/"), name))[:MAX_CANDIDATES]:
        try:
            frame = preview_table(listing.root / name, listing.limits).frame
        except DatasetError:
            continue  # `placement.unused` tells why a table cannot be read
        roles, share = _roles(frame, name, listing.root, names)
        if share < LEAST_NAMING or roles.boxes is not None or roles.points is not None:
            continue
        if roles.raters or _long(roles):
            panels.append(name)
        elif _of_one_reader(name, roles):
            single[name.rpartition("/")[0], tuple(map(str, frame.columns))].append(name)
    each = not panels
    chosen = panels or max((group for group in single.values() if len(group) > 1), key=len, default=[])
    parts: dict[str, pd.DataFrame] = {}
    try:
        for name in chosen:
            part = _readings_of(read_table(listing.root / name, listing.limits), name, listing.root, names)
            if not any(_asks_again(part, other) for other in parts.values()):
                parts[name] = part
    except DatasetError:
        return None  # half a panel is none
    if not parts:
        return None
    shared = [column for column in parts[chosen[0]].columns if all(column in part.columns for part in parts.values())]
    found = _by_record(pd.concat([part[shared] for part in parts.values()], ignore_index=True), record_of)
    return Beside(readings=found, tables=tuple(parts), each=each) if len(found) else None


def _asks_again(part: pd.DataFrame, other: pd.DataFrame) -> bool:
    """The same readers on the same records: of another question, or another day. It stays apart, and is told as not read."""
    pairs = [pd.MultiIndex.from_frame(frame[["record", "rater"]]) for frame in (part, other)]
    return bool(pairs[0].isin(pairs[1]).any())


def readings_named(listing: Listing, name: str, root: Path, record_of: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The readings of the table that `[dataset] readings` names.

    Args:
        root: what the paths of the images are relative to; the table lies in `listing`.
        record_of: as of `readings_beside`; readings of other images are left out.

    Raises:
        DatasetError: it is not there, cannot be read, or holds no readings.
    """
    if name not in listing.files:
        raise DatasetError(f"{listing.target}: [dataset] readings names {name!r}, which is not there")
    table = read_table(listing.root / name, listing.limits)
    roles, _ = _roles(table.frame, name, root, sorted(record_of))
    if "path" not in roles.columns or not (roles.raters or _long(roles)):
        raise DatasetError(
            f"{listing.target}: [dataset] readings names {name!r}, which has no columns of an image, a reader and an answer"
        )
    return _by_record(_readings_of(table, name, root, sorted(record_of)), record_of)


def _by_record(readings: pd.DataFrame, record_of: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """A row for each record of the image that was read."""
    of = pd.Series([list(record_of[str(name)]) for name in readings["record"]], index=readings.index, dtype=object)
    return readings.assign(record=of).explode("record", ignore_index=True).astype("str")


def _roles(frame: pd.DataFrame, name: str, root: Path, names: Sequence[str]) -> tuple[Roles, float]:
    """The roles of its columns, and how much of the column that is the key names records."""
    shares = shares_of(frame, root, names)
    if not shares:
        there = set(names)
        for column in map(str, frame.columns):
            cells = [str(cell) for cell in frame[column].cat.categories if cell][:PROBE]
            if cells and (found := sum(cell in there for cell in cells)):
                shares[column] = found / len(cells)
    best = max(shares, key=lambda column: shares[column], default="")
    pins = {"path": best} if best and shares[best] >= LEAST_NAMING else {}
    if set(OURS) <= set(frame.columns):
        pins = {name: name for name in OURS}
    roles = find_roles(frame, pins=pins, where=name, resolving=shares)
    return roles, shares.get(roles.columns.get("path", ""), 0.0)


def _long(roles: Roles) -> bool:
    return "rater" in roles.columns and ("answer" in roles.columns or bool(roles.labels))


def _of_one_reader(name: str, roles: Roles) -> bool:
    """A table of labels that is called after a reader, or lies in a folder of readers."""
    return reader_of(name) is not None and len(roles.labels) == 1 and "rater" not in roles.columns


def _readings_of(table: LabelTable, name: str, root: Path, names: Sequence[str]) -> pd.DataFrame:
    """Record (as `names` calls it), rater and what was said, a row per reading."""
    roles, _ = _roles(table.frame, name, root, names)
    records = _records(table.frame[roles.columns["path"]], root, names)
    if roles.raters:
        found = wide_readings(table.frame, roles.raters, list(records))
        return found[found["record"] != ""].reset_index(drop=True)
    if "rater" in roles.columns:
        return long_readings(table.frame, roles, records)
    # a table of one reader is the column of one reader
    reader = reader_of(name) or name
    found = wide_readings(table.frame.rename(columns={roles.labels[0]: reader}), [reader], list(records))
    return found[found["record"] != ""].reset_index(drop=True)


def _records(column: pd.Series, root: Path, names: Sequence[str]) -> Objects:
    """What each cell names, empty where that is no record."""
    cells = [str(cell) for cell in column.cat.categories]
    there = set(names)
    resolved = resolve_names(root, cells, names, numbers=True).files
    found = [file or (cell if cell in there else "") for cell, file in zip(cells, resolved, strict=True)]
    codes = column.cat.codes.to_numpy()
    return np.where(codes >= 0, np.array([*found, ""], dtype=object)[codes], "")
