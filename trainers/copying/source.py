"""The label table that a correction goes into: the user's own, or one that is made where labels lie in folders or arrays."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.layout import Listing, Options, list_files
from auditor.naming.headers import CASE_FILE, MERGED_SPLIT
from auditor.naming.labels import text_of
from auditor.tables.tables import read_table, table_format
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError
from auditor.values.label_rows import LabelRows
from auditor.values.labels import State

Texts = npt.NDArray[np.object_]
MADE = "labels.csv"
"""The table that is made where the user has none."""
_MADE_ROLES = ("split", "patient", "lesion", "study", "series", "site", "fold", "time", "mask")
_STATE_CELLS = {State.POSITIVE: "1", State.NEGATIVE: "0", State.UNCERTAIN: "-1", State.NOT_MENTIONED: "-2"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of the table: its name, its bytes, and the lines of its rows (0 where the form has none)."""

    name: str
    content: bytes
    lines: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The table, by row and column, and which rows are which record.

    Args:
        form: `table` (the user's own), `made` (class folders, DICOM trees, ...) or `npz`.
        parts: its files; the rows of the first come first.
        cells: column → text of every row.
        roles: role → column.
        labels: label columns.
        style: how they are read: single, joined, columns, ordinal, continuous or none.
        separator: between the labels of one cell.
        rows: rows of each record, aligned with the records.
        corrected: columns that stand corrected from an earlier time → the column that holds those values.
        virtual: columns of `cells` that are in no file: the split that a table's name says, ids that file names say.
        findings: one finding per row, several rows per record.
        channels: of records that are several files: channel → the column that names its file, the first that of the images.
    """

    form: Literal["table", "made", "npz"]
    parts: tuple[Part, ...]
    cells: dict[str, Texts]
    roles: Mapping[str, str]
    labels: tuple[str, ...]
    style: str
    separator: str
    rows: tuple[npt.NDArray[np.int64], ...]
    corrected: Mapping[str, str] = field(default_factory=dict)
    virtual: frozenset[str] = frozenset()
    findings: bool = False
    channels: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of rows."""
        return sum(len(part.lines) for part in self.parts)


def open_source(dataset: Dataset, target: Path, options: Options) -> Source:
    """The table of a dataset as it was scanned: a correction goes by what was looked at, whatever became of the file since.

    Args:
        dataset: as scanned, with its rows.
        target: what was scanned.
        options: as of the scan.

    Raises:
        DatasetError: the table cannot be read any more, or has other records than it had.
    """
    if dataset.summary.layout != "table":
        return made(dataset, joined_columns(dataset, list_files(target, options.limits)))
    table = dataset.rows
    if table is None:
        raise DatasetError(f"{dataset.summary.name}: the label table has gone since it was scanned; scan it again")
    cells = {str(name): text_of(table.frame[name]) for name in table.frame.columns}
    # A row may be a case, of which one image is corrected, and names would mean nothing elsewhere; workbooks are not written.
    headless = all(re.fullmatch(r"column \d+", name) for name in cells if name != MERGED_SPLIT)
    if CASE_FILE in cells or headless or any(table_format(file.name) == "sheets" for file in table.files):
        return made(dataset, _per_record(dataset, table, cells))
    elsewhere = not table.labels and dataset.labels.task != "none"  # in class folders or file names, beside a table of readings
    if elsewhere or set(table.labels) & table.joined:  # or in another table than the records
        return made(dataset, _per_record(dataset, table, cells))
    virtual = frozenset({MERGED_SPLIT, *table.joined} & set(cells))
    rows, grouped = rows_of(dataset, cells, table.roles, table.lines)
    return Source(
        form="table",
        parts=parts_of(table),
        cells=cells,
        roles=dict(table.roles),
        labels=table.labels,
        style=table.style,
        separator=table.separator,
        rows=rows,
        corrected=dict(options.corrected),
        virtual=virtual,
        findings=grouped and not _same_in_record(cells, table.labels, rows),
    )


def check_form(dataset: Dataset) -> None:
    """Told before an hour of training, not after.

    Raises:
        ConfigError: the form of the dataset has no corrected copy.
    """
    if in_arrays(dataset) and dataset.summary.layout != "medmnist":
        raise ConfigError(
            f"{dataset.summary.name}: images and labels lie in arrays of a form ({dataset.summary.layout}) that is read "
            "and not written: write the arrays as .npz, or the images as files with a table, and fix that"
        )


def in_arrays(dataset: Dataset) -> bool:
    """Records are images inside files of many."""
    return bool(dataset.records["item"].fillna("").ne("").any())


def parts_of(table: LabelRows) -> tuple[Part, ...]:
    """The files of the table, each with the lines of its rows."""
    starts = np.cumsum([file.rows for file in table.files])[:-1]
    lines = np.split(table.lines, starts)
    return tuple(Part(name=file.name, content=file.content, lines=own) for file, own in zip(table.files, lines, strict=True))


def rows_of(
    dataset: Dataset, cells: Mapping[str, Texts], roles: Mapping[str, str], lines: npt.NDArray[np.int64]
) -> tuple[tuple[npt.NDArray[np.int64], ...], bool]:
    """Rows of each record, and whether a record has several.

    Raises:
        DatasetError: the table has other records than it had.
    """
    if len(lines) == dataset.size:
        return tuple(np.array([row], np.int64) for row in range(len(lines))), False
    name = roles.get("path") or roles.get("item")
    codes = pd.factorize(cells[name])[0] if name is not None else np.arange(len(lines))
    if int(codes.max(initial=-1)) + 1 != dataset.size:
        raise DatasetError(f"{dataset.summary.name}: the label table has other records than when it was scanned; scan it again")
    order = np.argsort(codes, kind="stable")
    return tuple(np.split(order.astype(np.int64), np.flatnonzero(np.diff(codes[order])) + 1)), True


def _per_record(dataset: Dataset, table: LabelRows, cells: Mapping[str, Texts]) -> dict[str, Texts]:
    """The columns without a role, a cell per record: of several rows of one, those columns that say the same in all."""
    rows, _ = rows_of(dataset, cells, table.roles, table.lines)
    first = np.array([of[0] for of in rows], np.int64)
    free = {name: values for name, values in cells.items() if name not in {CASE_FILE, *table.roles.values(), *table.labels}}
    return {name: values[first] for name, values in free.items() if _same_in_record(cells, (name,), rows)}


def _same_in_record(cells: Mapping[str, Texts], labels: tuple[str, ...], rows: tuple[npt.NDArray[np.int64], ...]) -> bool:
    return all(len(set(cells[name][of])) == 1 for name in labels for of in rows)


def joined_columns(dataset: Dataset, listing: Listing) -> dict[str, Texts]:
    """Columns of the table that a tree of DICOM files was joined with: those that became metadata, a cell per record."""
    guess, lines = dataset.guess("table"), dataset.records["line"].to_numpy(np.int64)
    names = [name for name in listing.inventory.tables if guess is not None and name.rpartition("/")[2] == guess.value]
    if len(names) != 1 or not (lines > 0).any():
        return {}
    table = read_table(listing.root / names[0], listing.limits)
    rows = pd.Index(table.lines).get_indexer(pd.Index(lines))
    fields = [str(name) for name in dataset.metadata.columns]
    found: dict[str, Texts] = {}
    for column in map(str, table.frame.columns):
        name = f"table.{column}"
        if any(field == name or field.startswith(f"{name}.") for field in fields):
            found[column] = np.where(rows >= 0, text_of(table.frame[column])[rows], "").astype(object)
    return found


def made(dataset: Dataset, more: Mapping[str, Texts]) -> Source:
    """A table of a dataset that has none: path, label and what else is known, one row per record, in their order.

    Args:
        more: further columns.
    """
    records, labels = dataset.records, dataset.labels
    columns: dict[str, Texts] = {}
    arrays = in_arrays(dataset)
    if arrays:
        columns["record"] = records.index.to_numpy(dtype=object)
    columns["path"] = _texts(records["path"])
    roles = {"path": "path"}
    if arrays:
        columns["item"] = _texts(records["item"])
    named: tuple[str, ...] = ()
    style = "none"
    if labels.task == "multi" and labels.states is not None:
        for name in labels.classes:
            state = labels.states[name].to_numpy()
            columns[name] = np.array([_STATE_CELLS.get(State(int(s)), "") for s in state], dtype=object)
        named, style = labels.classes, "columns"
    elif labels.task != "none":
        columns["label"] = _texts(labels.values)
        named, style = ("label",), labels.task
    for role in _MADE_ROLES:
        if role in records.columns and records[role].notna().any() and role not in columns:
            columns[role] = _texts(records[role])
            roles[role] = role
    channels = channel_columns(dataset, columns)
    columns |= {name: values for name, values in more.items() if name not in columns}
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(list(columns))
    writer.writerows(zip(*columns.values(), strict=True))
    content = stream.getvalue().encode()
    # A cell with a line break takes two lines of the file.
    breaks = sum(np.array([str(v).count("\n") for v in column], np.int64) for column in columns.values())
    lines = 2 + np.arange(dataset.size, dtype=np.int64) + np.concatenate([[0], np.cumsum(breaks)[:-1]]).astype(np.int64)
    return Source(
        form="npz" if arrays else "made",
        parts=(Part(name=MADE, content=content, lines=lines[: dataset.size]),),
        cells=columns,
        roles=roles,
        labels=named,
        style=style,
        separator="|",
        rows=tuple(np.array([row], np.int64) for row in range(dataset.size)),
        channels=channels,
    )


def channel_columns(dataset: Dataset, columns: dict[str, Texts]) -> dict[str, str]:
    """Channel → its column, which is added to the others; the first channel is the path of the record itself."""
    if dataset.channels.empty:
        return {}
    names = list(dict.fromkeys(map(str, dataset.channels["name"])))
    found = {names[0]: "path"}
    for name in names[1:]:
        column = f"channel {name}"
        while column in columns:
            column += "_"
        own = dataset.channels[dataset.channels["name"] == name].set_index("record")["path"]
        columns[column] = _texts(own.reindex(dataset.records.index))
        found[name] = column
    return found


def _texts(column: pd.Series) -> Texts:
    """A column as text; what is missing is blank."""
    return np.where(column.isna(), "", column.astype(object)).astype(object)
