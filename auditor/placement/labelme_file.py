"""Reads one LabelMe file; inside bounded workers alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from auditor.containers.source import read_json_document
from auditor.placement.documents import Box, Document
from auditor.placement.extents import around, circle, pairs_of
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

_MOST_SHAPES = 100_000
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
    outlines = 0
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
        outlines += kind in ("polygon", "mask")
        boxes.append((0, shape["label"].strip()[:200], *box))
    flags = told.get("flags")
    set_flags = [str(flag)[:200] for flag, value in flags.items() if value is True] if isinstance(flags, dict) else []
    return Document(
        images=(name.replace("\\", "/").rpartition("/")[2] or name,),
        boxes=tuple(boxes), classes=tuple((0, flag) for flag in set_flags), outlines=outlines, wrong=wrong, unread=unread,
    )  # fmt: skip


def _extent(kind: str, points: Any) -> Box | None:
    found = pairs_of(points)
    if found is None:
        return None
    if kind == "circle":
        return circle(found)
    least = 3 if kind == "polygon" else 2
    return around(found) if len(found) >= least else None
