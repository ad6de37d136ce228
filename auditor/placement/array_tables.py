"""A table beside a file of many images with a row for each, in their order: PCam's `…_train_meta.csv` beside `…_train_x.h5`.

Source: github.com/basveeling/pcam (`coord_x`, `coord_y`, `tumor_patch`, `center_tumor_patch`, `wsi`). No column names the
images, so the number of rows must be that of the images.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from auditor.naming.labels import text_of
from auditor.placement.listing import Listing, Options
from auditor.placement.table_beside import ROLES, Beside
from auditor.tables.columns import describe_columns
from auditor.tables.label_table import LabelTable, add_blank_row, merge_tables
from auditor.tables.roles import find_roles
from auditor.tables.tables import read_table
from auditor.values.dataset import Problem
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.results import Guess

_ENDING = re.compile(r"[ _-]?(meta|metadata|info|clinical|patients?|slides?)?$")
_IMAGES = re.compile(r"[ _-](images?|imgs?|x|data)$")
_SLIDE = re.compile(r"(wsi|slide)([ _-]?(id|name))?$")


def rows_beside(
    listing: Listing, options: Options, files: Sequence[tuple[str, int]], labels: Sequence[str | None] | None = None
) -> Beside:
    """What such tables say of the images.

    Args:
        files: each file of images and how many it holds, in the order of the records.
        labels: of all records; a column that says the same is not told again.
    """
    names = {file: name for file, _ in files if (name := _table_of(file, listing.inventory.tables))}
    found: dict[str, LabelTable] = {}
    problems: list[Problem] = []
    for file, count in files:
        if file in names:
            read, why = _read(listing, names[file], count, once=sum(other == file for other, _ in files) == 1)
            if read is None:
                problems.append(Problem(kind="unread", path=names[file], reason=why))
            else:
                found[file] = read
    if not found:
        return Beside(problems=tuple(problems))
    return replace(_told(options, files, found, labels), problems=tuple(problems), tables=tuple(names[file] for file in found))


def _table_of(file: str, tables: Sequence[str]) -> str | None:
    """The one table of the same folder that is called as the file is (`train_x.h5`: `train_meta.csv`, `train.csv`)."""
    folder, _, base = file.lower().rpartition("/")
    stem = _IMAGES.sub("", base.rpartition(".")[0])
    there = []
    for table in tables:
        where, _, name = table.lower().rpartition("/")
        own = name.partition(".")[0]
        if where == folder and own.startswith(stem) and _ENDING.match(own.removeprefix(stem)):
            there.append(table)
    return there[0] if len(there) == 1 else None


def _read(listing: Listing, name: str, count: int, *, once: bool) -> tuple[LabelTable | None, str]:
    """The table, or why its rows are not those of the images."""
    if not once:
        return None, "several arrays of the file beside it may be meant: not read"
    try:
        table = read_table(listing.root / name, listing.limits)
    except (DatasetError, UnreadableFile):
        return None, "it cannot be read"
    if table.rows != count or len(table.frame) != count:
        return None, f"{table.rows:,} rows for the {count:,} images of the file beside it: not read"
    return table, ""


def _told(
    options: Options, files: Sequence[tuple[str, int]], found: Mapping[str, LabelTable], labels: Sequence[str | None] | None
) -> Beside:
    table = merge_tables([(None, found[file]) for file in found], "")
    frame, rows = add_blank_row(table.frame), _rows(files, found)
    pins = {role: column for role, column in options.roles.items() if column in frame.columns and role in ROLES}
    slide = next((str(name) for name in frame.columns if _SLIDE.match(str(name).lower())), None)
    roles = find_roles(frame, pins=pins, where=table.path.name)
    given = {role: column for role, column in roles.columns.items() if role in ROLES}
    by_slide = slide is not None and "patient" not in given
    if by_slide:
        given["patient"] = str(slide)
    twins = {
        str(name)
        for name in frame.columns
        if labels is not None and _says_the_same(text_of(frame[name])[rows].tolist(), labels)
    }
    numbers = {str(n) for n in frame.columns if all(n in t.frame and _counts_rows(t.frame[n]) for t in found.values())}
    free = [str(name) for name in frame.columns if str(name) not in {*given.values(), *twins, *numbers}]
    metadata = describe_columns(frame, free, rows)
    guesses = [Guess(role=role, value=column, confidence=0.9, why="a column of the table that has one row per image")
               for role, column in given.items()]  # fmt: skip
    notes = [f"no patient is named: a slide ({slide!r}) stands for one, so that several slides of one person are not seen"]
    return Beside(
        columns={role: pd.Series(text_of(frame[column])[rows]) for role, column in given.items()},
        metadata=metadata.columns,
        fields=metadata.fields,
        counts={"rows": table.rows, "rows_used": len(table.frame), "rows_malformed": 0},
        guesses=tuple(guesses),
        notes=(*table.notes, *(notes if by_slide else ())),
    )


def _rows(files: Sequence[tuple[str, int]], found: Mapping[str, LabelTable]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The row of each image in the tables put together; the blank one behind the last where its file has none."""
    last = sum(len(table.frame) for table in found.values())
    start, parts = 0, []
    for file, count in files:
        parts.append(np.arange(start, start + count) if file in found else np.full(count, last))
        start += count if file in found else 0
    return np.concatenate(parts).astype(np.int64)


def _says_the_same(cells: Sequence[object], labels: Sequence[str | None]) -> bool:
    """Each value of the column goes with one label, and each label with one value."""
    pairs = {(str(cell), label) for cell, label in zip(cells, labels, strict=True)}
    return len(pairs) == len({cell for cell, _ in pairs}) == len({label for _, label in pairs}) > 1


def _counts_rows(column: pd.Series) -> bool:
    """The number of the row, as pandas writes it in front."""
    cells = list(map(str, column.astype(object)))
    return cells in ([str(i) for i in range(len(cells))], [str(i + 1) for i in range(len(cells))])
