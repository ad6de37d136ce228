"""What a JSON sidecar (BIDS, dcm2niix) tells of people, field by field; no value leaves here. Read in a worker, by name.

Also who the records of a medium's DICOMDIR name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from auditor.containers.source import read_json_document, read_source
from auditor.evidence.privacy.described import PLACE, PLACES
from auditor.evidence.privacy.dicom_privacy import dicom_exposure
from auditor.evidence.privacy.ps315 import profile
from auditor.values.errors import UnreadableFile
from auditor.values.fields import words
from auditor.values.image import Limits
from auditor.values.person_columns import column_kind, fits_kind
from auditor.values.privacy import Privacy, TableLook, kinds_in

MOST_BYTES = 1 << 20
"""A sidecar has a few thousand bytes; a larger JSON file that is no table is told as not looked into."""
MOST_FIELDS = 20_000
MOST_DEPTH = 40
OTHER = "another field, or the name of one"
_AUTHORED = frozenset((
    "authors", "author", "creator", "creators", "contributor", "contributors", "maintainer", "maintainers", "contact",
    "publisher", "acknowledgements", "funding", "howtoacknowledge", "referencesandlinks", "citation", "cite", "info", "licence",
    "license", "url", "description", "generatedby", "sourcedatasets",
))  # fmt: skip
"""Who made a collection says so on purpose."""


def fields_of(limits: Limits, path: Path, name: str, rules: Privacy) -> TableLook | None:
    """A JSON object (or a list of such) as fields, at any depth; None where it is none, or too large to look into.

    `key` is empty: whether a file could undo a de-identification is asked elsewhere. `rows` is 0 where it holds a table.
    For `auditor.reading.jobs`.
    """
    try:
        content = read_json_document(path, replace(limits, document_bytes=min(MOST_BYTES, limits.document_bytes)))
    except UnreadableFile:
        return None
    if not isinstance(content, dict | list):
        return None
    found: dict[str, str] = {}
    for field, value in _walk(content):
        kind = _kind(field, value, name, rules)
        if kind:
            # what a field is called may itself be a name: only what everybody calls so is shown
            found[field if field in _persons() | PLACES or column_kind(words(field)) else OTHER] = kind
    lists = [content] if isinstance(content, list) else [v for v in content.values() if isinstance(v, list)]
    rows = 0 if any(isinstance(member, dict) for inner in lists for member in inner[:1]) else 1
    return TableLook(name=name, rows=rows, columns=found, is_table=False)


def _walk(content: object) -> Iterator[tuple[str, str]]:
    """Every text and number with the name of the nearest field around it, except below fields of authors."""
    waiting: list[tuple[str, object, int]] = [("", content, 0)]
    for _ in range(MOST_FIELDS):
        if not waiting:
            return
        field, value, depth = waiting.pop()
        if depth > MOST_DEPTH:
            continue
        if isinstance(value, dict):
            kept = [(key, inner) for key, inner in value.items() if key.casefold() not in _AUTHORED]
            yield from (("", key) for key, _ in kept)
            waiting += [(key, inner, depth + 1) for key, inner in kept]
        elif isinstance(value, list):
            waiting += [(field, inner, depth + 1) for inner in value]
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield field, str(value)


def _kind(field: str, value: str, path: str, rules: Privacy) -> str:
    """What a field seems to hold; empty for nothing. A field that DICOM knows is judged as DICOM's."""
    if not value.strip() or not rules.is_real(value):
        return ""
    if field in PLACES:
        return PLACE
    if field in _persons():
        # the subject of the file's own path is the pseudonym that everybody sees
        return "" if field == "PatientID" and value.casefold().removeprefix("sub-") in path.casefold() else "person"
    listed = words(field)
    # a bare `Name` is as often that of a collection
    kind = column_kind(listed) if listed != ["name"] else None
    if kind is not None and fits_kind(kind, listed, [value], 1):
        return kind
    held = {seen for seen in kinds_in(value) if seen != "date"}
    return ", ".join(sorted(held)) if "/" not in value else ""


@cache
def _persons() -> frozenset[str]:
    return frozenset(entry.keyword for entry in profile().values() if entry.tier == "person")


def directory_of(limits: Limits, path: Path, name: str, rules: Privacy) -> TableLook:
    """A DICOMDIR, or a DICOM file that is no record: the elements that name a person, at any depth; for `auditor.reading.jobs`.

    Raises:
        UnreadableFile: it cannot be read.
    """
    found = dicom_exposure(read_source(path, limits).content, "", rules, limits)
    named = filter(None, found.get("person", "").split("+"))
    return TableLook(name=name, rows=1, columns=dict.fromkeys(named, "person"), is_table=False)
