"""COCO: JSON files of images, categories and annotations; boxes become objects, annotations without a place become labels.

Source: cocodataset.org, "Data format"; Lin et al. 2014. `bbox` is x, y, width, height from the upper left corner, in pixels.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from auditor.layout import Detection, Listing, Options
from auditor.naming.labels import from_states, single
from auditor.naming.names import roles_in_names, split_name
from auditor.placement.claims import claim
from auditor.placement.documents import Document, json_kind
from auditor.placement.masks import find_masks
from auditor.placement.path_roles import path_roles
from auditor.placement.records import Draft, box_frame, build, no_labels
from auditor.placement.resolve import resolve_names
from auditor.placement.tree import read_folders
from auditor.reading.jobs import run_job
from auditor.tables.label_table import categorical
from auditor.values.dataset import Dataset, Problem
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.labels import Labels, State
from auditor.values.results import Guess

_YEAR = re.compile(r"\d+")


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """A JSON file with the keys of COCO, and images beside it."""
    files = _documents(listing)
    if not files or not listing.inventory.images:
        return None
    return Detection(layout="coco", confidence=0.94, why=f"{len(files):,} COCO files of annotations")


def _documents(listing: Listing) -> list[str]:
    names = [name for name in (*listing.inventory.tables, *listing.inventory.other) if name.lower().endswith(".json")]
    return sorted(name for name in names if json_kind(listing.root / name) == "coco")


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image, listed or not; every annotation with a box is a box.

    Raises:
        DatasetError: no COCO file, or none that can be read.
    """
    files = _documents(listing)
    if not files:
        raise DatasetError(f"{listing.target}: no COCO file of annotations found; choose another layout")
    problems: list[Problem] = list(listing.problems)
    said: dict[str, Document] = {}
    for name in files:
        try:
            said[name] = run_job(
                "auditor.placement.coco_file:read_document", listing.root / name, limits=options.limits, workers=options.workers
            )
        except UnreadableFile as error:
            problems.append(Problem(kind=error.kind, path=name, reason=f"the annotations cannot be read: {error.reason}"))
            continue
        problems += [
            Problem(kind="malformed", path=name, reason=f"{many:,} {words}: not used")
            for words, many in said[name].wrong.items()
        ]
    if not said:
        raise DatasetError(f"{listing.target}: none of the {len(files):,} COCO files can be read ({problems[-1].reason})")
    inventory = listing.inventory
    masks = find_masks(inventory.images)
    there = [path for path in inventory.images if path not in masks.files]
    found = {name: _resolved(listing, name, document.images, there) for name, document in said.items()}
    ids = list(dict.fromkeys([*there, *(path for paths in found.values() for path in paths)]))
    known = set(there)
    problems += [
        Problem(kind="missing", path=path, reason="listed by a COCO file and not there", record=path)
        for path in ids if path not in known
    ]  # fmt: skip
    listed = {path for paths in found.values() for path in paths}
    problems += [
        Problem(kind="unlisted", path=path, reason="an image that no COCO file lists") for path in there if path not in listed
    ]
    boxes = _boxes(said, found)
    labels, label_guesses = _labels(said, found, ids)
    columns, guesses, notes = _columns(said, found, ids)
    if masks.of:
        columns["mask"] = [masks.of[path][0] if path in masks.of else None for path in ids]
    outlines = sum(document.outlines for document in said.values())
    if outlines:
        notes.append(f"{outlines:,} outlines (polygons, run lengths) are not drawn: of each object its box is used")
    if labels.task == "none":
        notes.append(f"the boxes carry the labels ({boxes['label'].nunique()} classes): the image has no label of its own")
    guesses = [
        *label_guesses,
        Guess(role="box", value="COCO annotations", confidence=0.95, why=f"{len(said):,} JSON files, {len(boxes):,} boxes"),
        *guesses,
    ]
    kinds = [problem.kind for problem in problems]
    return build(
        Draft(
            root=listing.root,
            name=listing.target.name,
            claims=claim(listing, "coco", masks=masks.files, annotations=files),
            ids=ids,
            labels=labels,
            columns=columns,
            boxes=boxes,
            counts={"missing": kinds.count("missing"), "unlisted": kinds.count("unlisted")},
            guesses=tuple(guesses),
            notes=tuple(notes),
            problems=tuple(problems),
        )
    )


def _resolved(listing: Listing, name: str, names: Sequence[str], there: Sequence[str]) -> list[str]:
    """The record of each image that a file lists: beside the file, else wherever it lies, else its name."""
    folder = name.rpartition("/")[0]
    known = set(there)
    beside = [f"{folder}/{image}" if folder else image for image in names]
    anywhere = resolve_names(listing.root, names, there)
    return [
        near if near in known else (path or clean or f"(image {number} of {name})")
        for number, (near, path, clean) in enumerate(zip(beside, anywhere.files, anywhere.names, strict=True))
    ]


def _boxes(said: Mapping[str, Document], found: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    rows = [
        (found[name][image], label, x, y, x + wide, y + high, name, 0)
        for name, document in said.items()
        for image, label, x, y, wide, high in document.boxes
    ]
    columns = ("record", "label", "x0", "y0", "x1", "y1", "path", "line")
    return box_frame({column: [row[i] for row in rows] for i, column in enumerate(columns)})


def _labels(said: Mapping[str, Document], found: Mapping[str, Sequence[str]], ids: Sequence[str]) -> tuple[Labels, list[Guess]]:
    """Labels of images, where annotations have a class and no place: one each is a class, more are several."""
    of: dict[str, list[str]] = defaultdict(list)
    for name, document in said.items():
        for image, label in document.classes:
            if label not in of[found[name][image]]:
                of[found[name][image]].append(label)
    if not of:
        return no_labels(ids), []
    index = pd.Index(list(ids), name="record", dtype="str")
    why = f"{sum(map(len, of.values())):,} annotations without a place"
    guess = Guess(role="label", value="COCO categories", confidence=0.95, why=why)
    if all(len(labels) == 1 for labels in of.values()):
        column = categorical(of[path][0] if path in of else "" for path in ids)
        return single(column, index, level="image", origin="COCO categories"), [guess]
    classes = sorted({label for labels in of.values() for label in labels})
    states = np.full((len(ids), len(classes)), State.NEGATIVE, np.int8)
    places = {label: number for number, label in enumerate(classes)}
    for row, path in enumerate(ids):
        for label in of.get(path, ()):
            states[row, places[label]] = State.POSITIVE
    return from_states(states, classes, index, level="image", origin="COCO categories"), [guess]


def _columns(
    said: Mapping[str, Document], found: Mapping[str, Sequence[str]], ids: Sequence[str]
) -> tuple[dict[str, Sequence[object]], list[Guess], list[str]]:
    """Paths, and what they and the names of the JSON files say of splits, patients and sites."""
    folders = replace(read_folders(ids), label=None, label_depth=None)
    told, guesses = path_roles(ids, roles_in_names(ids), folders)
    columns: dict[str, Sequence[object]] = {"path": ids, **told}
    notes: list[str] = []
    by_file: dict[str, set[str]] = defaultdict(set)
    for name, paths in found.items():
        split = _split_of(name)
        for path in paths if split else ():
            by_file[path].add(split or "")
    if by_file:
        # What the files list is what a loader reads; the folders may say otherwise.
        order = ("train", "val", "test")
        columns["split"] = [
            min(by_file[path], key=lambda s: (order.index(s) if s in order else 3, s)) if path in by_file else None
            for path in ids
        ]
        guesses = [guess for guess in guesses if guess.role != "split"]
        names = ", ".join(sorted(name for name in said if _split_of(name)))
        guesses.append(Guess(role="split", value="names of the COCO files", confidence=0.95, why=f"images listed by {names}"))
        several = sum(len(splits) > 1 for splits in by_file.values())
        if several:
            notes.append(f"{several:,} images are listed in two splits: the first of train, val, test was taken")
    return columns, guesses, notes


def _split_of(name: str) -> str | None:
    """`instances_train2017.json`, `train/_annotations.coco.json` → train."""
    folder, _, base = name.rpartition("/")
    words = [*re.split(r"[^A-Za-z0-9]+", base.removesuffix(".json")), folder.rpartition("/")[2]]
    splits = {split for word in words if (split := split_name(_YEAR.sub("", word))) is not None}
    return splits.pop() if len(splits) == 1 else None
