"""Which columns of a table have a role already: pinned, told by a known header, or found; each with confidence and reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from auditor.naming.headers import IN_NO_FILE, BoxStyle, KnownHeader, plain
from auditor.tables.profiles import Profile, check_column, profile
from auditor.values.results import Guess


class Assigned:
    """The columns of one table, which of them have a role, and why. Pins come first, then the header of a known release."""

    def __init__(self, frame: pd.DataFrame, where: str, resolving: Mapping[str, float]) -> None:
        self.names = [str(name) for name in frame.columns]
        self.frame, self.where, self.resolving = frame, where, resolving
        self.profiles: dict[str, Profile] = {name: profile(name, frame[name]) for name in self.names}
        self.columns: dict[str, str] = {}
        self.labels: tuple[str, ...] = ()
        self.raters: tuple[str, ...] = ()
        self.boxes: tuple[str, str, str, str] | None = None
        self.box_style: BoxStyle = "corners"
        self.points: tuple[str, str] | None = None
        self.guesses: list[Guess] = []
        self.notes: list[str] = []

    @property
    def free(self) -> list[str]:
        """Columns without a role."""
        taken = {*self.columns.values(), *self.labels, *self.raters, *(self.boxes or ()), *(self.points or ())}
        return [name for name in self.names if name not in taken]

    def assign(self, role: str, name: str, confidence: float, why: str, *, pinned: bool = False, shown: str = "") -> None:
        """Give a column a role; `shown` is the role's name for the user where it differs."""
        self.columns[role] = name
        self.tell(shown or role, (name,), confidence, why, pinned=pinned)

    def tell(self, role: str, names: Sequence[str], confidence: float, why: str, *, pinned: bool = False) -> None:
        """Note a guess about one column or several. A column that is in no file was named by no user, and none can name it."""
        named = not IN_NO_FILE & set(names)
        value = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        column = ", ".join(names) if named else None
        why = why if named else "made of the table as it was read"
        self.guesses.append(
            Guess(role=role, value=value, confidence=round(confidence, 2), why=why, pinned=pinned and named, column=column)
        )

    def pin(self, pins: Mapping[str, str]) -> None:
        """Roles that the user gave.

        Raises:
            DatasetError: a column does not exist.
        """
        for role, value in pins.items():
            several = role in ("label", "rater", "box") and "," in value and value not in self.names
            parts = [part.strip() for part in value.split(",") if part.strip()] if several else [value]
            found = tuple(check_column(part, self.names, self.where) for part in parts)
            if role == "label":
                self.labels = found
                self.tell(role, found, 1.0, "pinned", pinned=True)
            elif role == "rater" and len(found) > 1:
                self.raters = found
                self.tell(role, found, 1.0, "pinned", pinned=True)
            elif role == "box" and len(found) == 4:
                self.boxes = (found[0], found[1], found[2], found[3])
                self.box_style = "size" if plain(found[2]) in ("w", "width", "bboxw") else "corners"
                self.tell(role, found, 1.0, "pinned", pinned=True)
            elif role == "path" and not self.resolving and self.profiles[found[0]].image_names < 0.5:
                self.assign("item", found[0], 1.0, "pinned", pinned=True, shown="path")
            else:
                self.assign(role, found[0], 1.0, "pinned", pinned=True)

    def find(self, name: str) -> str | None:
        """The column of that name, however it is written."""
        return next((other for other in self.names if plain(other) == plain(name)), None)

    def take_known(self, known: KnownHeader) -> None:
        """Roles of columns that the header of a known release names."""
        why = f"the header is that of {known.name}"
        self.notes += known.notes
        for role, name in known.roles.items():
            column = self.find(name)
            if column is not None and role not in self.columns and column in self.free:
                self.assign(role, column, 0.98, why)
        if known.boxes is not None and self.boxes is None:
            found = [column for column in map(self.find, known.boxes) if column is not None]
            if len(found) == 4:
                self.boxes, self.box_style = (found[0], found[1], found[2], found[3]), known.box_style
                self.tell("box", found, 0.98, why)
        if self.labels:
            return
        if known.after is not None:
            behind = self.names[self.names.index(str(self.find(known.after))) + 1 :]
            self.labels = tuple(name for name in behind if name in self.free and self.profiles[name].states)
        else:
            self.labels = tuple(name for name in map(self.find, known.labels) if name is not None and name in self.free)
        if self.labels:
            self.tell("label", self.labels, 0.98, why)
