"""The documents of Pascal VOC: an annotation in XML, a list of names. Runs in the bounded workers (`auditor.reading.jobs`).

No entity is ever expanded: a document type is refused unread (CWE-776, CWE-611).
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from auditor.containers.source import read_document
from auditor.values.annotations import Annotation, Thing
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def annotation(limits: Limits, path: Path) -> Annotation | None:
    """What an XML file says; None where it is something else than an annotation.

    Raises:
        UnreadableFile: larger than the limits allow, not well-formed, or with a document type.
    """
    content = read_document(path, limits)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content:
        raise UnreadableFile("refused", "the XML declares a document type or entities, or is not UTF-8: refused")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314  # no DOCTYPE, no ENTITY: checked above
    except (ElementTree.ParseError, ValueError, LookupError):  # LookupError: an encoding that nobody knows
        raise UnreadableFile("malformed", "not well-formed XML") from None
    if root.tag != "annotation":
        return None
    lines = _lines(content)
    things = [
        _thing(element, lines[number] if number < len(lines) else 0) for number, element in enumerate(root.iter("object"))
    ]
    return Annotation(filename=(root.findtext("filename") or "").strip(), things=tuple(things))


def names(limits: Limits, path: Path) -> tuple[str, ...]:
    """The first word of every line of a list.

    Raises:
        UnreadableFile: larger than the limits allow.
    """
    text = read_document(path, limits).decode("utf-8", "replace")
    return tuple(words[0] for line in text.splitlines() if (words := line.split(maxsplit=1)))


def _lines(content: bytes) -> list[int]:
    """1-based line of every `<object`, counted once from the top."""
    found: list[int] = []
    line, last = 1, 0
    for start in (match.start() for match in re.finditer(rb"<object[\s>]", content)):
        line, last = line + content.count(b"\n", last, start), start
        found.append(line)
    return found


def _thing(element: ElementTree.Element, line: int) -> Thing:
    corners = [_number(element.findtext(f"bndbox/{corner}")) for corner in _CORNERS]
    whole = None if None in corners else (corners[0], corners[1], corners[2], corners[3])
    return Thing(name=(element.findtext("name") or "").strip(), corners=whole, line=line)  # type: ignore[arg-type]


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\s*-?\d{1,15}(?:\.\d*)?\s*", text) else None
