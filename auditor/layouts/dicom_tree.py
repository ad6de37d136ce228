"""A tree of DICOM files (patient, study, series folders, or any other), with or without a label table to join.

Segmentations and structure sets are no records: what they draw are objects with outlines on the images that they name, under
the names of segments and regions. Structured reports are told as unread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.layout import Detection, Listing, Options
from auditor.naming.headers import plain
from auditor.naming.labels import text_of
from auditor.placement.claims import claim
from auditor.placement.dicom_documents import drawings_among
from auditor.placement.dicom_drawn import drawn_on
from auditor.placement.masks import find_masks
from auditor.placement.records import Draft, build, no_labels
from auditor.placement.resolve import resolve_names
from auditor.placement.table_choice import rank_tables
from auditor.placement.tree import read_folders
from auditor.reading.jobs import Job, in_order
from auditor.tables.columns import describe_columns
from auditor.tables.label_columns import labels_of
from auditor.tables.label_table import LabelTable, add_blank_row
from auditor.tables.roles import Roles, find_roles
from auditor.tables.tables import read_table
from auditor.values.dataset import Dataset
from auditor.values.errors import UnreadableFile
from auditor.values.labels import Labels, Level
from auditor.values.results import Guess

READS = frozenset(("labels", "splits", "patients", "masks", "boxes", "outlines"))

_KEYS: tuple[tuple[str, str, Level], ...] = (
    ("sopinstanceuid", "instance", "image"),
    ("instanceuid", "instance", "image"),
    ("seriesinstanceuid", "series", "series"),
    ("studyinstanceuid", "study", "study"),
    ("patientid", "patient", "patient"),
)
"""Column of a table → role of the DICOM header that it is compared with, and the level of its labels."""


WHOLE = 0.95
"""A table that knows this share of the files says patient, study, series and time; else the headers do."""


@dataclass(frozen=True, kw_only=True)
class _Join:
    """A table and the row of each file (one behind the last row: none)."""

    table: LabelTable
    rows: npt.NDArray[np.int64]
    column: str
    level: Level
    matched: int


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """At least half of the images are DICOM, and no folder level is one of classes."""
    inventory = listing.inventory
    count = len(inventory.dicom)
    if not count or count < len(inventory.images) / 2 or listing.is_file:
        return None
    roles = read_folders(inventory.images)
    if roles.label is not None:
        return Detection(layout="dicom_tree", confidence=0.5, why=f"{count:,} DICOM files, but the folders could be classes")
    return Detection(layout="dicom_tree", confidence=0.72, why=f"{count:,} DICOM files; no folder level is one of classes")


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image file; patient, study and series come from the headers later, when no table says them."""
    inventory = listing.inventory
    masks = find_masks(inventory.images)
    drawings = drawings_among(listing.root, sorted(inventory.dicom))
    if len(drawings) == len(inventory.images):
        drawings = {}  # without images they are what there is to look at
    ids = [path for path in inventory.images if path not in masks.files and path not in drawings]
    index = pd.Index(ids, name="record", dtype="str")
    folders = read_folders(ids)
    columns: dict[str, Sequence[object] | pd.Series] = {"path": ids}
    guesses: list[Guess] = []
    if folders.split is not None:
        columns["split"] = folders.split
        guesses += [guess for guess in folders.guesses if guess.role == "split"]
    if masks.of:
        columns["mask"] = [masks.of[path][0] if path in masks.of else None for path in ids]
        guesses.append(Guess(role="mask", value="file names", confidence=0.9, why=masks.why))
    labels = no_labels(ids)
    draft: dict[str, object] = {}
    notes: list[str] = []
    join = _join(listing, ids, options)
    if join is not None:
        frame = add_blank_row(join.table.frame)
        roles = find_roles(
            frame,
            pins=options.roles,
            where=join.table.path.name,
            resolving={join.column: 1.0} if join.level == "image" else {},
            separator=options.separator,
            task=options.task,
            level=options.level,
        )
        columns |= _table_columns(roles, frame, join)
        labels = _labels(roles, frame, join, index)
        used = roles.used | {join.column}
        metadata = describe_columns(frame, [str(name) for name in frame.columns if name not in used], join.rows)
        draft = {"metadata": metadata.columns, "fields": metadata.fields}
        guesses += [guess for guess in roles.guesses if guess.role in columns or guess.role == "label"]
        why = f"{join.matched:,} of {len(ids):,} files are in {join.table.path.name}, by column {join.column!r}"
        guesses.append(Guess(role="table", value=join.table.path.name, confidence=0.9, why=why))
        notes += [*join.table.notes, *roles.notes]
        if join.matched < len(ids):
            notes.append(f"{len(ids) - join.matched:,} files are not in the table {join.table.path.name}")
    elif inventory.tables:
        notes.append(f"{len(inventory.tables):,} tables name none of the files: not read")
    drawn = drawn_on(listing, options, drawings, ids)
    notes += drawn.notes
    if drawn.boxes is not None:
        guesses.append(Guess(role="box", value="DICOM segmentations and contours", confidence=0.95, why=drawn.notes[0]))
    counts: dict[str, int] = {}
    if join is not None:
        used_rows = len(join.table.frame)
        counts = {"rows": join.table.rows, "rows_used": used_rows, "rows_malformed": join.table.rows - used_rows}
    return build(
        Draft(
            root=listing.root,
            name=listing.target.name,
            claims=claim(listing, "dicom_tree", masks=masks.files, tables=_read(listing, join), annotations=[*drawings]),
            ids=ids,
            labels=labels,
            columns=columns,
            boxes=drawn.boxes,
            counts=counts,
            guesses=tuple(guesses),
            notes=tuple(notes),
            problems=(*listing.problems, *(join.table.problems if join is not None else ()), *drawn.problems),
            **draft,  # type: ignore[arg-type]  # metadata and fields, or nothing
        )
    )


def _table_columns(roles: Roles, frame: pd.DataFrame, join: _Join) -> dict[str, Sequence[object] | pd.Series]:
    lines = np.append(join.table.lines, 0)[join.rows]
    columns: dict[str, Sequence[object] | pd.Series] = {"line": pd.Series(lines)}
    # Ids of half of the files would keep those of all headers out.
    whole = join.matched >= WHOLE * len(join.rows)
    for role in ("split", "patient", "lesion", "study", "series", "site", "fold", "time"):
        if role in roles.columns and (whole or role not in ("patient", "study", "series", "time")):
            columns[role] = pd.Series(text_of(frame[roles.columns[role]])[join.rows])
    return columns


def _labels(roles: Roles, frame: pd.DataFrame, join: _Join, index: pd.Index) -> Labels:
    if not roles.labels:
        return no_labels(list(index))
    level = join.level if roles.level == "image" else roles.level
    return labels_of(roles, frame.iloc[join.rows], index, level=level)


def _join(listing: Listing, ids: Sequence[str], options: Options) -> _Join | None:
    """The first table, best first, that names files or UIDs of the tree."""
    headers: Mapping[str, list[str | None]] | None = None
    for candidate in rank_tables(listing, ids):
        table = read_table(listing.root / candidate.name, listing.limits)
        best: _Join | None = None
        for name in candidate.naming:
            best = _closer(best, _by_file(listing, table, name, ids))
        for column, role, level in _KEYS if best is None else ():
            named = next((str(c) for c in table.frame.columns if plain(str(c)) == column), None)
            if named is not None and best is None:
                headers = headers or _headers(listing, ids, options)
                best = _by_header(table, named, headers[role], level)
        if best is not None:
            return best
    return None


def _read(listing: Listing, join: _Join | None) -> list[str]:
    """The table that was joined, as it is listed."""
    return [] if join is None else [join.table.path.relative_to(listing.root).as_posix()]


def _closer(one: _Join | None, other: _Join | None) -> _Join | None:
    return other if one is None or (other is not None and other.matched > one.matched) else one


def _first_rows(column: pd.Series) -> npt.NDArray[np.int64]:
    """First row of each category of a categorical column; −1 where it has none."""
    codes = column.cat.codes.to_numpy()
    first = np.full(len(column.cat.categories), -1, np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first


def _by_file(listing: Listing, table: LabelTable, name: str, ids: Sequence[str]) -> _Join | None:
    column = table.frame[name]
    resolved = resolve_names(listing.root, [str(value) for value in column.cat.categories], ids)
    first = _first_rows(column)
    row_of = {file: int(first[i]) for i, file in enumerate(resolved.files) if file is not None and first[i] >= 0}
    return _joined(table, name, [row_of.get(path) for path in ids], "image")


def _by_header(table: LabelTable, name: str, values: Sequence[str | None], level: Level) -> _Join | None:
    column = table.frame[name]
    first = _first_rows(column)
    row_of = {str(value): int(first[i]) for i, value in enumerate(column.cat.categories) if value and first[i] >= 0}
    return _joined(table, name, [row_of.get(value or "") for value in values], level)


def _joined(table: LabelTable, name: str, rows: Sequence[int | None], level: Level) -> _Join | None:
    matched = sum(row is not None for row in rows)
    if not matched:
        return None
    none = len(table.frame)
    array = np.array([none if row is None else row for row in rows], dtype=np.int64)
    return _Join(table=table, rows=array, column=name, level=level, matched=matched)


def _headers(listing: Listing, ids: Sequence[str], options: Options) -> dict[str, list[str | None]]:
    """UIDs and patient ids of all files, read in the bounded workers; what cannot be read has none here and becomes a finding
    in the extract pass."""
    found: dict[str, list[str | None]] = {role: [] for role in ("instance", "series", "study", "patient")}
    jobs = [Job(function="auditor.format:header_roles", arguments=(listing.root / path,)) for path in ids]
    for answer in in_order(jobs, options.limits, workers=options.workers, chunk=64):
        roles: Mapping[str, str] = {} if isinstance(answer.raised, UnreadableFile) else answer.value
        for role, values in found.items():
            value = roles.get(role)
            values.append(value.rpartition("|")[2] if value is not None else None)
    return found
