"""What a corrected copy remembers, so that it can be undone and applied again: the table as it was, and every cell changed.

Everything that a copy holds of the labels follows from this state: `table_files` writes it, whatever is applied of it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from auditor.config import Config
from auditor.layout import CONFIG_NAME
from auditor.stored import Name, checked, inside, read_json
from auditor.values.errors import ConfigError
from auditor.values.image import Limits
from trainers.copying.additions import table_of_added
from trainers.copying.beside import BOXES, KEYS, beside_file
from trainers.copying.forms.column import Changed, CorrectedColumn, Place
from trainers.copying.ledger import CORRECTIONS, REMOVED, Entry, Removal
from trainers.copying.source import Part
from trainers.copying.toml_text import toml_text
from trainers.copying.writing import written

MEMORY = ".medaudit"
"""Hidden folder in a copy: no part of a scan of it."""
STATE, ORIGINAL = f"{MEMORY}/state.json", f"{MEMORY}/original"
STATE_VERSION = 1
IMAGES = "images"
"""Folder of the images in a copy, where some of them were written anew."""


@dataclass(frozen=True, kw_only=True)
class State:
    """The memory of a copy.

    Args:
        form: `table`, `made`, `npz`, or `whole` (a copy that a strategy made as a whole; it cannot be undone).
        tables: names of the table files, in the order of their rows.
        names: column → name of the column that holds its corrected values.
        existing: columns whose corrected column is in the table already, from an earlier correction.
        virtual: columns that are in no file → text of every row.
        roles: of columns that are in no file: column → role.
        config: medaudit.toml of the copy, without what depends on the corrections that are applied.
        arrays: npz only: names of the files.
        root: folder of the user's images, relative to the copy.
        rewritten: the images are read from the copy, where some of them were written anew.
        entries, removals: everything that was proposed, applied or not.
        added: names of the tables of records that were made; they go with the images in the copy.
        made: column → text of those records, in the order of their rows.
        hidden: columns of them that the user's table has not.
        beside: its tables of boxes and of readings (`trainers.copying.beside`).
    """

    form: Literal["table", "made", "npz", "whole"]
    tables: tuple[Name, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    existing: tuple[str, ...] = ()
    virtual: Mapping[str, Sequence[str]] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    arrays: tuple[Name, ...] = ()
    root: str = ""
    rewritten: bool = False
    entries: tuple[Entry, ...] = ()
    removals: tuple[Removal, ...] = ()
    added: tuple[Name, ...] = ()
    made: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    beside: tuple[Name, ...] = ()


Beside = Mapping[str, pd.DataFrame]
"""As of `trainers.copying.beside.beside`."""


def state_file(state: State) -> bytes:
    """The state as JSON."""
    content = {"written_by": "medaudit", "state_version": STATE_VERSION, **vars(state)}
    content["entries"] = [{**vars(entry), "correction": vars(entry.correction)} for entry in state.entries]
    content["removals"] = [vars(removal) for removal in state.removals]
    return (json.dumps(content, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def read_state(output: Path) -> State:
    """The memory of a copy. It may be a stranger's: what it says is checked, and every file it names lies in the copy.

    Raises:
        ConfigError: the folder is no corrected copy, one of another version, or its memory was altered.
    """
    try:
        content = read_json(inside(output, STATE))
    except OSError:
        raise ConfigError(f"{output}: not a corrected copy; name the folder that `medaudit fix` wrote") from None
    except ValueError as error:
        raise ConfigError(
            f"{output}: not a corrected copy: {STATE}: {error}; name the folder that `medaudit fix` wrote"
        ) from None
    if not isinstance(content, dict) or content.get("written_by") != "medaudit":
        raise ConfigError(f"{output}: not a corrected copy; name the folder that `medaudit fix` wrote")
    if content.get("state_version") != STATE_VERSION:
        raise ConfigError(f"{output}: written by another version of medaudit; make the copy again with `medaudit fix`")
    if isinstance(boxes := content.pop("boxes", None), bool):  # as copies of before readings were kept say it
        content["beside"] = [BOXES] if boxes else []
    try:
        state = checked(State, content)
        _agrees(state)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{output}: {STATE} is damaged: {error}; make the copy again with `medaudit fix`") from None
    for name in (*state.tables, *state.arrays, *state.added):
        inside(output, name)
    return state


def _agrees(state: State) -> None:
    """Raise ValueError where the parts of a state contradict each other."""
    named = [*state.tables, *state.arrays, *state.added, *state.beside]
    if len(set(named)) < len(named) or {name.partition("/")[0] for name in named} & {MEMORY, CONFIG_NAME, CORRECTIONS, REMOVED}:
        raise ValueError("it names a file twice, or one that is no table")
    if not set(state.beside) <= set(KEYS):
        raise ValueError("it names a table of boxes or readings that is none")
    if len(state.added) > 1 or (state.added and not set(state.names) <= set(state.made)):
        raise ValueError("it speaks of records that were made, and not of all their columns")
    if len({len(values) for values in state.made.values()}) > 1:
        raise ValueError("its records that were made have columns of unequal length")
    edits = [edit for entry in state.entries for edit in entry.edits]
    if not {*state.existing, *state.roles, *state.virtual, *(column for _, column, _, _ in edits)} <= set(state.names):
        raise ValueError("it speaks of columns that it does not name")
    rows = [row for row, *_ in edits] + [row for removal in state.removals for row in removal.rows]
    if min(rows, default=0) < 0:
        raise ValueError("a row has a negative number")
    if state.form == "whole":
        return
    if state.form != "npz" and not {"dataset", "roles"} <= set(state.config):
        raise ValueError("the field config lacks its sections")
    try:
        Config.model_validate(tomllib.loads(toml_text(config_of(state, list(state.names), True)).encode().decode()))
    except (ValueError, TypeError, AttributeError):  # no text that can be written, no TOML, no configuration
        raise ValueError("the field config is wrong") from None


def applied_changes(entries: Sequence[Entry]) -> dict[str, dict[int, str]]:
    """The cells as the applied corrections leave them, one after the other."""
    changed: dict[str, dict[int, str]] = {}
    for entry in entries:
        if entry.applied:
            for row, column, _, new in entry.edits:
                changed.setdefault(column, {})[row] = new
    return changed


def removed_rows(removals: Sequence[Removal]) -> frozenset[int]:
    """Rows of the table that left it."""
    return frozenset(row for removal in removals if removal.applied for row in removal.rows)


def table_files(
    state: State, parts: Sequence[Part], beside: Beside, changed: Changed, removed: frozenset[int], limits: Limits
) -> dict[str, bytes]:
    """The table files of the copy, and its medaudit.toml.

    Args:
        state: names and configuration.
        parts: the files as they were.
        beside: tables of boxes and of readings, whole.
        changed: what stands in the corrected columns where it is not the original value.
        removed: rows that leave.

    Raises:
        DatasetError: a file cannot hold a new value.
    """
    used = [column for column in state.names if changed.get(column) or column in state.existing]
    files: dict[str, bytes] = {}
    start = 0
    for name, part in zip(state.tables, parts, strict=True):
        size = len(part.lines)
        kept = np.array([row not in removed for row in range(start, start + size)], dtype=np.bool_)
        columns = [_column(state, column, changed, start, size) for column in used if changed.get(column)]
        untouched = not columns and bool(kept.all())
        place = Place(lines=part.lines, kept=kept)
        files[name] = part.content if untouched else written(part.name, part.content, place, columns, limits)
        start += size
    if state.rewritten:
        names = {column: state.names[column] for column in used}
        files |= {name: table_of_added(state.made, state.hidden, names) for name in state.added}
    renamed = changed.get(state.config["roles"].get("path", ""), {})
    files |= {name: beside_file(beside[name], renamed, removed) for name in state.beside}
    files[CONFIG_NAME] = toml_text(config_of(state, used, bool(removed))).encode()
    return files


def _column(state: State, column: str, changed: Changed, start: int, size: int) -> CorrectedColumn:
    """One corrected column for the rows of one file. One without an original in the file is written whole."""
    values = {row - start: text for row, text in changed[column].items() if start <= row < start + size}
    if column in state.virtual:
        values = {row: str(text) for row, text in enumerate(state.virtual[column][start : start + size])} | values
    was = {row - start: text for row, text in first_texts(state, column).items() if start <= row < start + size}
    return CorrectedColumn(
        name=state.names[column],
        beside=None if column in state.virtual else column,
        changed=values,
        was={} if column in state.virtual else was,
        exists=column in state.existing,
    )


def first_texts(state: State, column: str) -> dict[int, str]:
    """Row → text of a column before the first correction of it."""
    found: dict[int, str] = {}
    for entry in state.entries:
        for row, name, old, _ in entry.edits:
            if name == column:
                found.setdefault(row, old)
    return found


def config_of(state: State, used: Sequence[str], removed: bool) -> dict[str, Any]:
    """medaudit.toml: the roles as they were, and which corrected columns are read in the place of their originals."""
    config: dict[str, Any] = {section: dict(values) for section, values in state.config.items() if section != "waivers"}
    if state.form != "npz":
        config["dataset"]["root"] = IMAGES if state.rewritten else state.root
        if state.rewritten and state.added:
            config["dataset"]["tables"] = [*config["dataset"]["tables"], *state.added]
        config["roles"] |= {role: state.names[column] for column, role in state.roles.items() if column in used}
        corrected = {column: state.names[column] for column in used if column not in state.roles}
        if corrected:
            config["dataset"]["corrected"] = corrected
        if removed:
            config["dataset"]["left-out"] = REMOVED
    if "waivers" in state.config:
        config["waivers"] = state.config["waivers"]
    return config
