"""Which column of a label table has which role. Names propose, content decides; every guess has a confidence and a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from auditor.naming.headers import BoxStyle, KnownHeader, known_header
from auditor.naming.lexicon import name_score
from auditor.tables.assigned import Assigned
from auditor.tables.judged_role import JUDGED, box_columns, case_ids, judged, point_columns
from auditor.tables.label_roles import Style, find_labels, is_called_label, is_truth, label_score, state_run, style_of, twins_of
from auditor.tables.rater_columns import are_answers, differs, names_a_rater, rater_columns, reads_once, repeats
from auditor.values.labels import Level
from auditor.values.results import Guess

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


class _Search(Assigned):
    """The search by content and names, after what was pinned and what a known header says."""

    def find_columns(self) -> None:
        if self.boxes is None and (boxed := box_columns(self.free, self.profiles)) is not None:
            self.boxes, self.box_style, why = boxed
            self.tell("box", self.boxes, 0.9, why)
        for role in JUDGED:
            if role != "path" or "item" not in self.columns:
                self._best(role)
        self._find_cases()

    def _find_cases(self) -> None:
        """Who the images are of, where no column is called patient but one is called case."""
        if "patient" in self.columns or "path" not in self.columns:
            return
        images = self.profiles[self.columns["path"]].distinct
        for name in self.free:
            if self.profiles[name].distinct and (found := case_ids(name, self.profiles[name], images)) is not None:
                self.assign("patient", name, *found)
                return

    def _best(self, role: str) -> None:
        """Give the role to the column that is judged best; ties go to the first."""
        if role in self.columns:
            return
        candidates = [name for name in self.free if self.profiles[name].distinct]
        found = [(judged(role, name, self.profiles[name], self.resolving.get(name, 0.0)), name) for name in candidates]
        confident = [(verdict, name) for verdict, name in found if verdict is not None]
        if confident:
            (confidence, why), name = max(confident, key=lambda entry: entry[0][0])
            self.assign(role, name, min(confidence, 0.99), why)

    def find_raters(self) -> None:
        if self.raters or "rater" in self.columns:
            return
        found = rater_columns(self.profiles, self.free)
        if found:
            self.raters = found[0].names
            self.tell("rater", self.raters, found[0].confidence, found[0].why)
            if others := [name for group in found[1:] for name in group.names]:
                self.notes.append(f"columns of readers about something else, not read as readings: {', '.join(others[:6])}")
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
        self.points = point_columns(self.free, self.profiles)
        if self.points is not None:
            self.tell("point", self.points, 0.85, "two numbers called x and y, by several raters")

    def _repeats(self, other: str, rater: str) -> bool:
        return repeats(self.frame, self.profiles[other], other, rater)

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
                candidates = [name for name in keys if reads_once(self.frame, seen[name], name, rater)] or candidates
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
        record = self.columns.get("path") or self.columns.get("item")
        return record is not None and differs(self.frame, record, name)

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
