"""A tree of DICOM files (patient, study, series folders, or any other), with or without a label table to join.

Segmentations and structure sets are no records: what they draw are objects with outlines on the images that they name, under
the names of segments and regions. Structured reports are annotations that are told as unread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.layout import Detection, Listing, Options
from auditor.naming.labels import text_of
from auditor.placement.claims import claim
from auditor.placement.dicom_drawn import drawn_on
from auditor.placement.folder_doubts import UNTOLD_WORDS
from auditor.placement.header_join import Join, by_header, joined, says_two
from auditor.placement.masks import find_masks
from auditor.placement.records import Draft, build, no_labels
from auditor.placement.resolve import resolve_names
from auditor.placement.table_choice import rank_tables
from auditor.placement.tree import FolderRoles, read_folders
from auditor.reading.jobs import Job, in_order
from auditor.tables.columns import describe_columns
from auditor.tables.label_columns import labels_of
from auditor.tables.label_table import LabelTable, add_blank_row
from auditor.tables.roles import Roles, find_roles
from auditor.tables.tables import read_table
from auditor.values.dataset import Dataset
from auditor.values.errors import UnreadableFile
from auditor.values.labels import Labels
from auditor.values.results import Guess

READS = frozenset(("labels", "splits", "patients", "masks", "boxes", "outlines"))

PROBED = 40
LISTED = 0.5
"""Files whose headers are read to see whether a table calls them, and how many of them it must."""
WHOLE = 0.95
"""A table that knows this share of the files says patient, study, series and time; else the headers do."""


def detect(listing: Listing, options: Options) -> Detection | None:
    """At least half of the images are DICOM, and no folder level is one of classes."""
    inventory = listing.inventory
    count = len(inventory.dicom)
    if not count or count < len(inventory.images) / 2 or listing.is_file:
        return None
    roles = read_folders(inventory.images)
    if roles.label is not None and _is_listed(listing, roles, options):
        return Detection(layout="dicom_tree", confidence=0.82, why=f"{count:,} DICOM files, called in a table by their headers")
    if roles.label is not None:
        return Detection(layout="dicom_tree", confidence=0.5, why=f"{count:,} DICOM files, but the folders could be classes")
    return Detection(layout="dicom_tree", confidence=0.72, why=f"{count:,} DICOM files; no folder level is one of classes")


def _is_listed(listing: Listing, folders: FolderRoles, options: Options) -> bool:
    """A table with labels calls the files by what their headers say, where no clinical word stands in the folders: wards and
    days are no classes. Some of the headers are read."""
    sure = max((guess.confidence for guess in folders.guesses if guess.role == "label"), default=1.0)
    if sure > UNTOLD_WORDS or not listing.inventory.tables:
        return False
    paths = sorted(listing.inventory.dicom)
    some = paths[:: max(1, len(paths) // PROBED)][:PROBED]
    headers: Mapping[str, list[str | None]] | None = None
    for candidate in rank_tables(listing, listing.inventory.images):
        if candidate.useful and not candidate.naming:
            headers = headers or _headers(listing, some, options)
            found = by_header(read_table(listing.root / candidate.name, listing.limits), headers)
            if found is not None and found.matched >= LISTED * len(some):
                return True
    return False


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image file; patient, study and series come from the headers later, when no table says them."""
    inventory = listing.inventory
    masks = find_masks(inventory.images)
    drawings = inventory.drawings
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
        if join.level != "image" and roles.labels and (twice := says_two(frame, join, roles.labels)).any():
            join = replace(
                join, rows=np.where(twice, len(join.table.frame), join.rows), matched=int(join.matched - twice.sum())
            )
            notes.append(
                f"{int(twice.sum()):,} files stand under an id that several rows of {join.table.path.name} label differently: "
                "unlabelled; a column of accession numbers, UIDs or file names would tell which is which"
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


def _table_columns(roles: Roles, frame: pd.DataFrame, join: Join) -> dict[str, Sequence[object] | pd.Series]:
    lines = np.append(join.table.lines, 0)[join.rows]
    columns: dict[str, Sequence[object] | pd.Series] = {"line": pd.Series(lines)}
    # Ids of half of the files would keep those of all headers out.
    whole = join.matched >= WHOLE * len(join.rows)
    for role in ("split", "patient", "lesion", "study", "series", "site", "fold", "time"):
        if role in roles.columns and (whole or role not in ("patient", "study", "series", "time")):
            columns[role] = pd.Series(text_of(frame[roles.columns[role]])[join.rows])
    return columns


def _labels(roles: Roles, frame: pd.DataFrame, join: Join, index: pd.Index) -> Labels:
    if not roles.labels:
        return no_labels(list(index))
    level = join.level if roles.level == "image" else roles.level
    return labels_of(roles, frame.iloc[join.rows], index, level=level)


def _join(listing: Listing, ids: Sequence[str], options: Options) -> Join | None:
    """The first table, best first, that names files or UIDs of the tree."""
    headers: Mapping[str, list[str | None]] | None = None
    for candidate in rank_tables(listing, ids):
        table = read_table(listing.root / candidate.name, listing.limits)
        best: Join | None = None
        for name in candidate.naming:
            best = _closer(best, _by_file(listing, table, name, ids))
        if best is None:
            headers = headers or _headers(listing, ids, options)
            best = by_header(table, headers)
        if best is not None:
            return best
    return None


def _read(listing: Listing, join: Join | None) -> list[str]:
    """The table that was joined, as it is listed."""
    return [] if join is None else [join.table.path.relative_to(listing.root).as_posix()]


def _closer(one: Join | None, other: Join | None) -> Join | None:
    return other if one is None or (other is not None and other.matched > one.matched) else one


def _first_rows(column: pd.Series) -> npt.NDArray[np.int64]:
    """First row of each category of a categorical column; −1 where it has none."""
    codes = column.cat.codes.to_numpy()
    first = np.full(len(column.cat.categories), -1, np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first


def _by_file(listing: Listing, table: LabelTable, name: str, ids: Sequence[str]) -> Join | None:
    column = table.frame[name]
    resolved = resolve_names(listing.root, [str(value) for value in column.cat.categories], ids)
    first = _first_rows(column)
    row_of = {file: int(first[i]) for i, file in enumerate(resolved.files) if file is not None and first[i] >= 0}
    return joined(table, name, [row_of.get(path) for path in ids], "image")


def _headers(listing: Listing, ids: Sequence[str], options: Options) -> dict[str, list[str | None]]:
    """UIDs and patient ids of all files, read in the bounded workers; what cannot be read has none here and becomes a finding
    in the extract pass."""
    found: dict[str, list[str | None]] = {role: [] for role in ("instance", "series", "study", "accession", "patient")}
    jobs = [Job(function="auditor.format:header_roles", arguments=(listing.root / path,)) for path in ids]
    for answer in in_order(jobs, options.limits, workers=options.workers, chunk=64):
        roles: Mapping[str, str] = {} if isinstance(answer.raised, UnreadableFile) else answer.value
        for role, values in found.items():
            value = roles.get(role)
            values.append(value.rpartition("|")[2] if value is not None else None)
    return found
