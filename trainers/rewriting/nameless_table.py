"""The label table of a de-identified copy: made anew, and holding no word that names a person of its files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from auditor.values.cells import as_cell, csv_bytes
from auditor.values.dataset import Dataset
from auditor.values.fields import words
from auditor.values.labels import State
from trainers.rewriting.cleaner import Cleaner
from trainers.rewriting.person import Person, person_of, without_ordinary
from trainers.values.trust import Bools

KEPT_COLUMNS = frozenset(("age", "sex", "gender", "view", "laterality", "side", "projection", "modality"))
"""Columns of the user's table that go into the new one, by a word of their names; of all others only the roles do."""
OLDEST = 90.0


class NamelessTable:
    """The new table of a dataset.

    Args:
        dataset: as scanned.
        moved: path in the dataset → path in the copy.
        there: records whose file is in the copy, shape (records,).
        people: whom the files name.
        salt: of the pseudonyms.
    """

    def __init__(self, dataset: Dataset, moved: Mapping[str, str], there: Bools, people: Person, salt: bytes) -> None:
        self.dataset, self.moved, self.there, self.salt = dataset, moved, there, salt
        self.people = without_ordinary(people | people_of(dataset))
        self.replaced: dict[str, int] = {}
        """What was a person's → how many different values were replaced."""
        self.classes = self._nameless("class", dataset.labels.classes)
        self.columns = self._columns()

    def content(self) -> bytes:
        """As CSV, in the order of the new names: the old order may be that of names or of dates."""
        rows = zip(*self.columns.values(), strict=True)
        return csv_bytes(list(self.columns), sorted(row for row, ok in zip(rows, self.there, strict=True) if ok), data=True)

    def roles(self) -> dict[str, str]:
        """Role → column, as medaudit.toml of the copy declares it."""
        listed = ("path", "split", "fold", "patient", "site", "mask", "label")
        roles: dict[str, str] = {name: name for name in listed if name in self.columns}
        if self.dataset.labels.task == "multi" and not any("," in name for name in self.classes.values()):
            # as the header of the file will hold them
            roles["label"] = ",".join(as_cell(name, data=True) for name in self.classes.values())
        return roles

    def notes(self) -> list[str]:
        """What stands in the place of names."""
        return [
            f"{count:,} {'values' if count != 1 else 'value'} of {what} held the name or number of a patient and "
            f"{'are' if count != 1 else 'is'} replaced"
            for what, count in self.replaced.items()
        ]

    def _columns(self) -> dict[str, list[str]]:
        dataset, records, labels = self.dataset, self.dataset.records, self.dataset.labels
        new_paths = [self.moved[str(path)] if ok else "" for path, ok in zip(records["path"], self.there, strict=True)]
        columns: dict[str, list[str]] = {"path": new_paths}
        if labels.task == "multi" and labels.states is not None:
            for name in labels.classes:
                states = labels.states[name].tolist()
                columns[self.classes[name]] = ["" if s == State.NOT_ASSESSED else str(int(s)) for s in states]
        elif labels.task != "none":
            columns["label"] = [self.classes.get(value, value) for value in _texts(labels.values)]
        for role in ("split", "fold"):
            if dataset.has(role):
                values = _texts(records[role])
                shown = self._nameless(role, values)
                columns[role] = [shown[value] for value in values]
        columns["patient"] = patients_of(dataset, new_paths, self.salt)
        if dataset.has("site"):
            columns["site"] = numbered("site", _texts(records["site"]), self.salt)
        for name, values in kept_columns(dataset).items():
            shown = self._nameless(name, values, emptied=True)
            columns.setdefault(name, [shown[value] for value in values])
        if dataset.has("mask"):
            columns["mask"] = [self.moved.get(str(mask), "") for mask in records["mask"]]
        return columns

    def _nameless(self, what: str, values: Iterable[str], *, emptied: bool = False) -> dict[str, str]:
        """Value → the same, or a number in its place where it names a person."""
        listed = list(dict.fromkeys(values))
        told = [value for value in listed if self.people.is_named_in(value)]
        if told:
            self.replaced[what] = len(told)
        shown = dict(zip(told, numbered(what, told, self.salt), strict=True))
        return {value: ("" if emptied else shown[value]) if value in shown else value for value in listed}


def people_of(dataset: Dataset) -> Person:
    """Whom the ids of the patients name."""
    if not dataset.has("patient"):
        return Person()
    return person_of(("PatientID", str(value)) for value in dataset.records["patient"].dropna().unique())


def patients_of(dataset: Dataset, paths: Sequence[str], salt: bytes) -> list[str]:
    """A pseudonym per record: that of its header (the first folder of its new name), where table and headers agree."""
    header = [path.partition("/")[0] for path in paths]
    if not dataset.has("patient"):
        return header
    said = _texts(dataset.records["patient"])
    of_table: dict[str, set[str]] = defaultdict(set)
    of_header: dict[str, set[str]] = defaultdict(set)
    for own, other in zip(said, header, strict=True):
        if own and other:
            of_table[own].add(other)
            of_header[other].add(own)
    cleaner = Cleaner(salt=salt)

    def chosen(own: str, other: str) -> str:
        if not own or (len(of_table[own]) == 1 and len(of_header[other]) == 1):
            return other
        return cleaner.pseudonym(f"|{own}")

    return [chosen(own, other) for own, other in zip(said, header, strict=True)]


def numbered(what: str, values: Sequence[str], salt: bytes) -> list[str]:
    """`site 1`, `site 2` for the different values, in an order that tells nothing."""
    cleaner = Cleaner(salt=salt)
    order = sorted({value for value in values if value}, key=lambda value: cleaner.digest(what, value))
    number = {value: f"{what} {k}" for k, value in enumerate(order, start=1)}
    return [number.get(value, "") for value in values]


def kept_columns(dataset: Dataset) -> dict[str, list[str]]:
    """Age, sex and view of the user's table, as far as it has them and they identify nobody."""
    found: dict[str, list[str]] = {}
    for column in dataset.metadata.columns:
        name = str(column)
        known = KEPT_COLUMNS & set(words(name.removeprefix("table.")))
        if not name.startswith("table.") or len(known) != 1 or dataset.fields[name].identifying:
            continue
        values = dataset.metadata[name]
        if pd.api.types.is_numeric_dtype(values):
            if known == {"age"}:
                values = values.clip(upper=OLDEST)
            found[next(iter(known))] = [f"{v:g}" if v == v else "" for v in values.astype(float)]
        elif known != {"age"}:
            found[next(iter(known))] = _texts(values)
    return found


def _texts(column: pd.Series) -> list[str]:
    return ["" if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]
