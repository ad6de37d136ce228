"""What the tables of a dataset tell of people, by the names of their columns and by their first rows; no value leaves here."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from auditor.naming.suffixes import looks_like_file_name
from auditor.placement.listing import Listing
from auditor.reading.jobs import Job, run_documents
from auditor.tables.tables import preview_table, table_format
from auditor.values.errors import DatasetError
from auditor.values.fields import words
from auditor.values.person_columns import column_kind, fits_kind
from auditor.values.privacy import Privacy, TableLook, addresses_somebody, kinds_in

MOST_BYTES = 64 << 20
"""A larger JSON file is not looked into: unlike the other tables it must be read whole."""
SHARE = 0.5
"""A column holds names or numbers of records when this share of its filled cells look like it."""
PROSE = 40
"""Cells of so many characters are sentences."""
NAMED_IN_PROSE = 0.02
_KEY_FILE = re.compile(
    r"(?:^|[^a-z])(?:cross[-_ ]?walk|linkage|linking|re[-_ ]?identif\w*|de[-_ ]?id[-_ ]?(?:key|map\w*)|"
    r"(?:id|key|pseudonym|patient|subject|mrn)s?[-_ ]?(?:map\w*|key|link|lookup|code[-_ ]?book))(?:[^a-z]|$)"
)
_REAL = frozenset(("original", "orig", "real", "true", "old", "mrn"))
_CODED = frozenset(
    ("anon", "anonymous", "anonymized", "anonymised", "deid", "deidentified", "pseudo", "pseudonym", "coded", "new")
)


def look_at_tables(listing: Listing, rules: Privacy, *, workers: int = 1) -> tuple[TableLook, ...]:
    """Every table (its first 256 KiB), and other files by their names alone; all are read in workers."""
    looks: list[TableLook] = []
    described = _described(listing, rules, workers)
    for name in listing.inventory.tables:
        path = listing.root / name
        by_name = "its name says so" if _KEY_FILE.search(name.lower()) else ""
        if table_format(name) == "json" and size_of(path) > MOST_BYTES:
            looks.append(TableLook(name=name, rows=0, key=by_name))
            continue
        around = described.get(name)
        if around is not None and around.rows:  # no table at all, and there may be thousands of such
            looks.append(replace(around, key=by_name))
            continue
        try:
            frame = preview_table(path, listing.limits).frame
        except DatasetError:
            named = TableLook(name=name, rows=0) if around is None else replace(around, rows=1)
            looks.append(replace(named, key=by_name))
            continue
        columns = {str(column): kinds for column in frame.columns if (kinds := kinds_of(str(column), frame[column], rules))}
        key = by_name or ("it holds old and new ids side by side" if _links([str(c) for c in frame.columns]) else "")
        headers = tuple(map(str, frame.columns))
        looks.append(TableLook(name=name, rows=len(frame), columns=columns, key=key, headers=headers))
        if around is not None:  # what stands around the list that was taken for the table
            others_there = {field: kinds for field, kinds in around.columns.items() if field not in frame.columns}
            looks += [replace(around, rows=1, columns=others_there)] if others_there else []
    looks += [
        TableLook(name=name, rows=0, key="its name says so")
        for name in listing.inventory.other
        if _KEY_FILE.search(name.rpartition("/")[2].lower())
    ]
    return tuple(looks)


def _described(listing: Listing, rules: Privacy, workers: int) -> dict[str, TableLook]:
    """JSON files as fields, by their names, as far as they are small; one that cannot be read is told as a table is."""
    names = [name for name in listing.inventory.tables if table_format(name) == "json"]
    function = "auditor.evidence.privacy.beside:fields_of"
    jobs = [Job(function=function, arguments=(listing.root / name, name, rules)) for name in names]
    found: dict[str, TableLook] = {}
    for name, answer in zip(names, run_documents(jobs, listing.limits, workers=workers), strict=True):
        if answer.raised is None and answer.returned is not None:
            found[name] = answer.returned
    return found


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where it went away meanwhile."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def kinds_of(name: str, column: object, rules: Privacy) -> str:
    """What a categorical column of text seems to hold, in words; empty for nothing."""
    values = [str(value) for value in column.cat.categories if str(value)]  # type: ignore[attr-defined]
    real = [value for value in values if rules.is_real(value)]
    if not real:
        return ""
    found = set()
    listed = words(name)
    kind = column_kind(listed)
    # `name` of a file list holds names of files, not of people.
    files = sum(_is_path(value) or looks_like_file_name(value) for value in real)
    if kind is not None and files < SHARE * len(real) and fits_kind(kind, listed, real, len(column)):  # type: ignore[arg-type]
        found.add(kind)
    counts: dict[str, int] = {}
    for value in real:
        for seen in kinds_in(value):
            counts[seen] = counts.get(seen, 0) + 1
    # a path or a series of days is no name: dates alone tell only where the column says that it is about a person
    if sum(map(_is_path, real)) < SHARE * len(real):
        found |= {seen for seen, count in counts.items() if seen != "date" and count >= SHARE * len(real)}
    texts = [value for value in real if len(value) >= PROSE]
    if len(texts) >= SHARE * len(real) and sum(map(addresses_somebody, texts)) >= max(2, NAMED_IN_PROSE * len(texts)):
        found.add("name")  # a report names its patient or its readers in some of its rows
    return ", ".join(sorted(found))


def _is_path(value: str) -> bool:
    """`a/b.png`; not `3/7/51`, and no sentence that holds a slash."""
    return ("/" in value or "\\" in value) and " " not in value and any(letter.isalpha() for letter in value)


def _links(columns: list[str]) -> bool:
    """One column of real ids and one of coded ids: `original_id, anon_id`."""
    ids = [set(words(name)) for name in columns if {"id", "ids", "uid", "mrn", "name"} & set(words(name))]
    return any(_REAL & one for one in ids) and any(_CODED & one and not _REAL & one for one in ids)
