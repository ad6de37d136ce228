"""What the paths of records say beside the class: split, patient, site, study; file names are asked first, then folders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from auditor.naming.names import NameRoles, roles_in_names, splits_in_names
from auditor.placement.tree import FolderRoles, pinned_levels, read_folders
from auditor.tables.roles import Roles
from auditor.values.results import Guess

ROLES = ("split", "patient", "site", "study")
Column = Sequence[object] | pd.Series


def path_roles(
    ids: Sequence[str], names: NameRoles | None, folders: FolderRoles
) -> tuple[Mapping[str, Sequence[str | None]], list[Guess]]:
    """Role → one value per record, for the roles that the paths tell, and why each was believed."""
    columns: dict[str, Sequence[str | None]] = {}
    guesses: list[Guess] = []
    for role in ROLES:
        values, guess = _role(role, names, folders)
        if values is not None and guess is not None:
            columns[role] = values
            guesses.append(guess)
    if "split" not in columns and (splits := splits_in_names(ids)) is not None:
        columns["split"] = splits
        guesses.append(Guess(role="split", value="file name", confidence=0.85, why="the file names begin with a split"))
    return columns, guesses


def _role(role: str, names: NameRoles | None, folders: FolderRoles) -> tuple[Sequence[str | None] | None, Guess | None]:
    in_names = getattr(names, role, None) if names is not None else None
    if names is not None and in_names is not None:
        why = f"{names.matched:,} of {len(in_names):,} names follow the pattern of {names.pattern.name}"
        return in_names, Guess(role=role, value="file name", confidence=names.pattern.confidence, why=why)
    in_folders = getattr(folders, role, None)
    return in_folders, next((guess for guess in folders.guesses if guess.role == role), None)


def beside_columns(names: Sequence[str], columns: dict[str, Column], roles: Roles, pins: Mapping[str, str]) -> list[Guess]:
    """What the paths of a table's records say where no column does: patient, study, site and split are put into `columns`.

    Args:
        names: of the records, as paths where they are such.
        columns: role → values, of the roles that columns have.
        pins: role → what the user pinned.
    """
    guesses: list[Guess] = []
    known = roles.known
    if known is not None:
        for role, pattern in (("patient", known.patient_in_path), ("study", known.study_in_path)):
            if pattern is not None and role not in columns:
                found = [re.search(pattern, name) for name in names]
                columns[role] = [match[1] if match else None for match in found]
                why = f"the paths of {known.name} name it"
                guesses.append(Guess(role=role, value="file name", confidence=0.95, why=why))
    if "path" not in roles.columns:
        return guesses
    guesses += _split_beside(names, columns, roles, pins)
    if "patient" in columns:
        return guesses
    said = roles_in_names(list(names))
    if said is None:
        return guesses
    why = f"{said.matched:,} of {len(names):,} names follow the pattern of {said.pattern.name}"
    for role in ("patient", "study", "site"):
        values = getattr(said, role)
        if values is not None and role not in columns:
            columns[role] = values
            guesses.append(Guess(role=role, value="file name", confidence=said.pattern.confidence, why=why))
    return guesses


def _split_beside(names: Sequence[str], columns: dict[str, Column], roles: Roles, pins: Mapping[str, str]) -> list[Guess]:
    """The folders of a split, or names that begin with one, count where no column says the split."""
    guesses: list[Guess] = []
    paths = list(names)
    pinned = pinned_levels(pins)
    folders = read_folders(paths, {role: level for role, level in pinned.items() if role != "label"})
    for role in pinned:
        values = getattr(folders, role, None)
        if role != "label" and values is not None:
            columns[role] = values
            guesses += [guess for guess in folders.guesses if guess.role == role]
    if "split" in columns or roles.raters or "rater" in roles.columns:
        return guesses
    if folders.split is not None and len({split for split in folders.split if split}) > 1:
        columns["split"] = folders.split
        guesses += [guess for guess in folders.guesses if guess.role == "split"]
    elif (splits := splits_in_names(paths)) is not None:
        columns["split"] = splits
        guesses.append(Guess(role="split", value="file name", confidence=0.85, why="the file names begin with a split"))
    return guesses
