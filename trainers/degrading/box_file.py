"""One file of boxes (VOC, COCO, YOLO) with some left out, moved or called otherwise. Runs in the bounded workers by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from auditor.containers.source import read_document, read_json_document
from auditor.placement import coco_file, voc_file
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits
from trainers.degrading.harm import Corners, Edit, Edits


def voc(limits: Limits, path: Path, edits: Edits, count: int) -> bytes:
    """An annotation in XML; objects without a sound box stay as they are.

    Args:
        count: of the used boxes, as the dataset has them.

    Raises:
        UnreadableFile: it is not the file that was read.
    """
    found = voc_file.annotation(limits, path)
    _agrees(-1 if found is None else sum(thing.corners is not None for thing in found.things), count)
    assert found is not None
    root = ElementTree.fromstring(read_document(path, limits))  # noqa: S314  # `annotation` refuses types and entities
    owners = {child: parent for parent in root.iter() for child in parent}
    place = -1
    for thing, element in zip(found.things, list(root.iter("object")), strict=True):
        place += thing.corners is not None
        edit = edits.get(place) if thing.corners is not None else None
        if edit is None:
            continue
        if edit.gone:
            owners[element].remove(element)
        if edit.corners is not None:
            for name, value in zip(("xmin", "ymin", "xmax", "ymax"), edit.corners, strict=True):
                _put(element, f"bndbox/{name}", f"{value:g}")
        if edit.label is not None:
            _put(element, "name", edit.label)
    content: bytes = ElementTree.tostring(root, encoding="utf-8")
    return content


def coco(limits: Limits, path: Path, edits: Edits, count: int) -> bytes:
    """A file of COCO.

    Raises:
        UnreadableFile: it is not the file that was read, or a box that moves has an outline too.
    """
    document = coco_file.read_document(limits, path)
    _agrees(len(document.boxes), count)
    told = read_json_document(path, replace(limits, document_bytes=limits.table_bytes))
    annotations = told["annotations"]
    numbers = {str(entry.get("name", entry.get("id")))[:200].strip(): entry["id"] for entry in told.get("categories", [])}
    gone = set()
    for place, edit in edits.items():
        at = document.places[place]
        if edit.gone:
            gone.add(at)
        if edit.corners is not None:
            if annotations[at].get("segmentation"):
                raise UnreadableFile("unsupported", "its boxes have outlines too, which would not move with them")
            x0, y0, x1, y1 = edit.corners
            annotations[at]["bbox"] = [x0, y0, x1 - x0, y1 - y0]
            if "area" in annotations[at]:
                annotations[at]["area"] = (x1 - x0) * (y1 - y0)
        if edit.label is not None:
            annotations[at]["category_id"] = numbers[edit.label]
    told["annotations"] = [entry for at, entry in enumerate(annotations) if at not in gone]
    return (json.dumps(told, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def yolo(limits: Limits, path: Path, edits: Mapping[int, tuple[Edit, str, Corners | None]]) -> bytes:
    """A text file of YOLO.

    Args:
        edits: line, counted from 1 → what becomes of it, the number of its class, and its corners as parts of the image.

    Raises:
        UnreadableFile: it is not the file that was read.
    """
    lines = read_document(path, limits).decode("utf-8-sig").splitlines(keepends=True)
    _agrees(max(edits, default=1) <= len(lines), True)
    for number, (edit, kind, corners) in edits.items():
        line = lines[number - 1]
        words, end = line.split(), line[len(line.rstrip("\r\n")) :]
        if corners is not None:
            if len(words) > 6:
                raise UnreadableFile("unsupported", "its objects have outlines, of which a box alone cannot be moved")
            x0, y0, x1, y1 = corners
            middle = ((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0)
            words = [words[0], *(f"{value:.6f}" for value in middle), *words[5:]]
        if edit.label is not None:
            words[0] = kind
        lines[number - 1] = "" if edit.gone else " ".join(words) + end
    return "".join(lines).encode()


def yolo_numbers(limits: Limits, samples: Sequence[tuple[Path, int]]) -> list[str]:
    """The number of the class in one line of some files, and the class of each.

    Raises:
        UnreadableFile: they are not the files that were read.
    """
    found = []
    for path, line in samples:
        lines = read_document(path, limits).decode("utf-8-sig").splitlines()
        _agrees(0 < line <= len(lines), True)
        found.append(lines[line - 1].split()[0])
    return found


def _agrees(found: int | bool, wanted: int | bool) -> None:
    if found != wanted:
        raise UnreadableFile("malformed", "it holds other boxes than a moment ago; was it changed meanwhile?")


def _put(element: ElementTree.Element, path: str, text: str) -> None:
    inner = element.find(path)
    if inner is None:
        raise UnreadableFile("malformed", "an object lacks what would be changed")
    inner.text = text
