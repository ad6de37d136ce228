"""Reads one file of the VGG Image Annotator, JSON or CSV; inside bounded workers alone."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from auditor.containers import outline
from auditor.containers.source import read_document as read_bytes
from auditor.containers.source import read_json_document
from auditor.naming.headers import plain
from auditor.naming.lexicon import LABEL_NAMES, words
from auditor.placement.declared import OUTSIDE, UNDECLARED, of_via
from auditor.placement.documents import Box, Document
from auditor.placement.extents import around, ellipse, number, pairs_of, rim
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

_MOST_REGIONS = 2_000_000
_NO_AREA = frozenset(("point", "polyline", "line"))
_CELLS = ("file_attributes", "region_shape_attributes", "region_attributes")


@dataclass(frozen=True, kw_only=True)
class Region:
    """One region: the number of its image, its shape and its attributes, as VIA writes them."""

    image: int
    shape: Mapping[str, Any]
    said: Mapping[str, Any]


def read_document(limits: Limits, path: Path) -> Document:
    """Parse one VIA file; called inside a bounded worker.

    Raises:
        UnreadableFile: larger than a table may be, or no regions of VIA.
    """
    if path.stat().st_size > limits.table_bytes:
        raise UnreadableFile("too-large", f"it has more than the {limits.table_bytes:,} bytes of [limits] table-bytes")
    whole = replace(limits, document_bytes=limits.table_bytes)
    wrong: Counter[str] = Counter()
    is_csv = path.name.lower().endswith(".csv")
    entries, lists = (_of_csv(path, whole, wrong), None) if is_csv else _of_json(path, whole)
    names: dict[str, int] = {}
    regions: list[Region] = []
    about: dict[int, Mapping[str, Any]] = {}
    for entry in entries:
        name = entry.get("filename")
        if not isinstance(name, str) or not name:
            wrong["images without a name"] += 1
            continue
        image = names.setdefault(name, len(names))
        about[image] = _mapping(entry.get("file_attributes"))
        for region in _list(entry.get("regions")):
            if not isinstance(region, dict) or not _mapping(region.get("shape_attributes")):
                wrong["regions without a shape"] += 1
                continue
            shape, said = region["shape_attributes"], _mapping(region.get("region_attributes"))
            regions.append(Region(image=image, shape=shape, said=said))
            if len(regions) > _MOST_REGIONS:
                raise UnreadableFile("too-large", f"it holds more than {_MOST_REGIONS:,} regions")
    return _compared(_document(names, regions, about, wrong), regions, about, _mapping(lists))


def _compared(
    document: Document, regions: list[Region], about: Mapping[int, Mapping[str, Any]], lists: Mapping[str, Any]
) -> Document:
    """The document with what is said of regions and images held against the lists of the project."""
    odd: Counter[str] = Counter()
    idle: list[str] = []
    everything = (("region", [region.said for region in regions], False), ("file", [*about.values()], True))
    for part, said, surely in everything:
        called = _class_attribute(said, surely=surely)
        for name, options in of_via(lists.get(part)).items():
            given = [word for one in said for word in _word(one.get(name)).split("|") if word]
            outside = sum(word not in options for word in given)
            odd += Counter({UNDECLARED if name == called else OUTSIDE: outside})
            idle += sorted(options - set(given)) if name == called else []
    return replace(document, odd=odd, idle=tuple(idle))


def _document(
    names: Mapping[str, int], regions: list[Region], about: Mapping[int, Mapping[str, Any]], wrong: Counter[str]
) -> Document:
    unread: Counter[str] = Counter()
    boxes: list[tuple[int, str, float, float, float, float]] = []
    shapes: list[bytes] = []
    called = _class_attribute(region.said for region in regions)
    for region in regions:
        kind = str(region.shape.get("name"))
        if kind in _NO_AREA:
            unread["points and lines"] += 1
            continue
        box = _extent(kind, region.shape)
        label = _word(region.said.get(called)) if called else ""
        if box is None:
            wrong["regions without the numbers of their shape"] += 1
        elif called and not label:
            wrong[f"regions without a {called!r}"] += 1
        else:
            shapes.append(_outline(kind, region.shape))
            boxes.append((region.image, label or "region", *box))
    of_image = _class_attribute(about.values(), surely=True)
    classes = [(image, word) for image, said in about.items() if of_image and (word := _word(said.get(of_image)))]
    return Document(
        images=tuple(names),
        boxes=tuple(boxes),
        classes=tuple(classes),
        outlines=sum(map(bool, shapes)),
        shapes=tuple(shapes) if any(shapes) else (),
        wrong=wrong,
        unread=unread,
    )


def _of_json(path: Path, limits: Limits) -> tuple[Iterable[Mapping[str, Any]], Any]:
    """The entries, and what the project declares of attributes."""
    told = read_json_document(path, limits)
    project = told.get("_via_img_metadata") if isinstance(told, dict) else None
    if project == {}:  # nothing was drawn yet
        return [], None
    lists = told.get("_via_attributes") if project else None
    told = project or told
    entries = list(told.values()) if isinstance(told, dict) else []
    if not entries or not all(isinstance(entry, dict) and "regions" in entry for entry in entries):
        raise UnreadableFile("malformed", "no images with regions")
    return entries, lists


def _of_csv(path: Path, limits: Limits, wrong: Counter[str]) -> Iterable[Mapping[str, Any]]:
    """Rows of a region each, as the entries of the JSON."""
    csv.field_size_limit(limits.cell_bytes)
    text = read_bytes(path, limits).decode("utf-8-sig", "replace")
    found: dict[str, dict[str, Any]] = {}
    try:
        for row in csv.DictReader(io.StringIO(text, newline="")):
            name = row.get("#filename") or row.get("filename")
            try:
                about, shape, said = (json.loads(row.get(cell) or "{}") for cell in _CELLS)
            except (ValueError, RecursionError):
                wrong["rows whose cells are no JSON"] += 1
                continue
            entry = found.setdefault(name or "", {"filename": name, "file_attributes": about, "regions": []})
            if shape:
                entry["regions"].append({"shape_attributes": shape, "region_attributes": said})
    except csv.Error:
        raise UnreadableFile("malformed", "the table cannot be parsed") from None
    return found.values()


def _class_attribute(told: Iterable[Mapping[str, Any]], *, surely: bool = False) -> str:
    """The attribute that says the class: called like a label, else the one that most have.

    Args:
        surely: none where none is called so.
    """
    counts: dict[str, int] = defaultdict(int)
    for said in told:
        for key, value in said.items():
            counts[str(key)] += bool(_word(value))
    ranked = sorted(counts, key=lambda key: (-_score(key), -counts[key], key))
    return ranked[0] if ranked and counts[ranked[0]] and _score(ranked[0]) >= surely else ""


def _score(key: str) -> float:
    if plain(key) in LABEL_NAMES or key.lower() in ("name", "type", "class"):
        return 1.0
    return 0.5 if LABEL_NAMES & set(words(key)) else 0.0


def _word(value: Any) -> str:
    """What was chosen: text, or the names that are ticked."""
    if isinstance(value, dict):
        return "|".join(sorted(str(key) for key, ticked in value.items() if ticked))[:200]
    return str(value).strip()[:200] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def _outline(kind: str, shape: Mapping[str, Any]) -> bytes:
    """The outline of a region whose numbers are there, packed; a rectangle is a box and has none."""
    if kind == "rect":
        return b""
    if kind in ("circle", "ellipse"):
        keys = ("cx", "cy", "r", "r") if kind == "circle" else ("cx", "cy", "rx", "ry")
        x, y, wide, high = (number(shape.get(key)) or 0.0 for key in keys)
        return outline.polygons([rim(x, y, wide, high, math.degrees(number(shape.get("theta", 0)) or 0.0))])
    return outline.polygons([list(zip(shape["all_points_x"], shape["all_points_y"], strict=True))])


def _extent(kind: str, shape: Mapping[str, Any]) -> Box | None:
    if kind == "rect":
        found = [number(shape.get(key)) for key in ("x", "y", "width", "height")]
        return None if None in found else (found[0], found[1], found[2], found[3])  # type: ignore[return-value]
    if kind in ("circle", "ellipse"):
        keys = ("cx", "cy", "r", "r") if kind == "circle" else ("cx", "cy", "rx", "ry")
        x, y, wide, high = (number(shape.get(key)) for key in keys)
        if x is None or y is None or wide is None or high is None:
            return None
        return ellipse(x, y, wide, high, math.degrees(number(shape.get("theta", 0)) or 0.0))
    xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
    if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys) or len(xs) < 3:
        return None
    points = pairs_of([list(pair) for pair in zip(xs, ys, strict=True)])
    return around(points) if points else None


def _list(value: Any) -> list[Any]:
    """Regions are a list since version 2, and stood under their numbers before."""
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
