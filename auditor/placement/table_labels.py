"""The released labels of a label table: of its columns, of the folders that its images lie in, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.labels import single
from auditor.placement.listing import Options
from auditor.placement.records import no_labels
from auditor.placement.tree import pinned_levels, read_folders
from auditor.tables.label_columns import gather_findings, labels_of
from auditor.tables.label_roles import coordinates
from auditor.tables.label_table import categorical
from auditor.tables.roles import Roles
from auditor.values.labels import Labels
from auditor.values.results import Guess

Told = tuple[Labels, list[Guess], list[str]]
"""Labels, which folders they were guessed from, and what there is to say of them."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A label table whose rows are known to be of records.

    Args:
        rows: the first row of each record.
        row_record: the record of every row, int or text, shape (rows of the table,).
        paths: the image of each record; empty where it has none.
        grouped: several rows are one record.
    """

    frame: pd.DataFrame
    roles: Roles
    rows: npt.NDArray[np.int64]
    row_record: npt.NDArray[np.object_]
    paths: Sequence[str]
    grouped: bool


def released_labels(table: Table, index: pd.Index, options: Options) -> Told:
    """The label of each record as it was released; of a panel of readers alone there is none, unless folders hold it."""
    level = pinned_levels(options.roles).get("label")
    if level is not None:
        labels, guesses = _of_folders(table, index, level)
        return _of_origin(labels, options), guesses, []
    labels, notes = _of_columns(table, index)
    panel = "rater" in table.roles.columns or bool(table.roles.raters)
    if labels.task == "none" and panel and (found := _released_in_folders(table, index)) is not None:
        return _of_origin(found[0], options), found[1], []
    return _of_origin(labels, options), [], notes


def says_one(column: pd.Series, row_record: npt.NDArray[np.object_]) -> bool:
    """The column says the same in all rows of a record."""
    pairs = pd.DataFrame({"record": row_record, "value": column.cat.codes.to_numpy()}).drop_duplicates()
    return not bool(pairs["record"].duplicated().any())


def _of_columns(table: Table, index: pd.Index) -> tuple[Labels, list[str]]:
    roles, frame = table.roles, table.frame
    panel = "rater" in roles.columns or bool(roles.raters)
    if not roles.labels or ("rater" in roles.columns and len(roles.labels) > 1):
        alone = ["no column with a released label: the readings are compared with one another alone"] if panel else []
        return no_labels(list(index)), alone
    name = roles.labels[0]
    if table.grouped and len(roles.labels) == 1 and not says_one(frame[name], table.row_record):
        placed = bool(coordinates(list(frame.columns)))
        if roles.boxes is not None or "rater" in roles.columns or placed:
            what = "box" if roles.boxes is not None else "reading" if "rater" in roles.columns else "place in the image"
            said = f"{name!r} differs within an image: it labels the {what}, the image has no label of its own"
            return no_labels(list(index)), [said]
        return gather_findings(frame[name], table.row_record, index, level=roles.level, origin=name), []
    return labels_of(roles, frame.iloc[table.rows], index, level=roles.level), []


def _released_in_folders(table: Table, index: pd.Index) -> tuple[Labels, list[Guess]] | None:
    """Folders that are called as the answers of the readers are hold what was released of them."""
    roles = table.roles
    answers = roles.raters or ((roles.columns["answer"],) if "answer" in roles.columns else roles.labels)
    said = {str(word).strip().casefold() for name in answers for word in table.frame[name].cat.categories} - {""}
    classes = {value.casefold() for value in read_folders(table.paths, {}).label or () if value}
    return _of_folders(table, index, None) if classes and 2 * len(classes & said) >= len(classes) else None


def _of_folders(table: Table, index: pd.Index, level: int | None) -> tuple[Labels, list[Guess]]:
    folders = read_folders(table.paths, {} if level is None else {"label": level})
    labels = single(categorical(v or "" for v in folders.label or ()), index, level="image", origin="class folder")
    return labels, [guess for guess in folders.guesses if guess.role == "label"]


def _of_origin(labels: Labels, options: Options) -> Labels:
    """The labels under the name of what they were read from before this table was made of them."""
    return replace(labels, origin=options.origin) if labels.task != "none" and options.origin else labels
