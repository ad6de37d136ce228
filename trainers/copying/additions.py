"""Records that strategies made, as a copy holds them: pictures beside those they were made from, rows in a table of their own.

They teach and never evaluate: what was made from a record of an evaluation split, or from one that leaves, stays away. The rows
are those of their sources, marked in the column `synthetic`; additions.csv says who made what from what.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pandas as pd

from auditor.evidence.kin.groups import SYNTHETIC, declared_splits, is_training, partition
from auditor.naming.headers import MERGED_SPLIT
from auditor.values.corrections import Correction
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.labels import State
from trainers.copying.cells import Cells, Refused
from trainers.copying.source import Source
from trainers.values.view import View

_WORDS = {State.POSITIVE: "1", State.NEGATIVE: "0", State.UNCERTAIN: "-1", State.NOT_MENTIONED: "-2"}


@dataclass(frozen=True, kw_only=True)
class Addition:
    """A record that a strategy made.

    Args:
        record: its id in the view.
        source: record of the dataset that it was made from.
        strategy: which one made it.
        file, mask: its picture and, where there is one, its mask, in a private folder.
        corrections: of the source's labels to its own; none where it has the same.
        path: where its picture lies in the copy; empty where it is left out.
        note: why it is left out.
    """

    record: str
    source: str
    strategy: str
    file: Path
    mask: Path | None = None
    corrections: tuple[Correction, ...] = ()
    path: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Added:
    """What a copy holds of them: every addition, placed or not, the files by their places, and the rows of the placed ones."""

    entries: tuple[Addition, ...] = ()
    files: Mapping[str, Path]
    rows: tuple[Mapping[str, str], ...] = ()

    @property
    def count(self) -> int:
        """How many the copy holds."""
        return len(self.rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """Why others stay away, for a reader."""
        reasons: dict[str, int] = {}
        for entry in self.entries:
            if entry.note:
                reasons[entry.note] = reasons.get(entry.note, 0) + 1
        return tuple(f"{number:,} made pictures stay away: {reason}" for reason, number in reasons.items())


def additions_of(view: View, strategy: str, *, known: Collection[str] = ()) -> tuple[Addition, ...]:
    """What a view adds, beyond the records that are known already; one without a file or a source cannot be written.

    Raises:
        ConfigError: a record was made from nothing that the dataset has, or has no file.
    """
    if view.added is None:
        return ()
    found = []
    for row, record in enumerate(map(str, view.added.records.index)):
        if record in known:
            continue
        source, path = view.sources.get(record, ""), view.added.records["path"].iloc[row]
        if source not in view.dataset.records.index or not isinstance(path, str):
            raise ConfigError(f"strategy {strategy}: what it adds has no file, or was made from no record of the dataset")
        mask = view.added.records["mask"].iloc[row] if "mask" in view.added.records.columns else None
        found.append(
            Addition(
                record=record,
                source=source,
                strategy=strategy,
                file=view.added.root / path,
                mask=view.added.root / mask if isinstance(mask, str) and mask else None,
                corrections=_differences(view, row, source, strategy),
            )
        )
    return tuple(found)


def placed(additions: Sequence[Addition], dataset: Dataset, cells: Cells, gone: Collection[str]) -> Added:
    """Where the additions lie in the copy, and what their rows say.

    Args:
        cells: the table as the applied corrections leave it.
        gone: records that leave.

    Raises:
        ConfigError: the form of the dataset cannot hold further records.
    """
    source = cells.source
    if not additions:
        return Added(files={})
    if source.form == "npz":
        raise ConfigError("pictures cannot be added to an npz; unpack it into a folder first")
    if "path" not in source.roles or any(len(rows) != 1 for rows in source.rows):
        raise ConfigError("pictures cannot be added to a table that has not one row per picture; give one that has")
    taken = {*dataset.records["path"].dropna().astype(str), *dataset.records["mask"].dropna().astype(str)}
    declared = declared_splits(dataset)
    splits = partition(dataset) if declared is None else declared
    entries: list[Addition] = []
    files: dict[str, Path] = {}
    rows: list[Mapping[str, str]] = []
    for addition in additions:
        position = cells.places[addition.source]
        split = None if splits is None else splits.iloc[position]
        note = "what they were made from leaves" if addition.source in gone else ""
        if isinstance(split, str) and split and not is_training(split):
            note = "they were made from records that evaluate"
        if not note:
            try:
                values = _row(addition, cells, position)
            except Refused as reason:
                note = f"the table cannot say their label ({reason})"
        if note:
            entries.append(replace(addition, note=note))
            continue
        path = _free(PurePosixPath(str(dataset.records["path"].iloc[position])), addition, addition.file, taken)
        values[source.roles["path"]] = path
        files[path] = addition.file
        if addition.mask is not None and "mask" in source.roles:
            values[source.roles["mask"]] = _free(PurePosixPath(path), addition, addition.mask, taken, end="-mask")
            files[values[source.roles["mask"]]] = addition.mask
        entries.append(replace(addition, path=path))
        rows.append(values)
    return Added(entries=tuple(entries), files=files, rows=tuple(rows))


def table_name(source: Source) -> str:
    """Of the table of additions: it says the split where the names of the user's tables do."""
    return f"{SYNTHETIC}-train.csv" if MERGED_SPLIT in source.virtual else f"{SYNTHETIC}.csv"


def columns_of_added(added: Added, source: Source) -> dict[str, list[str]]:
    """Column → text per row: the columns of the user's table, those that are in no file, and the mark."""
    names = dict.fromkeys([*source.cells, *(column for row in added.rows for column in row)])
    columns = {column: [row.get(column, "") for row in added.rows] for column in names}
    return {**columns, SYNTHETIC: ["yes"] * added.count}


def table_of_added(columns: Mapping[str, Sequence[str]], virtual: Collection[str], names: Mapping[str, str]) -> bytes:
    """The rows as CSV, with the columns that the copy's own table has.

    Args:
        columns: from `columns_of_added`.
        virtual: columns that are in no file.
        names: column → name of the column that holds its corrected values, of those that the copy has.
    """
    found = {column: values for column, values in columns.items() if column not in virtual and column not in names.values()}
    found |= {name: columns[column] for column, name in names.items()}
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(list(found))
    writer.writerows(zip(*found.values(), strict=True))
    return stream.getvalue().encode()


def _row(addition: Addition, cells: Cells, position: int) -> dict[str, str]:
    """The row of the source as the copy has it, with the label of the addition, in the training part."""
    row = int(cells.source.rows[position][0])
    values = {column: cells.text(column, row) for column in cells.columns}
    for correction in addition.corrections:
        values |= {column: new for _, column, _, new in cells.edits(correction)}
    split = cells.source.roles.get("split")
    if split is not None:
        values[split] = cells.vocabulary(split).get("train", "train")
    return values


def _free(beside: PurePosixPath, addition: Addition, file: Path, taken: set[str], *, end: str = "") -> str:
    """A name beside the source's, so that folders and beginnings of names say of both the same."""
    stem = beside.name.removesuffix("".join(beside.suffixes[-2:]) if beside.suffix == ".gz" else beside.suffix)
    suffix = "".join(file.suffixes[-2:]) if file.suffix == ".gz" else file.suffix
    number = 0
    while True:
        name = f"{stem}-{SYNTHETIC}-{addition.strategy}-{number}{end}{suffix}" if not end else f"{stem}{end}{suffix}"
        path = str(beside.with_name(name))
        if path not in taken:
            taken.add(path)
            return path
        number += 1
        end = end and f"{end}{number}"


def _differences(view: View, row: int, source: str, strategy: str) -> tuple[Correction, ...]:
    """Corrections that lead from the labels of the source to those of the addition."""
    assert view.added is not None
    ours, theirs = view.dataset.labels, view.added.labels
    position = int(view.dataset.records.index.get_indexer(pd.Index([source]))[0])
    if ours.task == "none":
        return ()
    if ours.task == "multi" and ours.states is not None and theirs.states is not None:
        states = {name: (ours.states[name].to_numpy()[position], theirs.states[name].to_numpy()[row])
                  for name in ours.classes if name in theirs.states}  # fmt: skip
        both = [(f"label.{name}", State(int(old)), State(int(new))) for name, (old, new) in states.items()]
        changed = [(field, _WORDS.get(old, ""), _WORDS.get(new, "")) for field, old, new in both if old is not new]
    else:
        old, new = (_text(labels.values.iloc[at]) for labels, at in ((ours, position), (theirs, row)))
        changed = [("label", old, new)] if old != new else []
    return tuple(
        Correction(record=source, field=field, old=old, new=new, code="", strategy=strategy, reason="", safe=True)
        for field, old, new in changed
    )


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)
