"""Undo a corrected copy, or apply it again as its corrections.csv says; the user's own data are never touched by either.

After `undo` the table of the copy is the user's, byte for byte. `reapply` reads the column `applied` of corrections.csv
and removed.csv, where a person may have written yes or no, and makes the copy so. What a person changed by hand in a
corrected column since then stays, and the corrections of those cells are refused and counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from auditor.files import write_files
from auditor.naming.labels import text_of
from auditor.reading.jobs import run_job, told
from auditor.stored import inside
from auditor.tables.tables import content_of, read_table
from auditor.values.errors import ConfigError, DatasetError, UnreadableFile
from auditor.values.image import Limits
from trainers.copying.corrected_copy import (
    IMAGES,
    MEMORY,
    ORIGINAL,
    STATE,
    Beside,
    State,
    applied_changes,
    read_state,
    removed_rows,
    state_file,
    table_files,
)
from trainers.copying.ledger import (
    ADDITIONS,
    CORRECTIONS,
    REMOVED,
    WEIGHTS,
    Entry,
    Removal,
    corrections_file,
    key_of,
    removed_file,
)
from trainers.copying.source import Part
from trainers.copying.writing import write_arrays
from trainers.grading.wording import count

Cell = tuple[str, int]
BY_HAND = "the corrected value was changed by hand since"


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What became of a copy.

    Args:
        restored: corrections that were taken back.
        returned: records that are back in the table.
        applied, removed: corrections and removals that the copy holds now.
        refused: corrections that were left as they are, because their value is no longer the one that was written.
        pictures: the original pictures are read again, in the place of those that were written anew.
    """

    output: Path
    restored: int
    returned: int
    applied: int
    removed: int
    refused: int
    pictures: bool = False

    @property
    def told(self) -> str:
        """In one line for a terminal."""
        parts = [f"{count(self.restored, 'correction')} taken back" if self.restored else ""]
        parts += [f"{count(self.returned, 'record')} back in the table" if self.returned else ""]
        parts += [f"{count(self.applied, 'correction')} applied" if self.applied else ""]
        parts += [f"{count(self.removed, 'record')} removed" if self.removed else ""]
        parts += [f"{count(self.refused, 'correction')} refused: the value was changed since" if self.refused else ""]
        parts += ["the original pictures are read again" if self.pictures else ""]
        told = ", ".join(part for part in parts if part) or "the table is the original one already"
        return f"{self.output}: {told}. Reports and model in it are of the copy as it was made"


def undo(output: Path, limits: Limits | None = None) -> Undone:
    """Take all corrections and removals of a copy back.

    Args:
        output: the copy.
        limits: what its tables and arrays may cost.

    Raises:
        ConfigError: no corrected copy, one that cannot be undone, or one whose table was changed in other places.
        MedauditError: the folder cannot be written.
    """
    return _rebuilt(output, limits or Limits(), lambda _: False, lambda _: False, images=False)


def reapply(output: Path, limits: Limits | None = None) -> Undone:
    """Apply the corrections and removals whose column `applied` says yes, and no others.

    Args:
        output, limits: as for `undo`.

    Raises:
        ConfigError: as for `undo`, or corrections.csv lacks a column.
        MedauditError: the folder cannot be written.
    """
    limits = limits or Limits()
    wanted = _accepted("corrections", inside(output, CORRECTIONS), limits)
    leaving = _accepted("removals", inside(output, REMOVED), limits) if (output / REMOVED).is_file() else set()
    return _rebuilt(
        output, limits, lambda entry: key_of(entry.correction) in wanted, lambda removal: removal.record in leaving, images=True
    )


def _accepted(kind: str, path: Path, limits: Limits) -> set[Any]:
    try:
        found: set[Any] = run_job(f"trainers.copying.ledger_file:{kind}", path, limits=limits)
    except UnreadableFile as error:
        raise ConfigError(f"{path}: cannot be read: {told(error)}") from None
    return found


def _rebuilt(
    output: Path, limits: Limits, wants: Callable[[Entry], bool], wants_removed: Callable[[Removal], bool], *, images: bool
) -> Undone:
    state = read_state(output)
    if state.form == "whole":
        raise ConfigError(f"{output}: this copy was made as a whole and keeps nothing of the original; delete it instead")
    away = [name for name in state.arrays if not inside(output / state.root, name).is_file()]
    if away:
        raise ConfigError(f"{output}: the original {away[0]} is not where it was; make the copy again with `medaudit fix`")
    parts = tuple(_original(output, name, limits) for name in state.tables)
    beside = {name: _beside(output, name, limits) for name in state.beside}
    by_hand = hand_edits(output, state, parts, beside, limits)
    before = sum(entry.applied and bool(entry.edits) for entry in state.entries)
    removals = _removals(state.removals, wants_removed)
    entries, refused = _entries(state, removals, by_hand, wants)
    new = replace(state, entries=entries, removals=removals, rewritten=images and (output / IMAGES).is_dir())
    changed = applied_changes(entries)
    for (column, row), text in by_hand.items():
        changed.setdefault(column, {})[row] = text
    leaving = removed_rows(removals)
    files = {output / name: content for name, content in table_files(new, parts, beside, changed, leaving, limits).items()}
    files |= {output / STATE: state_file(new), output / CORRECTIONS: corrections_file(entries)}
    if removals:
        files[output / REMOVED] = removed_file(removals)
    with tempfile.TemporaryDirectory(prefix=".medaudit-", dir=output) as folder:
        write_arrays(new.arrays, output / new.root, Path(folder), changed, leaving, limits)
        write_files(files)
        for name in new.arrays:
            (Path(folder) / name).replace(output / name)
    for name in (WEIGHTS, ADDITIONS):
        _kept(output, name, limits, there=images)
    for name in state.added:
        if not new.rewritten:
            (output / name).unlink(missing_ok=True)
    now = sum(entry.applied and bool(entry.edits) for entry in entries)
    gone = sum(r.applied for r in state.removals), sum(r.applied for r in removals)
    return Undone(
        output=output, restored=max(before - now, 0), returned=max(gone[0] - gone[1], 0), applied=now, removed=gone[1],
        refused=refused, pictures=state.rewritten and not new.rewritten,
    )  # fmt: skip


def _kept(output: Path, name: str, limits: Limits, *, there: bool) -> None:
    """Weights and records that were made go with the corrections, and come back with them."""
    kept = inside(output, f"{MEMORY}/{name}")
    if there and kept.is_file():
        write_files({output / name: content_of(kept, limits)})
    elif not there:
        (output / name).unlink(missing_ok=True)


def _original(output: Path, name: str, limits: Limits) -> Part:
    """The table as it was."""
    path = inside(output, f"{ORIGINAL}/{name}")
    if not path.is_file():
        raise ConfigError(f"{output}: the original of {name} is missing from {MEMORY}; make the copy again with `medaudit fix`")
    return Part(name=name, content=content_of(path, limits), lines=read_table(path, limits).lines)


def _beside(output: Path, name: str, limits: Limits) -> pd.DataFrame:
    """The boxes or the readings as they were."""
    path = inside(output, f"{MEMORY}/{name}")
    if not path.is_file():
        raise ConfigError(f"{output}: {name} is missing from {MEMORY}; make the copy again with `medaudit fix`")
    frame = read_table(path, limits).frame
    return pd.DataFrame({str(name): text_of(frame[name]) for name in frame.columns}, dtype=object)


def _removals(removals: Sequence[Removal], wants: Callable[[Removal], bool]) -> tuple[Removal, ...]:
    done: list[Removal] = []
    taken: set[str] = set()
    for removal in removals:
        applied = wants(removal) and removal.record not in taken and bool(removal.rows)
        taken |= {removal.record} if applied else set()
        note = removal.note if applied == removal.applied else "" if applied else "taken back"
        done.append(replace(removal, applied=applied, note=note))
    return tuple(done)


def _entries(
    state: State,
    removals: Sequence[Removal],
    by_hand: Mapping[Cell, str],
    wants: Callable[[Entry], bool],
) -> tuple[tuple[Entry, ...], int]:
    """The corrections as they are now, and how many were refused."""
    gone = {removal.record for removal in removals if removal.applied}
    now: dict[Cell, str] = {}
    done: list[Entry] = []
    refused = 0
    for entry in state.entries:
        wanted = wants(entry)
        if not entry.edits:
            done.append(entry)
            continue
        if any((column, row) in by_hand for row, column, _, _ in entry.edits):
            refused += wanted is not entry.applied
            done.append(replace(entry, note=BY_HAND) if wanted is not entry.applied else entry)
            continue
        note = entry.note if wanted is entry.applied else "" if wanted else "taken back"
        if wanted and entry.correction.record in gone:
            wanted, note = False, "the record leaves"
        elif wanted and any(now.get((column, row), old) != old for row, column, old, _ in entry.edits):
            wanted, note = False, "another correction changed the value before"
            refused += 1
        if wanted:
            now |= {(column, row): new for row, column, _, new in entry.edits}
        done.append(replace(entry, applied=wanted, note=note))
    return tuple(done), refused


def hand_edits(output: Path, state: State, parts: Sequence[Part], beside: Beside, limits: Limits) -> dict[Cell, str]:
    """Cells of corrected columns that a person changed after the copy was written: original column and row → text.

    Raises:
        ConfigError: the table was changed in other places, which would be lost.
    """
    leaving = removed_rows(state.removals)
    expected = table_files(state, parts, beside, applied_changes(state.entries), leaving, limits)
    original_of = {name: column for column, name in state.names.items()}
    found: dict[Cell, str] = {}
    for name in (*state.added, *state.beside):
        if name in expected and (output / name).is_file() and content_of(inside(output, name), limits) != expected[name]:
            raise ConfigError(
                f"{output / name}: was changed by hand, which would be lost; keep it under another name first, "
                "and make the copy again with `medaudit fix`"
            )
    start = 0
    for name, part in zip(state.tables, parts, strict=True):
        rows = np.array([row for row in range(start, start + len(part.lines)) if row not in leaving], np.int64)
        start += len(part.lines)
        if not (output / name).is_file():
            raise ConfigError(f"{output / name}: is missing; make the copy again with `medaudit fix`")
        if content_of(inside(output, name), limits) == expected[name]:
            continue
        was, now = _frames(output / name, expected[name], limits)
        if list(was.columns) != list(now.columns) or len(was) != len(now):
            raise ConfigError(
                f"{output / name}: rows or columns were added or taken out by hand, which would be lost; "
                "put the table back, or make the copy again with `medaudit fix`"
            )
        for column in was.columns:
            before, after = text_of(was[column]), text_of(now[column])
            for i in np.flatnonzero(before != after).tolist():
                if column not in original_of:
                    raise ConfigError(
                        f"{output / name}: column {column!r} was changed by hand, which would be lost; "
                        "keep your table under another name first, and make the copy again with `medaudit fix`"
                    )
                found[original_of[column], int(rows[i])] = str(after[i])
    return found


def _frames(path: Path, expected: bytes, limits: Limits) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table as it was written, and as it is."""
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / path.name
        other.write_bytes(expected)
        try:
            return read_table(other, limits).frame, read_table(path, limits).frame
        except DatasetError as error:
            raise ConfigError(f"{path}: cannot be read any more: {error}") from None
