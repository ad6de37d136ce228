"""Reads one COCO file of annotations; inside bounded workers alone."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from auditor.containers import outline
from auditor.containers.source import read_json_document
from auditor.placement.documents import Box, Document
from auditor.placement.extents import side
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

MOST_CLASSES = 1000


def read_document(limits: Limits, path: Path) -> Document:
    """Parse one COCO file; called inside a bounded worker.

    Raises:
        UnreadableFile: larger than a table may be, no JSON, or no lists of images and annotations.
    """
    if path.stat().st_size > limits.table_bytes:
        raise UnreadableFile("too-large", f"it has more than the {limits.table_bytes:,} bytes of [limits] table-bytes")
    told = read_json_document(path, replace(limits, document_bytes=limits.table_bytes))
    images, annotations = (told.get("images"), told.get("annotations")) if isinstance(told, dict) else (None, None)
    if not isinstance(images, list) or not isinstance(annotations, list):
        raise UnreadableFile("malformed", "no lists of images and annotations")
    wrong: dict[str, int] = defaultdict(int)
    numbers: dict[object, int] = {}
    names: list[str] = []
    sizes: list[tuple[int, int] | None] = []
    for image in images:
        name, key = (image.get("file_name"), _key(image.get("id"))) if isinstance(image, dict) else (None, None)
        if not isinstance(name, str) or not name or key is None:
            wrong["images without a name or an id"] += 1
        elif key in numbers:
            wrong["images with the id of another"] += 1
        else:
            numbers[key] = len(names)
            names.append(name)
            size = side(image.get("height")), side(image.get("width"))
            sizes.append(size if all(size) else None)
    listed = told.get("categories")
    categories = {
        _key(entry.get("id")): str(entry.get("name", entry.get("id")))[:200].strip()
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict)
    }
    if len(categories) > MOST_CLASSES:
        raise UnreadableFile("too-large", f"it declares more than {MOST_CLASSES:,} categories")
    boxes: list[tuple[int, str, float, float, float, float]] = []
    classes: list[tuple[int, str]] = []
    places: list[int] = []
    shapes: list[bytes] = []
    given: set[object] = set()
    for place, entry in enumerate(annotations):
        if not isinstance(entry, dict):
            wrong["annotations that are no objects of JSON"] += 1
            continue
        number = numbers.get(_key(entry.get("image_id")))
        given.add(_key(entry.get("category_id")))
        label = categories.get(_key(entry.get("category_id")))
        if number is None:
            wrong["annotations of an image_id that is not among the images"] += 1
        elif label is None:
            if "category_id" in entry:
                wrong["annotations of a category_id that is not among the categories"] += 1
        elif entry.get("bbox") or entry.get("segmentation"):
            shape = outline.of_segmentation(entry.get("segmentation"))
            corners = _numbers(entry["bbox"]) if entry.get("bbox") else outline.bounds(shape) if shape else None
            if corners is None and entry.get("bbox"):
                wrong["annotations without four finite numbers in their box"] += 1
            elif corners is None:
                wrong["annotations without a box whose outline is none"] += 1
            else:
                boxes.append((number, label, *corners))
                places.append(place)
                shapes.append(shape)
        else:
            classes.append((number, label))
    return Document(
        images=tuple(names), boxes=tuple(boxes), classes=tuple(classes), outlines=sum(map(bool, shapes)),
        shapes=tuple(shapes) if any(shapes) else (), sizes=tuple(sizes) if any(sizes) else (),
        categories=tuple(categories.values()), wrong=dict(wrong), places=tuple(places),
        idle=tuple(name for key, name in categories.items() if key not in given),
    )  # fmt: skip


def _key(value: object) -> int | str | None:
    """An id: a whole number or text; `7` and `7.0` are one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, (int, str)) else None


def _numbers(box: object) -> Box | None:
    if (
        not isinstance(box, list)
        or len(box) != 4
        or not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in box)
    ):
        return None
    try:
        x, y, wide, high = map(float, box)
    except OverflowError:
        return None
    return (x, y, wide, high) if all(map(math.isfinite, (x, y, wide, high))) else None
