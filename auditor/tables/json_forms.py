"""The forms in which JSON says what each image is, as records of one table.

A list of objects is a table as it stands. People also write `{"1.png": "normal"}`, `{"1.png": {"age": 40, "label": "x"}}`,
`{"normal": ["1.png"]}`, one of these per split, pairs (`{"labels": [["1.png", 6]]}`), and columns
(`{"image": [...], "label": [...]}`), as pandas does. Programs that call images by ids write `{"6f1c…": {"label": "x"}}` without
a suffix, and pandas `{"0": {"image": "1.png", "label": "x"}}`: whether such keys are images, who reads the table finds out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.naming.names import split_name
from auditor.naming.suffixes import looks_like_image_name
from auditor.tables.profiles import NUMBER

IMAGE, LABEL, SPLIT = "image", "label", "split"
KEY = "key"
"""The column of keys that may be anything: images, cases, classes, runs."""
LEAST_TEXTS = 5
NAMED = 0.9
"""Of the keys so many end as image files do."""
LEAST_KEYS = 5
"""Fewer objects under names that are no images are the parts of a document."""
FILLED = 0.5
"""So many of all columns each record has, where objects are records and no parts of a document."""

Records = list[Mapping[str, Any]]


class NamedTwice(ValueError):
    """An object has two members of one image: which is meant, nobody knows."""


def named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members.

    Raises:
        NamedTwice: an image is among them twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen and looks_like_image_name(name):
                raise NamedTwice(name)
            seen.add(name)
    return found


def records_of(data: Any) -> Records | None:
    """The records of a JSON document; None where it is no table."""
    if isinstance(data, list):
        return _listed(data)
    if not isinstance(data, dict) or not data:
        return None
    return _by_image(data) or _by_class(data) or _columns(data) or _by_key(data) or _by_split(data) or _wrapped(data)


def _listed(data: list[Any]) -> Records | None:
    """Objects, or an image and what it is in each."""
    if data and all(isinstance(record, dict) for record in data):
        return data
    pairs = bool(data) and all(isinstance(row, list) and len(row) == 2 for row in data)
    if pairs and _names([row[0] for row in data]) and not any(isinstance(row[1], dict) for row in data):
        return [{IMAGE: name, LABEL: said} for name, said in data]
    return None


def _by_image(data: Mapping[str, Any]) -> Records | None:
    """Image → what it is, or image → its columns."""
    if not _names(list(data)):
        return None
    if all(isinstance(said, dict) for said in data.values()):
        return [{IMAGE: name, **{key: value for key, value in said.items() if key != IMAGE}} for name, said in data.items()]
    if any(isinstance(said, dict) for said in data.values()) or _are_words(list(data.values())):
        return None
    return [{IMAGE: name, LABEL: said} for name, said in data.items()]


def _by_key(data: Mapping[str, Any]) -> Records | None:
    """Id or number of a row → its columns, or id → one of a few words; parts of a document, and settings, are neither."""
    if len(data) < LEAST_KEYS:
        return None
    if _are_rows(list(data.values())):
        columns = dict.fromkeys(name for row in data.values() for name in row)
        if any(_names([row[name] for row in data.values() if row.get(name) is not None]) for name in columns):
            return list(data.values())
        return [{KEY: key, **{name: cell for name, cell in row.items() if name != KEY}} for key, row in data.items()]
    said = list(data.values())
    recur = all(isinstance(one, (str, int)) for one in said) and 1 < len(set(said)) <= len(said) / 2
    numbered = all(any(map(str.isdigit, key)) for key in data)
    return [{KEY: key, LABEL: one} for key, one in data.items()] if recur and numbered else None


def _are_rows(rows: Sequence[Any]) -> bool:
    """Objects of the same few plain cells."""
    if not all(isinstance(row, dict) and row for row in rows):
        return False
    columns = {name for row in rows for name in row}
    plain = all(cell is None or isinstance(cell, (str, int, float)) for row in rows for cell in row.values())
    return plain and all(len(row) >= FILLED * len(columns) for row in rows)


def _by_class(data: Mapping[str, Any]) -> Records | None:
    """Class → its images; or split → its images."""
    if not all(isinstance(names, list) and (not names or _names(names)) for names in data.values()) or not any(data.values()):
        return None
    key = SPLIT if all(split_name(name) for name in data) else LABEL
    return [{IMAGE: name, key: said} for said, names in data.items() for name in names]


def _columns(data: Mapping[str, Any]) -> Records | None:
    """Name of a column → its cells, in a list or by the number of the row; one of them names images."""
    if len(data) < 2:
        return None
    if all(isinstance(cells, dict) for cells in data.values()):
        rows = list(next(iter(data.values())))
        if not rows or any(list(cells) != rows for cells in data.values()):
            return None
        cells_of: Mapping[str, Sequence[Any]] = {name: list(cells.values()) for name, cells in data.items()}
    elif all(isinstance(cells, list) for cells in data.values()) and len({len(cells) for cells in data.values()}) == 1:
        cells_of = data
    else:
        return None
    if not any(_names(cells) for cells in cells_of.values()):
        return None
    return [dict(zip(cells_of, row, strict=True)) for row in zip(*cells_of.values(), strict=True)]


def _by_split(data: Mapping[str, Any]) -> Records | None:
    """Split → any of these; what stands beside them is no table."""
    parts = {name: _part(part) for name, part in data.items()}
    named = [name for name in data if split_name(name)]
    if len(named) < 2 or any((parts[name] is None) is (name in named) for name in data):
        return None
    return [{SPLIT: name, **record} for name in named for record in parts[name] or []]


def _part(part: Any) -> Records | None:
    if isinstance(part, list):
        return _listed(part)
    return (_by_image(part) or _by_class(part) or _by_key(part)) if isinstance(part, dict) and part else None


def _wrapped(data: Mapping[str, Any]) -> Records | None:
    """The only table inside an object, beside its title and licence."""
    found = [records for part in data.values() if (records := _part(part)) is not None]
    return found[0] if len(found) == 1 else None


def _are_words(values: Sequence[Any]) -> bool:
    """Another text for every image: digests, addresses, captions, and no label."""
    texts = [value for value in values if isinstance(value, str) and not NUMBER.fullmatch(value.strip())]
    return len(texts) == len(values) >= LEAST_TEXTS and len(set(texts)) == len(texts)


def _names(values: Sequence[Any]) -> bool:
    """Names of images."""
    sample = values[:: max(len(values) // 1000, 1)]
    return bool(sample) and sum(isinstance(v, str) and looks_like_image_name(v) for v in sample) >= NAMED * len(sample)
