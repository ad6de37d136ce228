"""Reads one LabelMe file; inside bounded workers alone."""

from __future__ import annotations

import base64
import binascii
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from auditor.containers import outline
from auditor.containers.run_lengths import counts_of_array
from auditor.containers.source import read_json_document
from auditor.placement.documents import Box, Document
from auditor.placement.extents import Points, around, circle, pairs_of, rim, side
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

_MOST_SHAPES = 100_000
_MOST_MASK = 64_000_000
"""Pixels of the mask of one shape."""
_AREAS = frozenset(("polygon", "mask", "rectangle"))


def read_document(limits: Limits, path: Path) -> Document:
    """Parse one LabelMe file; called inside a bounded worker.

    Raises:
        UnreadableFile: larger than a table may be, no JSON, or no list of shapes.
    """
    if path.stat().st_size > limits.table_bytes:
        raise UnreadableFile("too-large", f"it has more than the {limits.table_bytes:,} bytes of [limits] table-bytes")
    told = read_json_document(path, replace(limits, document_bytes=limits.table_bytes))
    shapes = told.get("shapes") if isinstance(told, dict) else None
    if not isinstance(shapes, list):
        raise UnreadableFile("malformed", "no list of shapes")
    if len(shapes) > _MOST_SHAPES:
        raise UnreadableFile("too-large", f"it holds more than {_MOST_SHAPES:,} shapes")
    name = told.get("imagePath")
    if not isinstance(name, str) or not name.strip():
        name = path.name.rpartition(".")[0]  # the file is called after its image
    wrong: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    boxes: list[tuple[int, str, float, float, float, float]] = []
    shapes_of: list[bytes] = []
    for shape in shapes:
        if not isinstance(shape, dict) or not isinstance(shape.get("label"), str) or not shape["label"].strip():
            wrong["shapes without a label"] += 1
            continue
        kind = shape.get("shape_type") or "polygon"
        if kind not in _AREAS and kind != "circle":
            unread["points and lines"] += 1
            continue
        box = _extent(kind, shape.get("points"))
        if box is None:
            wrong[f"shapes without the points of a {kind}"] += 1
            continue
        shapes_of.append(_outline(kind, pairs_of(shape["points"]) or (), shape))
        boxes.append((0, shape["label"].strip()[:200], *box))
    flags = told.get("flags")
    set_flags = [str(flag)[:200] for flag, value in flags.items() if value is True] if isinstance(flags, dict) else []
    size = side(told.get("imageHeight")), side(told.get("imageWidth"))
    return Document(
        images=(name.replace("\\", "/").rpartition("/")[2] or name,),
        boxes=tuple(boxes), classes=tuple((0, flag) for flag in set_flags), outlines=sum(map(bool, shapes_of)),
        shapes=tuple(shapes_of) if any(shapes_of) else (), sizes=(size,) if all(size) else (), wrong=wrong, unread=unread,
    )  # fmt: skip


def _outline(kind: str, points: Points, shape: dict[str, Any]) -> bytes:
    """The outline of a shape, packed; a rectangle is a box and has none."""
    if kind == "polygon":
        return outline.polygons([points])
    if kind == "circle":
        (x, y), edge = points
        radius = math.dist((x, y), edge)
        return outline.polygons([rim(x, y, radius, radius)])
    return _mask(points, shape.get("mask")) if kind == "mask" else b""


def _mask(points: Points, said: Any) -> bytes:
    """A mask within its box: a PNG as text, whose first pixel is the first of the box."""
    try:
        content = base64.b64decode(said, validate=True) if isinstance(said, str) else b""
    except (binascii.Error, ValueError):
        content = b""
    height, width = (int.from_bytes(content[at : at + 4], "big") for at in (20, 16))
    if content[:8] != b"\x89PNG\r\n\x1a\n" or not 0 < height * width <= _MOST_MASK:
        return outline.unread("a mask that is no picture, or too large")
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        return outline.unread("a mask that is no picture, or too large")
    drawn = found.reshape(*found.shape[:2], -1)[..., 0] > 0
    left, top = (int(min(one[axis] for one in points)) for axis in (0, 1))
    place = {"left": left, "top": top, "height": drawn.shape[0], "width": drawn.shape[1]}
    return outline.runs(outline.Runs(**place, counts=counts_of_array(drawn), whole=False))


def _extent(kind: str, points: Any) -> Box | None:
    found = pairs_of(points)
    if found is None:
        return None
    if kind == "circle":
        return circle(found)
    least = 3 if kind == "polygon" else 2
    return around(found) if len(found) >= least else None
