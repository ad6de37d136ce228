"""Reads one XML file of CVAT for images; inside bounded workers alone. No entity is ever expanded (CWE-776, CWE-611)."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

from auditor.containers import outline
from auditor.containers.run_lengths import counts_of_array, counts_of_numbers, mask_of
from auditor.containers.source import read_document as read_bytes
from auditor.placement.declared import OUTSIDE, UNDECLARED, UNKNOWN, Allowed, is_allowed, of_cvat
from auditor.placement.documents import Box, Document
from auditor.placement.extents import around, ellipse, number, pairs_of, rim, side, turned
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

_MOST_MASK = 64_000_000
"""Pixels of the mask of one shape."""
_COUNT = re.compile(r"\d{1,10}")
_AREAS = frozenset(("box", "polygon", "ellipse", "mask", "cuboid"))
_NO_AREAS = frozenset(("polyline", "points", "skeleton"))


@dataclass(kw_only=True)
class _Said:
    """What was found so far."""

    images: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    boxes: list[tuple[int, str, float, float, float, float]] = field(default_factory=list)
    classes: list[tuple[int, str]] = field(default_factory=list)
    shapes: list[bytes] = field(default_factory=list)
    sizes: list[tuple[int, int] | None] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)
    declared: dict[str, Mapping[str, Allowed]] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)


def read_document(limits: Limits, path: Path) -> Document:
    """Parse one CVAT file; called inside a bounded worker.

    Raises:
        UnreadableFile: larger than a table may be, not well-formed, with a document type, or of tracks alone.
    """
    if path.stat().st_size > limits.table_bytes:
        raise UnreadableFile("too-large", f"it has more than the {limits.table_bytes:,} bytes of [limits] table-bytes")
    content = read_bytes(path, replace(limits, document_bytes=limits.table_bytes))
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content:
        raise UnreadableFile("refused", "the XML declares a document type or entities, or is not UTF-8: refused")
    said = _Said()
    try:
        for _, element in ElementTree.iterparse(io.BytesIO(content)):  # noqa: S314  # no DOCTYPE, no ENTITY: checked above
            if element.tag == "image":
                _add(element, said)
                element.clear()
            elif element.tag == "track":
                said.unread["tracks of a film"] += 1
                said.given.add((element.get("label") or "").strip()[:200])
                element.clear()
            elif element.tag == "label" and (declared := of_cvat(element)) is not None:
                said.declared[declared[0]] = declared[1]
    except (ElementTree.ParseError, ValueError, LookupError):
        raise UnreadableFile("malformed", "not well-formed XML") from None
    if not said.images:
        raise UnreadableFile("unsupported", "it names no image (tracks of a film); export it as CVAT for images")
    return Document(
        images=tuple(said.images), boxes=tuple(said.boxes), classes=tuple(said.classes), outlines=sum(map(bool, said.shapes)),
        shapes=tuple(said.shapes) if any(said.shapes) else (), sizes=tuple(said.sizes) if any(said.sizes) else (),
        wrong=said.wrong, odd=said.odd, unread=said.unread, splits=tuple(said.splits) if any(said.splits) else (),
        idle=tuple(name for name in said.declared if name not in said.given),
    )  # fmt: skip


def _add(image: ElementTree.Element, said: _Said) -> None:
    name = (image.get("name") or "").strip()
    if not name:
        said.wrong["images without a name"] += 1
        return
    place = len(said.images)
    said.images.append(name)
    size = side(image.get("height")), side(image.get("width"))
    said.sizes.append(size if all(size) else None)
    said.splits.append((image.get("subset") or "").strip())
    for shape in image:
        label = (shape.get("label") or "").strip()[:200]
        if label and shape.tag in _AREAS | _NO_AREAS | {"tag"}:
            _compare(shape, label, said)
        if shape.tag in _NO_AREAS:
            said.unread["points and lines"] += 1
        elif shape.tag not in _AREAS and shape.tag != "tag":
            continue
        elif not label:
            said.wrong["shapes without a label"] += 1
        elif shape.tag == "tag":
            said.classes.append((place, label))
        else:
            box = _extent(shape)
            if box is None:
                said.wrong[f"shapes without the numbers of a {shape.tag}"] += 1
                continue
            said.shapes.append(_outline(shape))
            said.boxes.append((place, label, *box))


def _compare(shape: ElementTree.Element, label: str, said: _Said) -> None:
    """A shape or tag with what the file declares; an export without lists declares nothing."""
    said.given.add(label)
    if not said.declared:
        return
    if label not in said.declared:
        said.odd[UNDECLARED] += 1
        return
    options = said.declared[label]
    for one in shape.iterfind("attribute"):
        name = (one.get("name") or "").strip()
        if name not in options:
            said.odd[UNKNOWN] += 1
        elif not is_allowed((one.text or "").strip(), options[name]):
            said.odd[OUTSIDE] += 1


def _outline(shape: ElementTree.Element) -> bytes:
    """The outline of a shape whose numbers are there, packed; a box is none."""
    if shape.tag == "polygon":
        return outline.polygons([pairs_of([part.split(",") for part in (shape.get("points") or "").split(";")]) or ()])
    if shape.tag == "ellipse":
        x, y, wide, high, degrees = (number(shape.get(name, "0")) or 0.0 for name in ("cx", "cy", "rx", "ry", "rotation"))
        return outline.polygons([rim(x, y, wide, high, degrees)])
    return _mask(shape) if shape.tag == "mask" else b""


def _mask(shape: ElementTree.Element) -> bytes:
    """Run lengths along the rows of a box."""
    left, top, width, height = (number(shape.get(name)) or 0.0 for name in ("left", "top", "width", "height"))
    words = [word.strip() for word in (shape.get("rle") or "").split(",")]
    counts = counts_of_numbers([int(word) for word in words]) if all(_COUNT.fullmatch(word) for word in words) else None
    if counts is None or not 0 < side(height) * side(width) <= _MOST_MASK:
        return outline.unread("run lengths that are none, or too large")
    found = mask_of(counts, side(height), side(width), by_rows=True)
    if found is None:
        return outline.unread("run lengths that do not add up to their picture")
    place = {"left": int(left), "top": int(top), "height": side(height), "width": side(width)}
    return outline.runs(outline.Runs(**place, counts=counts_of_array(found), whole=False))


def _extent(shape: ElementTree.Element) -> Box | None:
    if shape.tag == "polygon":
        points = pairs_of([part.split(",") for part in (shape.get("points") or "").split(";")])
        return around(points) if points is not None and len(points) >= 3 else None
    if shape.tag == "cuboid":
        corners = [[shape.get(f"x{side}{n}"), shape.get(f"y{side}{n}")] for side in ("tl", "bl", "tr", "br") for n in (1, 2)]
        points = pairs_of(corners)
        return around(points) if points is not None else None
    names = {"box": "xtl ytl xbr ybr", "ellipse": "cx cy rx ry", "mask": "left top width height"}[shape.tag].split()
    a, b, c, d = (number(shape.get(name)) for name in names)
    if a is None or b is None or c is None or d is None:
        return None
    degrees = number(shape.get("rotation", "0")) or 0.0
    if shape.tag == "box":
        return turned((a, b, c - a, d - b), degrees)
    return ellipse(a, b, c, d, degrees) if shape.tag == "ellipse" else (a, b, c, d)
