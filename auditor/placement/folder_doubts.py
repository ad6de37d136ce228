"""What speaks against the classes that folders seem to be, and what the user says instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from auditor.naming.endings import NAME_PIN, PLACES, endings_across, words_at
from auditor.naming.labels import single
from auditor.placement.counterparts import Counterparts
from auditor.placement.listing import Options
from auditor.placement.tree import FolderRoles
from auditor.tables.label_table import categorical
from auditor.values.errors import DatasetError
from auditor.values.labels import Labels
from auditor.values.results import Guess

DOUBTFUL = 0.4
"""How sure a class is where something speaks against its being one; `fix` corrects no label that it is less sure of than
`auditor.values.results.SURE`."""
UNTOLD_WORDS = 0.8
"""How sure a class is at most whose words nobody has listed (`folder_levels`)."""


def doubted(folders: FolderRoles, beside: Counterparts) -> FolderRoles:
    """The same roles without a class where the folders hold one thing seen in several ways, and less sure where they may."""
    if beside.classless:
        kept = tuple(guess for guess in folders.guesses if guess.role != "label")
        return replace(folders, label=None, label_depth=None, guesses=kept)
    return less_sure(folders, beside.doubt) if beside.doubt else folders


def less_sure(folders: FolderRoles, doubt: str) -> FolderRoles:
    """The same roles, with a class that something speaks against."""
    guesses = tuple(
        replace(guess, confidence=min(guess.confidence, DOUBTFUL), why=f"{guess.why}; but {doubt}")
        if guess.role == "label"
        else guess
        for guess in folders.guesses
    )
    return replace(folders, guesses=guesses)


def rival_endings(ids: Sequence[str], folders: FolderRoles) -> Mapping[str, int]:
    """Endings of names that may be the class as well as the folders, whose words are no clinical ones."""
    sure = max((guess.confidence for guess in folders.guesses if guess.role == "label"), default=1.0)
    return endings_across(ids) if folders.label is not None and sure <= UNTOLD_WORDS else {}


def named_place(options: Options) -> str:
    """Where in their names the user says that the images have their class; empty where nothing of the kind was said.

    Raises:
        DatasetError: no such place.
    """
    told = options.roles.get("label", "")
    if not told.startswith(NAME_PIN):
        return ""
    place = told.removeprefix(NAME_PIN)
    if place not in PLACES:
        raise DatasetError(f"label = {told!r}: the class may stand at name:begin or at name:end")
    return place


def labels_in_names(ids: Sequence[str], index: pd.Index, place: str) -> tuple[Labels, list[Guess]]:
    """The words that names begin or end with, as the user said."""
    labels = single(categorical(words_at(ids, place)), index, level="image", origin="file name")
    why = f"the {'first' if place == 'begin' else 'last'} word of each name"
    return labels, [Guess(role="label", value=f"{NAME_PIN}{place}", confidence=1.0, why=why, pinned=True)]
