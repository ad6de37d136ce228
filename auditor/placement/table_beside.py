"""A label table beside images whose layout other files tell (COCO, LabelMe, VIA, CVAT, YOLO): patients, splits and labels.

It is joined by the column that names the files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.labels import text_of
from auditor.placement.listing import Listing, Options
from auditor.placement.resolve import resolve_names
from auditor.placement.table_choice import rank_tables
from auditor.tables.columns import describe_columns
from auditor.tables.label_columns import labels_of
from auditor.tables.label_table import add_blank_row
from auditor.tables.roles import find_roles
from auditor.tables.tables import read_table
from auditor.values.dataset import Problem
from auditor.values.fields import Field
from auditor.values.labels import Labels
from auditor.values.results import Guess

ROLES = ("split", "patient", "lesion", "study", "series", "site", "fold", "time")
LEAST = 0.5
"""A table that names fewer of the images is told as unused."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What such a table says of the images; nothing where there is none.

    Args:
        columns: of `records`, by role; `line` of the table.
        labels: None where it has no column of labels.
    """

    columns: Mapping[str, Sequence[object] | pd.Series] = field(default_factory=dict)
    labels: Labels | None = None
    metadata: Mapping[str, pd.Series] = field(default_factory=dict)
    fields: Mapping[str, Field] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def table_beside(listing: Listing, options: Options, ids: Sequence[str], taken: Collection[str] = ()) -> Beside:
    """The first table, best first, that has one row for each of most images.

    Args:
        taken: files that are no label tables though they look like one.
    """
    for candidate in rank_tables(listing, ids):
        if candidate.name in taken or candidate.name not in listing.inventory.tables:
            continue
        table = read_table(listing.root / candidate.name, listing.limits)
        for name in candidate.naming[:1]:
            rows = _rows_of(listing, table.frame[name], ids)
            if rows is None:
                continue
            frame = add_blank_row(table.frame)
            roles = find_roles(
                frame, pins=options.roles, where=table.path.name, resolving={name: 1.0}, separator=options.separator,
                task=options.task, level=options.level,
            )  # fmt: skip
            if roles.boxes is not None or roles.raters or "rater" in roles.columns:
                continue
            matched = int((rows < len(table.frame)).sum())
            columns = {role: pd.Series(text_of(frame[roles.columns[role]])[rows]) for role in ROLES if role in roles.columns}
            index = pd.Index(list(ids), name="record", dtype="str")
            used = roles.used | {name}
            metadata = describe_columns(frame, [str(other) for other in frame.columns if other not in used], rows)
            why = f"{matched:,} of {len(ids):,} images are in {candidate.name}, by column {name!r}"
            missing = [f"{len(ids) - matched:,} images are not in the table {candidate.name}"] if matched < len(ids) else []
            return Beside(
                columns=columns | {"line": pd.Series(np.append(table.lines, 0)[rows])},
                labels=labels_of(roles, frame.iloc[rows], index, level=roles.level) if roles.labels else None,
                metadata=metadata.columns, fields=metadata.fields, tables=(candidate.name,),
                counts={
                    "rows": table.rows, "rows_used": len(table.frame), "rows_malformed": table.rows - len(table.frame),
                },
                guesses=(
                    *(guess for guess in roles.guesses if guess.role in columns or guess.role == "label"),
                    Guess(role="table", value=table.path.name, confidence=0.9, why=why),
                ),
                notes=(*table.notes, *roles.notes, *missing), problems=tuple(table.problems),
            )  # fmt: skip
    return Beside()


def _rows_of(listing: Listing, column: pd.Series, ids: Sequence[str]) -> npt.NDArray[np.int64] | None:
    """The row of each image, one behind the last where it has none; None where images have several, or most have none."""
    resolved = resolve_names(listing.root, [str(value) for value in column.cat.categories], ids)
    codes = column.cat.codes.to_numpy()
    files = np.array([file or "" for file in resolved.files] + [""], dtype=object)[codes]
    named = pd.Series(files)[files != ""]
    if named.duplicated().any() or len(named) < LEAST * len(ids):
        return None
    row_of = dict(zip(named, named.index, strict=True))
    return np.array([row_of.get(path, len(column)) for path in ids], np.int64)
