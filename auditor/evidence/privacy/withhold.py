"""The gate of every output: what comes from the data is shown where it can name nobody, and else by its place.

Parts of paths that seem to name a person are shown as `withheld-1`; headers, sites, readers, splits and cells that are made of
other than ordinary words as `column 7`, `site 2`, `reader 3` (`auditor.evidence.privacy.places`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

from auditor.evidence.privacy.exposure import holders
from auditor.evidence.privacy.path_names import named_parts
from auditor.evidence.privacy.places import Places, places_of
from auditor.naming.suffixes import suffix_of
from auditor.values.dataset import Dataset
from auditor.values.privacy import hush, kinds_in, may_tell

T = TypeVar("T")
OWN_HEADER = "value of its own header"
SHORTEST = 4
"""A shorter name is not looked for inside other texts: it would be found everywhere."""


def telling_parts(dataset: Dataset) -> dict[str, frozenset[str]]:
    """Parts of the dataset's paths that tell of a person → kinds: those of `kinds_in`, and `OWN_HEADER` where a part repeats
    the value of an identifying DICOM element of its file, and those that an earlier scan of the same records found. Declared
    pseudonyms are none.
    """
    whole: set[str] = set(dataset.records["path"].dropna()) | set(dataset.records["mask"].dropna())
    whole |= {problem.path for problem in dataset.problems} | {look.name for look in dataset.tables}
    whole |= {dataset.summary.name, dataset.root.name}
    for frame in (dataset.boxes, dataset.rater_masks, dataset.channels, dataset.checksums):  # what documents name
        whole |= set(frame["path"].dropna().unique()) if "path" in frame.columns else set()
    parts = {part for path in whole for part in path.split("/")}
    found: dict[str, frozenset[str]] = {}
    named = named_parts(parts)
    for part in parts:
        kinds = (kinds_in(part) if may_tell(part) else frozenset()) | ({"name"} if part in named else frozenset())
        if kinds and dataset.privacy.is_real(stem(part)):
            found[part] = kinds
    paths = dataset.records["path"]
    for name, mask in holders(dataset.exposure, "path").items():
        at = int(name.rpartition("@")[2])
        for path in paths[mask.to_numpy()].dropna().unique():
            part = str(path).split("/")[at]
            found[part] = found.get(part, frozenset()) | {OWN_HEADER}
    earlier = {stem(part): kinds for part, kinds in dataset.privacy.telling}
    for part in parts:
        if stem(part) in earlier:
            found[part] = found.get(part, frozenset()) | earlier[stem(part)]
    return dict(sorted(found.items()))


def stem(part: str) -> str:
    """A file's name without its suffix."""
    suffix = suffix_of(part)
    return part[: -len(suffix) - 1] if suffix else part


class Names(dict[str, str]):
    """Part of a path → what is shown in its place; `places` holds what is shown of all other texts of the dataset."""

    places: Places = Places()


def withheld_names(dataset: Dataset) -> Names:
    """What is shown in the place of what could name a person: parts of paths, numbered in the order of the sorted parts, with
    and without suffix; and all other texts of the dataset."""
    names = Names(part_names(dataset))
    names.places = places_of(dataset)
    return names


def part_names(dataset: Dataset) -> dict[str, str]:
    """Part of a path → what is shown in its place; those of an earlier scan are called as they were there."""
    names: dict[str, str] = {}
    numbers = {part: number for number, part in enumerate(dict(dataset.privacy.telling), 1)}
    called = {stem(part): number for part, number in numbers.items()}
    for part in telling_parts(dataset):
        numbers.setdefault(part, called.get(stem(part), len(set(numbers.values())) + 1))
    for part, number in numbers.items():
        suffix = suffix_of(part)
        tail = f".{suffix}" if suffix and not may_tell(suffix) and len(suffix) <= 6 else ""
        names[part] = f"withheld-{number}{tail}"
        if tail and len(stem(part)) >= SHORTEST:
            names.setdefault(stem(part), f"withheld-{number}")
    return names


def withhold(value: T, names: Mapping[str, str]) -> T:
    """The same value with every name replaced in every text that it holds, at any depth, and the texts hushed."""
    done: T = Withholding(names).of(value)
    return done


_TELL_NOTHING = frozenset((int, float, bool, type(None)))


class Withholding:
    """Replaces names in texts; equal texts are looked at once."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self.places = names.places if isinstance(names, Names) else Places()
        self.lengths = sorted({len(name) for name in names if len(name) >= SHORTEST}, reverse=True)
        self.seen: dict[str, str] = {}

    def of(self, value: Any) -> Any:
        """A dataclass, mapping, sequence or text with the names replaced."""
        if isinstance(value, str) and type(value) is str:
            return self.text(value)
        if is_dataclass(value) and not isinstance(value, type):
            changed = {f.name: self.of(getattr(value, f.name)) for f in fields(value) if f.init}
            return replace(value, **changed)
        if isinstance(value, Mapping):
            return {self.of(key): self.of(item) for key, item in value.items()}
        if isinstance(value, np.ndarray):
            return value if value.dtype != object else np.array([self.of(item) for item in value], dtype=object)
        if isinstance(value, list | tuple):
            return self._each(value)
        return value

    def _each(self, values: list[Any] | tuple[Any, ...]) -> Any:
        """A sequence. Columns of a table are long and of one kind: numbers stay as they are, equal texts change at once."""
        kinds = set(map(type, values))
        if kinds <= _TELL_NOTHING:
            return values
        if kinds <= _TELL_NOTHING | {str}:
            changed = {text: self.text(text) for text in set(values) if type(text) is str}
            return type(values)([changed.get(item, item) for item in values])
        return type(values)([self.of(item) for item in values])

    def text(self, text: str) -> str:
        """Parts between slashes first, then whatever stands inside other words."""
        known = self.seen.get(text)
        if known is None:
            known = text
            if self.names:
                known = self._inside("/".join(self.names.get(part, part) for part in text.split("/")))
            known = hush(self.places.shown(known))
            self.seen[text] = known
        return known

    def _inside(self, text: str) -> str:
        for length in self.lengths:
            at = 0
            while at + length <= len(text):
                new = self.names.get(text[at : at + length])
                if new is None:
                    at += 1
                else:
                    text = text[:at] + new + text[at + length :]
                    at += len(new)
        return text
