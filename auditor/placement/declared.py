"""What a file of annotations says against its own lists: classes that it does not declare, values outside their options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from auditor.placement.extents import number

UNDECLARED = "objects or tags of a class that the file does not declare"
OUTSIDE = "values of attributes outside the options that the file declares"
UNKNOWN = "attributes that the file does not declare for their class"

Allowed = frozenset[str] | tuple[float, float] | None
"""The values that an attribute may have: some words, a range, or any."""


def is_allowed(value: str, allowed: Allowed) -> bool:
    """A blank value says nothing, and is none outside."""
    if allowed is None or not value:
        return True
    if isinstance(allowed, frozenset):
        return value in allowed
    found = number(value)
    return found is not None and allowed[0] <= found <= allowed[1]


def of_cvat(label: Element) -> tuple[str, Mapping[str, Allowed]] | None:
    """A class that CVAT declares (`meta`, `labels`, `label`) and its attributes; None of a part of a skeleton."""
    name = (label.findtext("name") or "").strip()[:200]
    if not name or label.find("parent") is not None:
        return None
    return name, {
        (one.findtext("name") or "").strip(): _of_input(one.findtext("input_type") or "", one.findtext("values") or "")
        for one in label.iterfind("attributes/attribute")
    }


def _of_input(kind: str, values: str) -> Allowed:
    """Options are lines; those of a number are its least, its most and its step."""
    lines = [line.strip() for line in values.strip().splitlines()]
    if kind in ("select", "radio") and any(lines):
        return frozenset(lines)
    if kind == "checkbox":
        return frozenset(("true", "false", "True", "False"))
    ends = [number(line) for line in lines[:2]] if kind == "number" else []
    return (ends[0], ends[1]) if len(ends) == 2 and ends[0] is not None and ends[1] is not None else None


def of_via(declared: Any) -> dict[str, frozenset[str]]:
    """Attribute → its options, of the attributes of VIA that have some (dropdown, radio, checkbox); keys and descriptions."""
    found: dict[str, frozenset[str]] = {}
    for name, said in declared.items() if isinstance(declared, dict) else ():
        options = said.get("options") if isinstance(said, dict) else None
        if isinstance(options, dict) and options and said.get("type") in ("dropdown", "radio", "checkbox"):
            found[str(name)] = frozenset(str(key).strip() for key in options)
    return found
