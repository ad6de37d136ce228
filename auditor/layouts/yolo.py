"""YOLO: a text file per image, a line per object: the number of its class, then centre, width and height as parts of the image.

`images/train/a.png` has its lines in `labels/train/a.txt`, or in `a.txt` beside it; `data.yaml`, `classes.txt` or `obj.names`
has the names. A longer line is an outline, whose bounds are its box. Source: docs.ultralytics.com, "Object detection
datasets" and "Instance segmentation datasets".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import pandas as pd

from auditor.layout import Detection, Listing, Options
from auditor.naming.names import roles_in_names
from auditor.naming.suffixes import stem_of
from auditor.placement.claims import claim
from auditor.placement.documents import MAX_TEXT_BYTES, Lines, are_boxes
from auditor.placement.masks import find_masks
from auditor.placement.path_roles import path_roles
from auditor.placement.records import Draft, box_frame, build, no_labels, with_outlines
from auditor.placement.table_beside import table_beside
from auditor.placement.tree import read_folders
from auditor.reading.jobs import Job, run_job, run_jobs
from auditor.values.dataset import Dataset, Problem
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.results import Guess

READS = frozenset(("labels", "splits", "patients", "masks", "boxes", "outlines"))

LEAST_SHARE = 0.5
"""Of the text files with an image, or of the images with a text file, so many have a partner in this layout."""
_TOGETHER = 64
_NAMES = ("classes.txt", "obj.names", "_darknet.labels")
_SAMPLE = 20


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """Text files called after most of the images, or after most of the texts, whose lines are those of boxes."""
    found = _pairs(listing)
    texts = [name for name in listing.inventory.other if name.lower().endswith(".txt")]
    if not found or len(found) < LEAST_SHARE * min(len(listing.inventory.images), len(texts)):
        return None
    filled = [name for name in found.values() if listing.files[name]]
    if not are_boxes(listing.root / name for name in filled[:: max(len(filled) // _SAMPLE, 1)][:_SAMPLE]):
        return None
    return Detection(layout="yolo", confidence=0.94, why=f"{len(found):,} text files of boxes called after the images")


def _pairs(listing: Listing) -> dict[str, str]:
    """Image → its text file: `labels` in place of `images` in its path, or beside it."""
    texts = {name for name in listing.inventory.other if name.lower().endswith(".txt")}
    found: dict[str, str] = {}
    for image in listing.inventory.images if texts else ():
        stem = str(PurePosixPath(image).with_name(stem_of(image)))
        for name in (_in_labels(stem) + ".txt", stem + ".txt"):
            if name in texts:
                found[image] = name
                break
    return found


def _in_labels(path: str) -> str:
    """The last folder `images` of a path, called `labels`."""
    parts = path.split("/")
    for place in range(len(parts) - 2, -1, -1):
        if parts[place].lower() == "images":
            return "/".join((*parts[:place], "labels", *parts[place + 1 :]))
    return path


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image; every line is a box. An image without a text file has no object, which is told.

    Raises:
        DatasetError: no text file of boxes.
    """
    pairs = _pairs(listing)
    if not pairs:
        raise DatasetError(f"{listing.target}: no text files called after the images found; choose another layout")
    images = listing.inventory.images
    masks = find_masks(images)
    pairs = {image: text for image, text in pairs.items() if image not in masks.files}
    ids = [path for path in images if path not in masks.files]
    problems: list[Problem] = list(listing.problems)
    names, described = _class_names(listing, options, problems)
    said = _read(listing, options, pairs, problems)
    boxes, wrong_class = _boxes(pairs, said, names)
    problems += [
        Problem(kind="malformed", path=pairs[image], reason="a line that is no box of YOLO: not used", record=image, line=line)
        for image, lines in said.items()
        for line in lines.wrong
    ]
    problems += [
        Problem(kind="malformed", path=pairs[image], reason="a class without a name", record=image, line=line)
        for image, line in wrong_class
    ]
    claimed = set(pairs.values()) | set(described)
    orphans = [
        name
        for name in listing.inventory.other
        if name.lower().endswith(".txt") and name not in claimed and "labels/" in f"/{name.lower()}"
    ]
    problems += [Problem(kind="missing", path=name, reason="a file of boxes whose image is not there") for name in orphans]
    told, guesses = path_roles(ids, roles_in_names(ids), replace(read_folders(ids), label=None, label_depth=None))
    beside = table_beside(listing, options, ids)
    guesses = [*(guess for guess in guesses if guess.role not in beside.columns), *beside.guesses]
    columns: dict[str, Sequence[object] | pd.Series] = {"path": ids, **told, **beside.columns}
    if masks.of:
        columns["mask"] = [masks.of[path][0] if path in masks.of else None for path in ids]
    labels = beside.labels or no_labels(ids)
    words = f"the boxes carry the labels ({boxes['label'].nunique()} classes): the image has no label of its own"
    notes = [*([words] if labels.task == "none" else ()), *beside.notes]
    without = len(ids) - len(set(ids) & pairs.keys())
    if without:
        notes.append(f"{without:,} images have no file of boxes: read as images without an object")
    outlines = sum(lines.outlines for lines in said.values())
    if outlines:
        notes.append(f"{outlines:,} of the boxes are those of outlines")
    if not names:
        notes.append("no data.yaml, classes.txt or obj.names names the classes: they are called by their number")
    guess = Guess(role="box", value="YOLO lines", confidence=0.92, why=f"{len(pairs):,} text files, {len(boxes):,} boxes")
    return build(
        Draft(
            root=listing.root,
            name=listing.target.name,
            claims=claim(
                listing,
                "yolo",
                masks=masks.files,
                annotations=[*dict.fromkeys(pairs.values()), *described, *orphans],
                tables=beside.tables,
            ),
            ids=ids,
            labels=labels,
            columns=columns,
            boxes=with_outlines(boxes, [outline for lines in said.values() for outline in lines.shapes]),
            counts={"missing": len(orphans), **beside.counts},
            metadata=beside.metadata,
            fields=beside.fields,
            guesses=(guess, *guesses),
            notes=tuple(notes),
            problems=(*problems, *beside.problems),
        )
    )


def _read(listing: Listing, options: Options, pairs: Mapping[str, str], problems: list[Problem]) -> dict[str, Lines]:
    """Image → what its text file says; what cannot be read is a problem."""
    items = list(pairs.items())
    chunks = [items[start : start + _TOGETHER] for start in range(0, len(items), _TOGETHER)]
    jobs = [
        Job(
            function="auditor.placement.box_lines:read_lines",
            arguments=([(listing.root / image, listing.root / name) for image, name in chunk],),
        )
        for chunk in chunks
    ]
    said: dict[str, Lines] = {}
    for answer in run_jobs(jobs, options.limits, workers=options.workers, chunk=1):
        chunk = chunks[answer.number]
        try:
            told = answer.value
        except UnreadableFile as error:
            told = [(error.kind, error.reason)] * len(chunk)
        for (image, name), lines in zip(chunk, told, strict=True):
            if isinstance(lines, Lines):
                said[image] = lines
            elif lines is not None:
                problems.append(Problem(kind=lines[0], path=name, reason=f"its boxes cannot be read: {lines[1]}", record=image))
    return {image: said[image] for image in pairs if image in said}


def _boxes(
    pairs: Mapping[str, str], said: Mapping[str, Lines], names: Mapping[int, str]
) -> tuple[pd.DataFrame, list[tuple[str, int]]]:
    rows: dict[str, list[object]] = defaultdict(list)
    unnamed: list[tuple[str, int]] = []
    for image, lines in said.items():
        for number, x0, y0, x1, y1, line in lines.boxes:
            if names and number not in names:
                unnamed.append((image, line))
            row = (image, names.get(number, str(number)), x0, y0, x1, y1, pairs[image], line)
            for column, value in zip(("record", "label", "x0", "y0", "x1", "y1", "path", "line"), row, strict=True):
                rows[column].append(value)
    return box_frame(rows or None), unnamed


def _class_names(listing: Listing, options: Options, problems: list[Problem]) -> tuple[dict[int, str], list[str]]:
    """Number → name of the class, and the files that say so or belong to them."""
    others = sorted(listing.inventory.other, key=lambda name: (name.count("/"), name))
    yamls = [name for name in others if name.lower().endswith((".yaml", ".yml"))]
    lists = [name for name in others if name.rpartition("/")[2].lower() in _NAMES]
    for name in (*yamls, *lists):
        if listing.files[name] > MAX_TEXT_BYTES:
            continue
        try:
            found: dict[int, str] = run_job(
                "auditor.placement.box_lines:read_names", listing.root / name, limits=options.limits, workers=options.workers
            )
        except UnreadableFile as error:
            problems.append(Problem(kind=error.kind, path=name, reason=f"names of classes cannot be read: {error.reason}"))
            continue
        if found:
            return found, [name, *(other for other in lists if other != name)]
    return {}, lists
