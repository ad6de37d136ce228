"""Reads the text files of YOLO, boxes as parts of their image and names of classes; inside bounded workers alone."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from auditor.containers import outline
from auditor.containers.source import read_document
from auditor.format import open_header, read_source
from auditor.placement.documents import Lines
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits


def read_names(limits: Limits, path: Path) -> dict[int, str]:
    """The names of classes in a YAML file (`names`, a list or a mapping) or in a list with one a line; called inside a worker.

    Raises:
        UnreadableFile: no YAML, no text in UTF-8, or larger than the limits allow.
    """
    try:
        text = read_document(path, limits).decode("utf-8-sig")
    except ValueError:
        raise UnreadableFile("malformed", "no text in UTF-8") from None
    if path.suffix.lower() not in (".yaml", ".yml"):
        lines = [line.strip()[:200] for line in text.splitlines()]
        return dict(enumerate(line for line in lines if line))
    try:
        told = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UnreadableFile("malformed", "no YAML") from None
    names = told.get("names") if isinstance(told, dict) else None
    pairs = names.items() if isinstance(names, dict) else enumerate(names) if isinstance(names, list) else ()
    return {int(key): str(value)[:200] for key, value in pairs if re.fullmatch(r"\d{1,5}", str(key))}


def read_lines(limits: Limits, files: Sequence[tuple[Path, Path]]) -> list[Lines | tuple[str, str] | None]:
    """The lines of some text files in pixels of their images; called inside a bounded worker.

    Args:
        files: image and its text file.

    Returns:
        For each: its lines; or the kind and the reason why the text cannot be read; or None where only the image cannot,
        which its own record says.
    """
    return [_of_one(limits, image, text) for image, text in files]


def _of_one(limits: Limits, image: Path, text: Path) -> Lines | tuple[str, str] | None:
    try:
        lines = read_document(text, limits).decode("utf-8-sig").splitlines()
    except UnreadableFile as error:
        return error.kind, error.reason
    except ValueError:
        return "malformed", "no text in UTF-8"
    if not any(line.strip() for line in lines):
        return Lines()
    try:
        shape = open_header(read_source(image, limits, mapped=True), limits).shape
    except UnreadableFile:
        return None
    if len(shape) < 2:
        return None
    boxes: list[tuple[int, float, float, float, float, int]] = []
    wrong: list[int] = []
    shapes: list[bytes] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        parts = _parts(line)
        if parts is None:
            wrong.append(number)
            continue
        kind, x0, y0, x1, y1, corners = parts
        ring = [(x * shape[1], y * shape[0]) for x, y in zip(corners[::2], corners[1::2], strict=True)]
        shapes.append(outline.polygons([ring]) if corners else b"")
        boxes.append((kind, x0 * shape[1], y0 * shape[0], x1 * shape[1], y1 * shape[0], number))
    return Lines(boxes=tuple(boxes), wrong=tuple(wrong), outlines=sum(map(bool, shapes)), shapes=tuple(shapes))


def _parts(line: str) -> tuple[int, float, float, float, float, list[float]] | None:
    """Class, corners of its box and those of its outline, if it has one, as parts of the image; None where it is no box (5
    numbers, 6 with a score) and no outline."""
    words = line.split()
    if len(words) < 5 or not re.fullmatch(r"\d{1,5}", words[0]):
        return None
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        return None
    if not all(map(math.isfinite, values)):
        return None
    if len(values) <= 5:
        x, y, wide, high = values[:4]
        return int(words[0]), x - wide / 2, y - high / 2, x + wide / 2, y + high / 2, []
    if len(values) % 2:
        return None
    return int(words[0]), min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2]), values
