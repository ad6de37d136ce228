"""Which column of a label table has which role. Names propose, content decides; every guess has a confidence and a reason."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from auditor.errors import DatasetError
from auditor.headers import BoxStyle, KnownHeader, known_header, plain
from auditor.images import looks_like_image_name
from auditor.labels import STATE_VALUES, Level, split_cell
from auditor.lexicon import CLINICAL_WORDS, LABEL_NAMES, NOT_A_LABEL, RATER_WORDS, ROLE_NAMES, TRUTH_NAMES, name_score, words
from auditor.names import split_name
from auditor.types import Guess

Style = Literal["none", "single", "ordinal", "continuous", "joined", "columns"]
SAMPLE = 1000
LABEL_THRESHOLD = 0.5
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DATE = re.compile(r"^(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{4}|(?:19|20)\d{6})(?:[T ]\d.*)?$")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is in one column.

    Args:
        values: distinct cells that are not blank, the most frequent first.
        counts: how often each occurs.
        rows: rows of the table.
    """

    name: str
    values: pd.Index
    counts: np.ndarray[tuple[int], np.dtype[np.int64]]
    rows: int

    @property
    def distinct(self) -> int:
        """Number of distinct cells that are not blank."""
        return len(self.values)

    @property
    def filled(self) -> int:
        """Number of cells that are not blank."""
        return int(self.counts.sum())

    @property
    def sample(self) -> list[str]:
        """Up to 1000 distinct cells, evenly chosen."""
        return [str(value) for value in self.values[:: max(len(self.values) // SAMPLE, 1)][:SAMPLE]]

    @property
    def numeric(self) -> bool:
        """Every sampled cell is a number."""
        return self.distinct > 0 and all(_NUMBER.fullmatch(value) for value in self.sample)


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Who is what.

    Args:
        columns: role → column; beside `ROLES` also `item` (names a record that is no file), `answer` (what a rater said)
            and `rater`.
        labels: label columns, and how to read them.
        raters: columns of a wide table, one per rater.
        boxes: four columns and what they mean.
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
    twins: tuple[str, ...] = ()
    known: KnownHeader | None = None
    guesses: tuple[Guess, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def used(self) -> frozenset[str]:
        """Columns that have a role."""
        return frozenset((*self.columns.values(), *self.labels, *self.raters, *(self.boxes or ()), *self.twins))


def profile(name: str, column: pd.Series) -> Profile:
    """Distinct values of a categorical text column with their counts."""
    names = column.cat.categories.astype("str")
    counts = np.bincount(column.cat.codes.to_numpy(), minlength=len(names)).astype(np.int64)
    keep = np.flatnonzero((counts > 0) & (names != "").astype(bool))
    keep = keep[np.argsort(-counts[keep], kind="stable")]
    return Profile(name=name, values=names[keep], counts=counts[keep], rows=len(column))


def check_column(name: str, names: Sequence[str], where: str) -> str:
    """The column that the user means: exact, or the only one that differs in case and punctuation alone.

    Raises:
        DatasetError: no such column; the message names the nearest ones.
    """
    if name in names:
        return name
    same = [other for other in names if plain(other) == plain(name)]
    if len(same) == 1:
        return same[0]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or list(names[:8])
    raise DatasetError(f"{where}: no column is called {name!r}; the nearest are: {', '.join(near)}")


def find_roles(
    frame: pd.DataFrame,
    *,
    pins: Mapping[str, str],
    where: str,
    resolving: Mapping[str, float] | None = None,
    separator: str | None = None,
    task: str | None = None,
    level: str | None = None,
) -> Roles:
    """Assign roles to the columns of a text table.

    Args:
        frame: categorical text columns.
        pins: role → column, by the user; `label` may be several, separated by commas.
        where: the table's name, for messages.
        resolving: column → share of its names that are files of the dataset, for the columns that have such.
        separator, task, level: pinned by the user.

    Raises:
        DatasetError: a pinned column does not exist.
    """
    return _Search(frame, where, resolving or {}).run(pins, separator, task, level)


class _Search:
    """The search in its order: pins, known header, content, names."""

    def __init__(self, frame: pd.DataFrame, where: str, resolving: Mapping[str, float]) -> None:
        self.names = [str(name) for name in frame.columns]
        self.frame, self.where, self.resolving = frame, where, resolving
        self.profiles = {name: profile(name, frame[name]) for name in self.names}
        self.columns: dict[str, str] = {}
        self.labels: tuple[str, ...] = ()
        self.raters: tuple[str, ...] = ()
        self.boxes: tuple[str, str, str, str] | None = None
        self.box_style: BoxStyle = "corners"
        self.guesses: list[Guess] = []
        self.notes: list[str] = []

    def run(self, pins: Mapping[str, str], separator: str | None, task: str | None, level: str | None) -> Roles:
        self._pin(pins)
        known = known_header(self.names)
        if known is not None:
            self._take_known(known)
        self._find_boxes()
        self._find_split()
        self._find_path()
        for role in ("patient", "lesion", "study", "series", "site", "fold", "time"):
            self._find_named(role)
        self._find_mask()
        self._find_raters()
        self._find_item()
        style, mark = self._find_labels(known, separator, task)
        twins = self._twins(known)
        levels: Level = known.level if known is not None else self._level()
        return Roles(
            columns=self.columns,
            labels=self.labels,
            style=style,
            separator=mark,
            level=level or levels,  # type: ignore[arg-type]  # checked by the configuration
            raters=self.raters,
            boxes=self.boxes,
            box_style=self.box_style,
            twins=twins,
            known=known,
            guesses=tuple(self.guesses),
            notes=tuple(self.notes),
        )

    @property
    def free(self) -> list[str]:
        """Columns without a role."""
        taken = {*self.columns.values(), *self.labels, *self.raters, *(self.boxes or ())}
        return [name for name in self.names if name not in taken]

    def _assign(self, role: str, name: str, confidence: float, why: str, *, pinned: bool = False) -> None:
        self.columns[role] = name
        self.guesses.append(Guess(role=role, value=name, confidence=round(confidence, 2), why=why, pinned=pinned))

    def _pin(self, pins: Mapping[str, str]) -> None:
        for role, value in pins.items():
            if role == "label":
                one = value in self.names or "," not in value
                parts = [value] if one else [part.strip() for part in value.split(",") if part.strip()]
                self.labels = tuple(check_column(part, self.names, self.where) for part in parts)
                text = ", ".join(self.labels)
                self.guesses.append(Guess(role="label", value=text, confidence=1.0, why="pinned", pinned=True))
            elif role == "rater" and "," in value and value not in self.names:
                self.raters = tuple(check_column(part.strip(), self.names, self.where) for part in value.split(","))
                text = ", ".join(self.raters)
                self.guesses.append(Guess(role="rater", value=text, confidence=1.0, why="pinned", pinned=True))
            else:
                self._assign(role, check_column(value, self.names, self.where), 1.0, "pinned", pinned=True)

    def _find(self, name: str) -> str | None:
        return next((other for other in self.names if plain(other) == plain(name)), None)

    def _take_known(self, known: KnownHeader) -> None:
        why = f"the header is that of {known.name}"
        for role, name in known.roles.items():
            column = self._find(name)
            if column is not None and role not in self.columns and column in self.free:
                self._assign(role, column, 0.98, why)
        if known.boxes is not None and self.boxes is None:
            found = [self._find(name) for name in known.boxes]
            if all(found):
                self.boxes = (str(found[0]), str(found[1]), str(found[2]), str(found[3]))
                self.box_style = known.box_style
                self.guesses.append(Guess(role="box", value=", ".join(self.boxes), confidence=0.98, why=why))
        if not self.labels:
            if known.after is not None:
                behind = self.names[self.names.index(str(self._find(known.after))) + 1 :]
                self.labels = tuple(name for name in behind if name in self.free and self._is_state(name))
            else:
                self.labels = tuple(name for name in map(self._find, known.labels) if name is not None and name in self.free)
            if self.labels:
                shown = ", ".join(self.labels[:6]) + (f" and {len(self.labels) - 6} more" if len(self.labels) > 6 else "")
                self.guesses.append(Guess(role="label", value=shown, confidence=0.98, why=why))
        self.notes += known.notes

    def _find_boxes(self) -> None:
        if self.boxes is not None:
            return
        by_name = {plain(name): name for name in self.free}
        for style, keys in (
            ("corners", ("xmin", "ymin", "xmax", "ymax")), ("corners", ("x0", "y0", "x1", "y1")),
            ("corners", ("x1", "y1", "x2", "y2")), ("corners", ("left", "top", "right", "bottom")),
            ("size", ("x", "y", "width", "height")), ("size", ("x", "y", "w", "h")), ("size", ("bboxx", "bboxy", "bboxw", "bboxh")),
        ):  # fmt: skip
            if all(key in by_name for key in keys):
                found = tuple(by_name[key] for key in keys)
                if all(self.profiles[name].numeric for name in found):
                    self.boxes = (found[0], found[1], found[2], found[3])
                    self.box_style = "corners" if style == "corners" else "size"
                    why = f"four numbers called {', '.join(keys)}"
                    self.guesses.append(Guess(role="box", value=", ".join(found), confidence=0.9, why=why))
                    return

    def _find_split(self) -> None:
        if "split" in self.columns:
            return
        best: tuple[float, str, str] | None = None
        for name in self.free:
            seen = self.profiles[name]
            if not seen.distinct or seen.distinct > 8 or not all(split_name(value) for value in seen.sample):
                continue
            named = name_score(name, "split")
            confidence = 0.98 if named else (0.85 if seen.distinct > 1 else 0.5)
            why = f"every value is a split: {', '.join(sorted(seen.sample)[:4])}"
            if confidence > 0.5 and (best is None or confidence > best[0]):
                best = (confidence, name, why)
        if best is not None:
            self._assign("split", best[1], best[0], best[2])

    def _find_path(self) -> None:
        if "path" in self.columns:
            return
        best: tuple[float, str, str] | None = None
        for name in self.free:
            seen = self.profiles[name]
            if not seen.distinct:
                continue
            named = name_score(name, "path")
            share = self.resolving.get(name, 0.0)
            if "://" in seen.sample[0]:
                continue
            alike = sum(map(looks_like_image_name, seen.sample)) / max(len(seen.sample), 1)
            if share >= 0.5:
                confidence, why = (
                    0.7 + 0.28 * share + 0.01 * named + 0.005 * alike,
                    f"{share:.0%} of its names are files of the dataset",
                )
            elif alike >= 0.9:
                confidence, why = 0.8 + 0.1 * named, f"{alike:.0%} of its values end as image files do"
            elif named == 1 and seen.distinct > max(seen.rows / 10, 1) and name_score(name, "patient") < 1:
                confidence, why = 0.6, "called like a column of images, a value for each"
            else:
                continue
            if best is None or confidence > best[0]:
                best = (confidence, name, why)
        if best is not None:
            self._assign("path", best[1], best[0], best[2])

    def _find_named(self, role: str) -> None:
        if role in self.columns:
            return
        best: tuple[float, str, str] | None = None
        for name in self.free:
            seen, named = self.profiles[name], name_score(name, role)
            if not named or not seen.distinct:
                continue
            few = 1 < seen.distinct <= max(50, seen.rows // 20)
            if role == "time":
                dates = sum(_DATE.match(value) is not None for value in seen.sample) / max(len(seen.sample), 1)
                if dates < 0.9:
                    continue
                confidence, why = 0.9 * named, f"called so, and {dates:.0%} of its values are dates"
            elif role in ("site", "fold"):
                if not few or (role == "fold" and not seen.numeric and seen.distinct > 20):
                    continue
                confidence, why = 0.85 * named, f"called so, {seen.distinct:,} values for {seen.rows:,} rows"
            else:
                if 1 < seen.distinct < seen.filled:
                    confidence, why = 0.95 * named, f"called so, {seen.distinct:,} values for {seen.filled:,} rows"
                else:
                    each = "one value for all rows" if seen.distinct == 1 else "another value in every row"
                    confidence, why = 0.5 * named, f"called so, but {each}"
            if best is None or confidence > best[0]:
                best = (confidence, name, why)
        if best is not None:
            self._assign(role, best[1], best[0], best[2])

    def _find_mask(self) -> None:
        for name in self.free:
            seen = self.profiles[name]
            alike = bool(seen.sample) and sum(map(looks_like_image_name, seen.sample)) >= 0.9 * len(seen.sample)
            if "mask" not in self.columns and name_score(name, "mask") and (alike or self.resolving.get(name, 0) >= 0.5):
                self._assign("mask", name, 0.9, "called so, and its values are files")

    def _find_raters(self) -> None:
        if self.raters or "rater" in self.columns:
            return
        groups: dict[str, list[str]] = {}
        for name in self.free:
            stem = _stem(name)
            if stem is not None and 0 < self.profiles[name].distinct <= 50:
                groups.setdefault(stem, []).append(name)
        for stem, members in groups.items():
            if len(members) < 2 or not set(words(stem)) & RATER_WORDS:
                continue
            sets = [set(map(str, self.profiles[name].values)) for name in members]
            common, every = set.intersection(*sets), set.union(*sets)
            if len(common) >= 0.3 * len(every) and len(every) <= 50:
                self.raters = tuple(members)
                why = f"{len(members)} columns of one name pattern with the same {len(every)} values"
                self.guesses.append(Guess(role="rater", value=", ".join(members), confidence=0.9, why=why))
                return
        for name in self.free:
            seen = self.profiles[name]
            if name_score(name, "rater") and 1 < seen.distinct < seen.filled and seen.distinct <= seen.rows / 2:
                others = [
                    other for other in self.names
                    if other != name and self.profiles[other].distinct > 1 and self.profiles[other].filled == seen.rows
                ]  # fmt: skip
                if any(self._repeats(other, name) for other in others):
                    self._assign("rater", name, 0.9, f"called so, {seen.distinct:,} raters, and several read the same record")
                    return

    def _repeats(self, other: str, rater: str) -> bool:
        """Records of `other` have several rows, (almost) each by another rater."""
        seen = self.profiles[other]
        if seen.distinct < 2 or seen.distinct >= seen.rows * 0.95 or seen.distinct <= 20 < seen.rows / 20:
            return False
        pairs = pd.DataFrame({"a": self.frame[other].cat.codes, "b": self.frame[rater].cat.codes})
        return len(pairs.drop_duplicates()) > seen.distinct

    def _find_item(self) -> None:
        """Without a path, what names the record: of a long table of answers, or another value in every row."""
        if "path" in self.columns or "item" in self.columns:
            return
        rater = self.columns.get("rater")
        if rater is not None:
            candidates = [name for name in self.free if self._repeats(name, rater) and not self._is_answer(name)]
        else:
            seen = self.profiles
            candidates = [n for n in self.free if name_score(n, "item") == 1 and seen[n].distinct == seen[n].rows > 1]
        candidates.sort(key=lambda name: (-name_score(name, "item"), -self.profiles[name].distinct))
        if candidates:
            name = candidates[0]
            each = "each read by several raters" if rater is not None else "another one in every row"
            confidence = 0.85 if name_score(name, "item") else 0.6
            self._assign("item", name, confidence, f"{self.profiles[name].distinct:,} values, {each}")

    def _is_answer(self, name: str) -> bool:
        return bool(name_score(name, "answer"))

    def _is_state(self, name: str) -> bool:
        """Only 1, 0, −1, blank and the like."""
        seen = self.profiles[name]
        return seen.distinct <= 8 and all(value.lower() in STATE_VALUES for value in map(str, seen.values))

    def _label_score(self, name: str) -> tuple[float, str]:
        seen = self.profiles[name]
        if not seen.distinct or set(words(name)) & NOT_A_LABEL:
            return 0.0, ""
        exact = plain(name) in {plain(other) for other in LABEL_NAMES}
        part = bool(set(words(name)) & {word for other in LABEL_NAMES for word in words(other)})
        limit = min(1000, max(seen.filled / 2, 2))
        clinical = sum(bool(set(words(value)) & CLINICAL_WORDS) for value in seen.sample) / len(seen.sample)
        if seen.distinct > limit:
            cells = {part for value in seen.sample for mark in "|;" for part in split_cell(value, mark)}
            if (exact or part) and seen.numeric:
                return (0.7 if exact else 0.5), f"called so, {seen.distinct:,} different numbers"
            if not ((exact or part) and len(cells) < len(seen.sample) / 2):
                return 0.0, ""
        score = (0.85 if exact else 0.65 if part else 0.15) + 0.1 * (2 <= seen.distinct <= 20) + 0.5 * clinical
        if not exact and not part and seen.distinct < 2:
            return 0.0, ""
        what = "called so" if exact or part else "its values are clinical words"
        return min(score, 0.97), f"{what}, {seen.distinct:,} values"

    def _find_labels(self, known: KnownHeader | None, separator: str | None, task: str | None) -> tuple[Style, str]:
        long = "rater" in self.columns
        if long and "answer" not in self.columns and not (known is not None and self.labels):
            answers = [name for name in self.free if self._label_score(name)[0] >= LABEL_THRESHOLD or self._is_answer(name)]
            answers = [name for name in answers if not self._truth(name)]
            answers.sort(key=lambda name: (-name_score(name, "answer"), -self._label_score(name)[0]))
            if answers:
                self._assign("answer", answers[0], 0.85, "what the raters said")
        if not self.labels:
            self._guess_labels(long)
        if not self.labels:
            return "none", "|"
        if len(self.labels) > 1:
            return "columns", "|"
        seen = self.profiles[self.labels[0]]
        mark = separator or (known.separator if known is not None else None) or _separator(seen)
        if task in ("single", "ordinal", "continuous"):
            return task, mark or "|"  # type: ignore[return-value]  # the three are styles
        if mark is not None or task == "multi":
            return "joined", mark or "|"
        if known is not None and known.ordinal and self.labels[0] == self._find(known.labels[0]):
            return "ordinal", "|"
        if seen.numeric and seen.distinct > 20 and seen.distinct > seen.filled / 50 and _fractional(seen):
            return "continuous", "|"
        if seen.numeric and seen.distinct > 50:
            return "continuous", "|"
        grades = bool(
            set(words(self.labels[0])) & {"grade", "level", "stage", "severity", "score", "kl", "birads", "isup", "gleason"}
        )
        if grades and 2 < seen.distinct <= 12 and all(re.fullmatch(r"-?\d+(\.0)?", str(value)) for value in seen.values):
            return "ordinal", "|"
        return "single", "|"

    def _truth(self, name: str) -> bool:
        return bool(set(words(name)) & TRUTH_NAMES)

    def _guess_labels(self, long: bool) -> None:
        candidates = self.free if not (long or self.raters) else [name for name in self.free if self._truth(name)]
        scored = [(self._label_score(name), name) for name in candidates]
        scored = [((score, why), name) for (score, why), name in scored if score >= LABEL_THRESHOLD]
        best = max(scored, key=lambda entry: entry[0][0], default=None)
        states = [] if long or self.raters else self._state_run()
        one_hot = len(states) > 1 and self._one_hot(states)
        if one_hot and (best is None or best[0][0] < 0.9 or best[1] in states):
            why = f"{len(states)} columns of 0 and 1, exactly one of them 1 in every row"
            self._set_columns(states, 0.92, why)
        elif len(states) > 2 and (best is None or best[1] in states):
            self._set_columns(states, 0.65, f"{len(states)} columns of 1, 0, −1 or blank side by side")
        elif best is not None:
            (score, why), name = best
            self.labels = (name,)
            self.guesses.append(Guess(role="label", value=name, confidence=round(score, 2), why=why))

    def _set_columns(self, states: Sequence[str], confidence: float, why: str) -> None:
        self.labels = tuple(states)
        shown = ", ".join(states[:6]) + (f" and {len(states) - 6} more" if len(states) > 6 else "")
        self.guesses.append(Guess(role="label", value=shown, confidence=confidence, why=why))

    def _state_run(self) -> list[str]:
        """The longest run of neighbouring columns of states that are not called like age, sex or a flag."""
        best: list[str] = []
        run: list[str] = []
        free = set(self.free)
        for name in [*self.names, ""]:
            if name in free and self._is_state(name) and self.profiles[name].distinct and not set(words(name)) & NOT_A_LABEL:
                run.append(name)
            else:
                best = run if len(run) > len(best) else best
                run = []
        return best

    def _one_hot(self, names: Sequence[str]) -> bool:
        total = np.zeros(len(self.frame), np.int64)
        for name in names:
            categories = self.frame[name].cat.categories.astype("str")
            values = np.array(
                [1 if v.lower() in ("1", "1.0", "true") else 0 if v.lower() in ("0", "0.0", "false") else 9 for v in categories]
            )
            total += values[self.frame[name].cat.codes.to_numpy()]
        return bool((total == 1).all())

    def _twins(self, known: KnownHeader | None) -> tuple[str, ...]:
        """Columns called like a label that determine it: the label again, in other words or finer."""
        twins = [name for name in map(self._find, known.twins if known else ()) if name in self.free]
        if len(self.labels) == 1:
            label = self.frame[self.labels[0]].cat.codes.to_numpy()
            for name in self.free:
                score = self._label_score(name)[0]
                if name in twins or score < 0.65 or self.profiles[name].distinct > 1000:
                    continue
                other = self.frame[name].cat.codes.to_numpy()
                pairs = len(pd.DataFrame({"a": other, "b": label}).drop_duplicates())
                if pairs == len(np.unique(other)):
                    twins.append(name)
        if twins:
            self.notes.append(f"also called like a label, and determining it: {', '.join(map(str, twins))}; no metadata")
        return tuple(str(name) for name in twins)

    def _level(self) -> Level:
        if "path" in self.columns or "item" in self.columns:
            return "image"
        for role, level in (("series", "series"), ("study", "study"), ("lesion", "lesion"), ("patient", "patient")):
            if role in self.columns:
                return level  # type: ignore[return-value]  # the four are levels
        return "image"


def _stem(name: str) -> str | None:
    """`reader_1`, `Reader A`, `grader-3` → what they share; None without a number or a single letter at one end."""
    found = re.fullmatch(r"(.*?[A-Za-z])[ _.-]?(\d{1,3}|(?<=[ _.-])[A-Za-z])", name) or re.fullmatch(
        r"(.*[A-Za-z])[ _.-]?(\d{1,3})(?:[ _.-][A-Za-z]+)", name
    )
    return found[1].rstrip(" _.-") if found else None


def _separator(seen: Profile) -> str | None:
    """The mark between several labels of one cell: some cells hold it, and the parts recur."""
    for mark in ("|", ";"):
        several = [value for value in seen.sample if mark in value]
        if not several or seen.distinct < 2:
            continue
        parts = {part for value in seen.sample for part in split_cell(value, mark)}
        share = sum(int(c) for v, c in zip(seen.values, seen.counts, strict=True) if mark in str(v)) / max(seen.filled, 1)
        if share >= 0.01 and len(parts) <= max(2 * len(several), len(seen.sample)) and len(parts) < 1000:
            return mark
    lists = [value for value in seen.sample if value.startswith("[") and value.endswith("]")]
    return "," if lists and len(lists) >= 0.9 * len(seen.sample) else None


def _fractional(seen: Profile) -> bool:
    return any(not float(value).is_integer() for value in seen.sample)
