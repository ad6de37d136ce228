"""What the paths of records say beside the class: split, patient, site, study; file names are asked first, then folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auditor.naming.names import NameRoles, splits_in_names
from auditor.placement.tree import FolderRoles
from auditor.values.results import Guess

ROLES = ("split", "patient", "site", "study")


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
