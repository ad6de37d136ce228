"""JSON records, corrected value by value: everything else of the text stays as it is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from auditor.tables.json_forms import records_of
from auditor.values.errors import DatasetError
from trainers.copying.forms.column import CorrectedColumn

_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"


def lines_written(
    content: bytes, lines: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_], columns: Sequence[CorrectedColumn]
) -> bytes:
    """JSON lines with the columns added; a row begins at `lines` (1-based)."""
    row_at = {int(line): row for row, line in enumerate(lines)}
    parts: list[str] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        text = line.decode("utf-8")
        row = row_at.get(number)
        if row is None:
            parts.append(text)
        elif kept[row]:
            parts.append(_corrected(text, row, columns))
    return "\n".join(parts).encode()


def list_written(name: str, content: bytes, kept: npt.NDArray[np.bool_], columns: Sequence[CorrectedColumn]) -> bytes:
    """A JSON list of objects, or an object that holds one such list, with the columns added. Of the other forms, which have no
    place for a further column, such a list is made, in which numbers keep their value."""
    text = content.decode("utf-8-sig")
    spans = _objects(text)
    if spans is None and (records := records_of(json.loads(text))):
        text = "[\n" + ",\n".join(json.dumps(record, ensure_ascii=False) for record in records) + "\n]\n"
        spans = _objects(text)
    if spans is None or len(spans) != len(kept):
        raise DatasetError(f"{name}: the list of objects was not found again; was the file changed meanwhile?")
    staying = [i for i in range(len(spans)) if kept[i]]
    start, end = spans[0][0], spans[-1][1]
    pieces = [_corrected(text[spans[i][0] : spans[i][1]], i, columns) for i in staying]
    # Between two objects stands what stood before the second of them.
    between = [text[spans[i - 1][1] : spans[i][0]] for i in staying[1:]]
    body = "".join(piece + (between[k] if k < len(between) else "") for k, piece in enumerate(pieces))
    return (text[:start] + body + text[end:]).encode()


def _objects(text: str) -> list[tuple[int, int]] | None:
    """Start and end of the objects of the table."""
    at = _skip(text, 0)
    if text.startswith("[", at):
        return _items(text, at)
    if not text.startswith("{", at):
        return None
    lists = [start for _, start, _ in _members(text, at) if text.startswith("[", start)]
    found = [spans for start in lists if (spans := _items(text, start)) and text.startswith("{", spans[0][0])]
    return found[0] if len(found) == 1 else None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _items(text: str, at: int) -> list[tuple[int, int]]:
    """Start and end of each value of the list that begins at `at`."""
    spans: list[tuple[int, int]] = []
    at = _skip(text, at + 1)
    while not text.startswith("]", at):
        _, end = _DECODER.raw_decode(text, at)
        spans.append((at, end))
        at = _skip(text, end)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
    return spans


def _members(text: str, at: int) -> list[tuple[str, int, int]]:
    """Key, start and end of each value of the object that begins at `at`."""
    found: list[tuple[str, int, int]] = []
    at = _skip(text, at + 1)
    while not text.startswith("}", at):
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found.append((key, start, end))
        at = _skip(text, end)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
    return found


def _corrected(text: str, row: int, columns: Sequence[CorrectedColumn]) -> str:
    """The text of one object with its corrected members, each right after the original one."""
    start = _skip(text, 0)
    members = {key: (begin, end) for key, begin, end in _members(text, start)}
    edits: list[tuple[int, int, str]] = []
    closing = text.rindex("}")
    last = max((end for _, end in members.values()), default=closing)
    for column in columns:
        own = members.get(column.name if column.exists else column.beside or "")
        raw = text[own[0] : own[1]] if own is not None else "null"
        value = _like(raw, column.changed[row]) if row in column.changed else raw
        if column.exists and own is not None:
            edits.append((own[0], own[1], value))
        elif own is not None or row in column.changed:
            at = own[1] if own is not None else last
            comma = ", " if members else ""
            edits.append((at, at, f"{comma}{json.dumps(column.name, ensure_ascii=False)}: {value}"))
    for begin, end, value in sorted(edits, reverse=True):
        text = text[:begin] + value + text[end:]
    return text


def _like(raw: str, text: str) -> str:
    """`text` as a JSON value of the kind that `raw` is."""
    kinds: dict[type, Callable[[str], str]] = {int: _number, float: _number, bool: _truth, list: _parts}
    return kinds.get(type(json.loads(raw)), _string)(text)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return _string(text)
    return text if isinstance(value, int | float) and not isinstance(value, bool) else _string(text)


def _truth(text: str) -> str:
    return text if text in ("true", "false") else {"1": "true", "0": "false"}.get(text, _string(text))


def _parts(text: str) -> str:
    return json.dumps([part for part in text.split("|") if part], ensure_ascii=False)
