"""Which column of a label table has which role. Names propose, content decides; every guess has a confidence and a reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from auditor.naming.headers import BoxStyle, KnownHeader, known_header, plain
from auditor.naming.lexicon import name_score
from auditor.naming.names import split_name
from auditor.tables.label_roles import Style, find_labels, is_called_label, is_truth, label_score, state_run, style_of, twins_of
from auditor.tables.profiles import Profile, check_column, profile
from auditor.tables.rater_columns import are_answers, names_a_rater, rater_columns
from auditor.values.labels import Level
from auditor.values.results import Guess

_DATE = re.compile(r"^(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{4}|(?:19|20)\d{6})(?:[T ]\d.*)?$")
_BOXES: tuple[tuple[BoxStyle, tuple[str, str, str, str]], ...] = (
    ("corners", ("xmin", "ymin", "xmax", "ymax")),
    ("corners", ("x0", "y0", "x1", "y1")),
    ("corners", ("x1", "y1", "x2", "y2")),
    ("corners", ("left", "top", "right", "bottom")),
    ("size", ("x", "y", "width", "height")),
    ("size", ("x", "y", "w", "h")),
    ("size", ("bboxx", "bboxy", "bboxw", "bboxh")),
)
_POINTS = (("x", "y"), ("pointx", "pointy"), ("xcoord", "ycoord"), ("cx", "cy"), ("xcenter", "ycenter"))
_KEYS = ("series", "study", "lesion", "patient")
"""What a record of a panel may be called after, the narrowest first."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Who is what.

    Args:
        columns: role → column; beside `ROLES` also `item` (names a record that is no file), `answer` (what a rater said)
            and `rater`.
        labels: label columns, and how to read them.
        raters: columns of a wide table, one per rater.
        boxes: four columns, and whether they are corners or corner and size.
        points: two columns, x and y of a mark by a rater.
        twins: columns that say the same as the label: no metadata.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    style: Style = "none"
    separator: str = "|"
    level: Level = "image"
    raters: tuple[str, ...] = ()
    boxes: tuple[str, str, str, str] | None = None
    box_style: BoxStyle = "corners"
    points: tuple[str, str] | None = None
    twins: tuple[str, ...] = ()
    known: KnownHeader | None = None
    guesses: tuple[Guess, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def used(self) -> frozenset[str]:
        """Columns that have a role."""
        return frozenset(
            (*self.columns.values(), *self.labels, *self.raters, *(self.boxes or ()), *(self.points or ()), *self.twins)
        )


def find_roles(
    frame: pd.DataFrame,
    *,
    pins: Mapping[str, str],
    where: str,
    resolving: Mapping[str, float] | None = None,
    separator: str | None = None,
    task: str | None = None,
    level: Level | None = None,
) -> Roles:
    """Assign roles to the columns of a text table.

    Args:
        frame: categorical text columns.
        pins: role → column, by the user; `label`, `rater` and `box` may be several, separated by commas.
        where: the table's name, for messages.
        resolving: column → share of its names that are files of the dataset, for the columns that have such.
        separator, task, level: pinned by the user.

    Raises:
        DatasetError: a pinned column does not exist.
    """
    search = _Search(frame, where, resolving or {})
    search.pin(pins)
    known = known_header(search.names)
    if known is not None:
        search.take_known(known)
    search.find_columns()
    search.find_raters()
    search.find_points()
    search.find_item()
    search.find_label(known)
    mark = separator or (known.separator if known is not None else None)
    if task is None and known is not None and known.ordinal:
        task = "ordinal"
    style, mark = style_of(search.profiles, search.labels, separator=mark, task=task)
    labels = () if style == "none" else search.labels
    twins = search.twins(known) if labels else ()
    return Roles(
        columns=search.columns,
        labels=labels,
        style=style,
        separator=mark,
        level=level or (known.level if known is not None else search.level()),
        raters=search.raters,
        boxes=search.boxes,
        box_style=search.box_style,
        points=search.points,
        twins=twins,
        known=known,
        guesses=tuple(search.guesses),
        notes=tuple(search.notes),
    )


class _Search:
    """The search in its order: pins, known header, content and names."""

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
        """Note a guess about one column or several."""
        value = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        column = ", ".join(names)
        self.guesses.append(
            Guess(role=role, value=value, confidence=round(confidence, 2), why=why, pinned=pinned, column=column)
        )

    def pin(self, pins: Mapping[str, str]) -> None:
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
        return next((other for other in self.names if plain(other) == plain(name)), None)

    def take_known(self, known: KnownHeader) -> None:
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

    def find_columns(self) -> None:
        self._find_boxes()
        self._best("split", self._split)
        if "item" not in self.columns:
            self._best("path", self._path)
        for role in ("patient", "lesion", "study", "series", "site", "fold", "time"):
            self._best(role, self._named)
        self._best("mask", self._mask)

    def _best(self, role: str, judge: object) -> None:
        """Give the role to the column that is judged best; ties go to the first."""
        if role in self.columns:
            return
        assert callable(judge)
        found = [(judge(name, role), name) for name in self.free if self.profiles[name].distinct]
        confident = [(verdict, name) for verdict, name in found if verdict is not None]
        if confident:
            (confidence, why), name = max(confident, key=lambda entry: entry[0][0])
            self.assign(role, name, min(confidence, 0.99), why)

    def _find_boxes(self) -> None:
        by_name = {plain(name): name for name in self.free}
        for style, keys in _BOXES:
            if self.boxes is None and all(key in by_name for key in keys):
                found = [by_name[key] for key in keys]
                if all(self.profiles[name].numeric for name in found):
                    self.boxes, self.box_style = (found[0], found[1], found[2], found[3]), style
                    self.tell("box", found, 0.9, f"four numbers called {', '.join(keys)}")

    def _split(self, name: str, role: str) -> tuple[float, str] | None:
        seen = self.profiles[name]
        if seen.distinct > 8 or not all(split_name(value) for value in seen.sample):
            return None
        why = f"every value is a split: {', '.join(sorted(seen.sample)[:4])}"
        if name_score(name, role):
            return 0.98, why
        return (0.85, why) if seen.distinct > 1 else None

    def _path(self, name: str, role: str) -> tuple[float, str] | None:
        seen, named = self.profiles[name], name_score(name, role)
        if "://" in str(seen.values[0]):
            return None
        share, alike = self.resolving.get(name, 0.0), seen.image_names
        if share >= 0.5:
            return 0.7 + 0.27 * share + 0.01 * named + 0.005 * alike, f"{share:.0%} of its names are files of the dataset"
        if alike >= 0.9:
            return 0.8 + 0.1 * named, f"{alike:.0%} of its values end as image files do"
        if named == 1 and seen.distinct > max(seen.rows / 10, 1):
            return 0.6, "called like a column of images, another value in most rows"
        return None

    def _named(self, name: str, role: str) -> tuple[float, str] | None:
        seen, named = self.profiles[name], name_score(name, role)
        if not named:
            return None
        if role == "lesion" and (seen.states or seen.distinct <= 2):
            return None  # `Nodule` with yes and no is a finding
        if role == "time":
            sample = seen.sample
            dates = sum(_DATE.match(value) is not None for value in sample) / len(sample)
            return (0.9 * named, f"called so, and {dates:.0%} of its values are dates") if dates >= 0.9 else None
        of = f"{seen.distinct:,} values for {seen.filled:,} rows"
        if role in ("site", "fold"):
            return (0.85 * named, f"called so, {of}") if 1 < seen.distinct <= max(50, seen.rows // 20) else None
        if 1 < seen.distinct < seen.filled:
            return 0.95 * named, f"called so, {of}"
        return 0.5 * named, "called so, but " + (
            "one value for all rows" if seen.distinct == 1 else "another value in every row"
        )

    def _mask(self, name: str, role: str) -> tuple[float, str] | None:
        there = self.profiles[name].image_names >= 0.9 or self.resolving.get(name, 0.0) >= 0.5
        return (0.9, "called so, and its values are files") if name_score(name, role) and there else None

    def find_raters(self) -> None:
        if self.raters or "rater" in self.columns:
            return
        self.raters, why, confidence = rater_columns(self.profiles, self.free)
        if self.raters:
            self.tell("rater", self.raters, confidence, why)
            return
        for name in self.free:
            seen = self.profiles[name]
            if name_score(name, "rater") and 1 < seen.distinct <= seen.rows / 2 and not are_answers(seen):
                full = [
                    o
                    for o in self.names
                    if o != name
                    and self.profiles[o].distinct > 1
                    and self.profiles[o].filled == seen.rows
                    and not names_a_rater(o)
                ]
                if any(self._repeats(other, name) for other in full):
                    self.assign("rater", name, 0.9, f"called so, {seen.distinct:,} raters, and several read the same record")
                    return

    def find_points(self) -> None:
        """Two numbers called x and y are a mark only where a rater set it; elsewhere they may be anything."""
        if self.boxes is not None or "rater" not in self.columns:
            return
        by_name = {plain(name): name for name in self.free}
        for first, second in _POINTS:
            if first in by_name and second in by_name:
                x, y = by_name[first], by_name[second]
                if self.profiles[x].numeric and self.profiles[y].numeric:
                    self.points = (x, y)
                    self.tell("point", (x, y), 0.85, "two numbers called x and y, by several raters")
                    return

    def _repeats(self, other: str, rater: str) -> bool:
        """Records of `other` have several rows, by several raters."""
        seen = self.profiles[other]
        if seen.distinct < 2 or seen.distinct >= seen.rows * 0.95 or seen.distinct <= 20 < seen.rows / 20:
            return False
        pairs = pd.DataFrame({"a": self.frame[other].cat.codes, "b": self.frame[rater].cat.codes})
        return len(pairs.drop_duplicates()) > seen.distinct

    def _reads_once(self, key: str, rater: str) -> bool:
        """Nearly every row is another pair of record and rater, and records have several rows."""
        pairs = pd.DataFrame({"a": self.frame[key].cat.codes, "b": self.frame[rater].cat.codes})
        return self._repeats(key, rater) and float(pairs.duplicated().mean()) < 0.1

    def find_item(self) -> None:
        """Without a path, what names the record: of a long table of answers, or another value in every row."""
        if "path" in self.columns or "item" in self.columns:
            return
        rater = self.columns.get("rater")
        seen = self.profiles
        if rater is not None:
            candidates = [name for name in self.free if self._repeats(name, rater) and not name_score(name, "answer")]
            if not any(name_score(name, "item") for name in candidates):
                # A panel is often keyed by the study that everybody read.
                keys = [self.columns[role] for role in _KEYS if role in self.columns]
                candidates = [name for name in keys if self._reads_once(name, rater)] or candidates
        else:
            candidates = [n for n in self.free if name_score(n, "item") == 1 and seen[n].distinct == seen[n].rows > 1]
        candidates.sort(key=lambda name: (-name_score(name, "item"), -seen[name].distinct))
        if candidates:
            each = "each read by several raters" if rater is not None else "another one in every row"
            confidence = 0.85 if name_score(candidates[0], "item") else 0.6
            why = f"names the record: {seen[candidates[0]].distinct:,} values, {each}"
            self.assign("item", candidates[0], confidence, why, shown="path")

    def find_label(self, known: KnownHeader | None) -> None:
        """The label, and in a long table what the raters said."""
        long = "rater" in self.columns
        if long and len(self.labels) == 1 and not (known is not None and known.labels) and self._differs(self.labels[0]):
            self.columns["answer"], self.labels = self.labels[0], ()
        accept = self._is_released if long else is_called_label if self.raters else None
        found = None if self.labels else find_labels(self.frame, self.profiles, self.free, accept=accept)
        if found is not None and long and self._differs(found.names[0]):
            found = None  # differs between the rows of one record: an answer, no released label
        if found is not None:
            self.labels = found.names
            self.tell("label", found.names, found.confidence, found.why)
        if long and "answer" not in self.columns and not self.labels:
            states = state_run(self.profiles, self.free)
            if len(states) > 1:
                self.labels = tuple(states)
                self.tell("label", states, 0.85, f"{len(states)} findings, a column each, as each rater saw them")
        if long and "answer" not in self.columns and len(self.labels) < 2:
            free = [n for n in self.free if label_score(self.profiles[n])[0] >= 0.5 or name_score(n, "answer")]
            free.sort(key=lambda name: (-name_score(name, "answer"), is_truth(name), -label_score(self.profiles[name])[0]))
            if free:
                shown = "answer" if self.labels else "label"
                self.assign("answer", free[0], 0.85, "what the raters said", shown=shown)

    def _is_released(self, name: str) -> bool:
        """Called like a truth, and the same in all rows of a record: in a long table the others are answers."""
        return is_truth(name) and not self._differs(name)

    def _differs(self, name: str) -> bool:
        """The column says different things in the rows of one record."""
        record = self.columns.get("path") or self.columns.get("item")
        if record is None:
            return False
        pairs = pd.DataFrame({"a": self.frame[record].cat.codes, "b": self.frame[name].cat.codes}).drop_duplicates()
        return bool(pairs["a"].duplicated().any())

    def twins(self, known: KnownHeader | None) -> tuple[str, ...]:
        named = [name for name in map(self.find, known.twins if known is not None else ()) if name in self.free]
        twins = [str(name) for name in named]
        if len(self.labels) == 1:
            twins += [name for name in twins_of(self.frame, self.profiles, self.labels[0], self.free) if name not in twins]
        if twins:
            self.notes.append(f"also called like a label, and determining it: {', '.join(twins)}; no metadata")
        return tuple(twins)

    def level(self) -> Level:
        """Without images, what one row stands for."""
        levels: tuple[tuple[str, Level], ...] = (
            ("series", "series"), ("study", "study"), ("lesion", "lesion"), ("patient", "patient"),
        )  # fmt: skip
        if "path" in self.columns or "item" in self.columns:
            return "image"
        return next((level for role, level in levels if role in self.columns), "image")
