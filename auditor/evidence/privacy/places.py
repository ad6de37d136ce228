"""Headers, sites, readers, splits, ids and cells that are not made of ordinary words, and the place that is shown instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from auditor.values.dataset import Dataset
from auditor.values.ordinary import is_code, is_harmless

OWN_WORDS = ("container.", "path.", "name.")
"""Metadata whose values are words of ours, or parts of the record ids."""
SHORTEST = 4
"""A single word of a withheld text is withheld too, unless it is shorter: it would be found everywhere."""
_WORD = re.compile(r"\w+")
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Text (as `_key` gives it) → what is shown for it.

    Args:
        of: the texts, and the words of theirs that are no ordinary ones.
        kept: texts that are shown whole: record ids and paths (which have rules of their own) and the names of classes.
    """

    of: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        longest: dict[str, int] = {}
        for key in self.of:
            words = _WORD.findall(key)
            longest[words[0]] = max(longest.get(words[0], 0), len(words))
        object.__setattr__(self, "_longest", longest)

    def shown(self, text: str) -> str:
        """The text with what it holds of the dataset shown by its place, the longest first."""
        if not self.of or text in self.kept:
            return text
        longest: Mapping[str, int] = self._longest  # type: ignore[attr-defined]
        found = list(_WORD.finditer(text))
        pieces, done, at = [], 0, 0
        while at < len(found):
            most = longest.get(found[at][0].casefold(), 0)
            for last in range(min(at + most, len(found)) - 1, at - 1, -1):
                place = self.of.get(text[found[at].start() : found[last].end()].casefold())
                if place is not None:
                    before = text[done : found[at].start()]
                    pieces += [before, _after(before, place)]
                    done, at = found[last].end(), last
                    break
            at += 1
        return "".join([*pieces, text[done:]])


def _after(before: str, place: str) -> str:
    """The place as it stands behind these words: `the column 7`, where `the column` is said already."""
    word, _, rest = place.partition(" ")
    return rest if rest and re.search(rf"\b{word} $", before, re.IGNORECASE) else place


def places_of(dataset: Dataset) -> Places:
    """What of a dataset is shown by its place: a column by its number in the table, a value by its number when sorted."""
    kept = kept_texts(dataset)
    plain = {word.casefold() for name in kept for word in _LETTERS.findall(name)}
    of: dict[str, str] = {}
    for text, place, _ in told(dataset):
        for key in shown_keys(text, kept):
            of.setdefault(key, place)
            for word in _LETTERS.findall(key):
                if len(word) >= SHORTEST and word not in plain and not is_harmless(word):
                    of.setdefault(word, place)
    ids = {str(record) for record in dataset.records.index} | set(dataset.records["path"].dropna().astype(str))
    return Places(of=of, kept=frozenset(kept | ids))


def shown_keys(text: str, kept: frozenset[str]) -> list[str]:
    """What a text is looked for by; nothing for one that is shown as it is."""
    return [key] if text not in kept and (key := _key(text)) else []


def told(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    """Every text that is withheld, its place, and of which column or table it is: the most telling place first."""
    yield from ((name, place, of) for name, (place, of) in headers(dataset).items() if not is_harmless(name))
    for column, word in (("site", "site"), ("split", "split"), ("fold", "fold")):
        yield from _numbered(dataset.records, column, word, is_harmless)
    for column in ("patient", "study", "series", "lesion"):
        yield from _numbered(dataset.records, column, column, is_code)
    for frame in (dataset.annotations, dataset.rater_masks, dataset.boxes, dataset.points):
        yield from _numbered(frame, "rater", "reader", is_harmless)
    for name in dataset.metadata.columns:
        described = dataset.fields.get(name)
        if not str(name).startswith(OWN_WORDS) and not (described is not None and described.identifying):
            yield from _numbered(dataset.metadata, name, "value", is_harmless)


def headers(dataset: Dataset) -> dict[str, tuple[str, str]]:
    """Every header that is known of → `column 7`, and the table that holds it, as far as tables were looked at."""
    found: dict[str, tuple[str, str]] = {}
    for look in dataset.tables:
        for number, name in enumerate(look.headers, 1):
            found.setdefault(name, (f"column {number}", look.name))
    others = [str(name).removeprefix("table.") for name in dataset.metadata.columns if str(name).startswith("table.")]
    others += [field for look in dataset.tables for field in look.columns]
    # a role of several columns names them all in one text, which is the header of none
    named = [guess.column for guess in dataset.summary.guesses if guess.column]
    others += [part for column in named for part in ([column] if column in found else column.split(", "))]
    for name in others:
        found.setdefault(name, (f"withheld column {len(found) + 1}", "table"))
    return found


def kept_texts(dataset: Dataset) -> frozenset[str]:
    """Names of classes and of the values in masks: what a report is about."""
    return frozenset((*map(str, dataset.labels.classes), *dataset.summary.classes, *dataset.mask_names.values()))


def _numbered(frame: pd.DataFrame, column: str, word: str, allowed: Any) -> Iterable[tuple[str, str, str]]:
    if column not in frame.columns or pd.api.types.is_numeric_dtype(frame[column]) or pd.api.types.is_bool_dtype(frame[column]):
        return
    values = sorted({str(value) for value in frame[column].dropna().unique()})
    yield from ((value, f"{word} {number}", column) for number, value in enumerate(values, 1) if not allowed(value))


def _key(text: str) -> str:
    """From the first to the last character of a word, whatever the case; empty where there is none."""
    words = list(_WORD.finditer(text))
    return text[words[0].start() : words[-1].end()].casefold() if words else ""
