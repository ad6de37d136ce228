"""Pascal VOC: `Annotations/*.xml` beside `JPEGImages/`, splits in `ImageSets/Main/*.txt`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from auditor.files import head_of
from auditor.layout import Detection, Listing, Options
from auditor.naming.names import split_name
from auditor.naming.suffixes import stem_of
from auditor.placement.claims import claim
from auditor.placement.masks import find_masks
from auditor.placement.records import Draft, box_frame, build, no_labels
from auditor.placement.resolve import resolve_names
from auditor.reading.jobs import Job, run_documents, told
from auditor.values.annotations import Annotation
from auditor.values.dataset import Dataset, Problem
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.results import Guess

READS = frozenset(("splits", "boxes", "masks"))

HEAD_BYTES = 4096
LEAST_SHARE = 0.1
"""So many of the images have an annotation: one stray XML file makes no layout."""
LEAST_CALLED = 0.5
"""So many of the XML files are called after an image."""


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """XML files called after images, enough for them, whose first one is a VOC annotation."""
    files = _annotation_files(listing)
    images = {stem_of(path) for path in listing.inventory.images}
    called = [name for name in files if stem_of(name.removesuffix(".xml")) in images]
    if len(called) < max(1.0, LEAST_SHARE * len(images)) or len(called) < LEAST_CALLED * len(files):
        return None
    try:
        head = head_of(listing.root / files[0], HEAD_BYTES)
    except OSError:
        return None
    if re.search(rb"<annotation[\s>]", head) is None:
        return None
    in_folder = sum("/annotations/" in f"/{name.lower()}" for name in files)
    confidence = 0.93 if in_folder else 0.85
    return Detection(layout="voc", confidence=confidence, why=f"{len(files):,} annotations in XML beside the images")


def _annotation_files(listing: Listing) -> list[str]:
    return [name for name in listing.inventory.other if name.lower().endswith(".xml")]


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image; every object is a box with the line of its `<object>`.

    Raises:
        DatasetError: no annotation at all.
    """
    files = _annotation_files(listing)
    if not files:
        raise DatasetError(f"{listing.target}: no VOC annotation (xml) found; choose another layout")
    inventory = listing.inventory
    masks = find_masks(inventory.images)
    ids = [path for path in inventory.images if path not in masks.files]
    problems: list[Problem] = list(listing.problems)
    rows: dict[str, list[object]] = {name: [] for name in ("record", "label", "x0", "y0", "x1", "y1", "path", "line")}
    annotated: set[str] = set()
    parsed = 0
    by_stem = _unique_stems(ids)
    for name, found in _annotations(listing, files, options, problems):
        parsed += 1
        record = by_stem.get(stem_of(name.removesuffix(".xml"))) or _by_name(listing.root, found.filename, ids)
        if record is None:
            shown = found.filename or stem_of(name.removesuffix(".xml"))
            problems.append(Problem(kind="missing", path=shown, reason=f"the image of {name} is not there"))
            continue
        annotated.add(record)
        for thing in found.things:
            if thing.corners is None:
                reason = "an object without four numbers in its box: not used"
                problems.append(Problem(kind="malformed", path=name, reason=reason, record=record, line=thing.line))
                continue
            values = [record, thing.name, *thing.corners, name, thing.line]
            for column, value in zip(rows, values, strict=True):
                rows[column].append(value)
    if not parsed:
        raise DatasetError(f"{listing.target}: none of the {len(files):,} XML files is a VOC annotation; choose another layout")
    if ids:
        reason = "an image without an annotation"
        problems += [Problem(kind="unlisted", path=path, reason=reason) for path in ids if path not in annotated]
    split, lists, split_notes = _splits(listing, by_stem, ids, options, problems)
    boxes = box_frame(rows)
    classes = sorted(set(boxes["label"]))
    guesses = [Guess(role="box", value="VOC annotations", confidence=0.95, why=f"{parsed:,} XML files, {len(boxes):,} boxes")]
    if lists:
        why = f"lists of names: {', '.join(sorted(lists))}"
        guesses.append(Guess(role="split", value="ImageSets/Main", confidence=0.95, why=why))
    note = f"the boxes carry the labels ({len(classes)} classes): the image has no label of its own"
    columns: dict[str, Sequence[object]] = {"path": ids, "split": [split.get(path) for path in ids]}
    if masks.of:
        columns["mask"] = [masks.of[path][0] if path in masks.of else None for path in ids]
    return build(
        Draft(
            root=listing.root,
            name=listing.target.name,
            claims=claim(listing, "voc", masks=masks.files, annotations=[*files, *lists]),
            ids=ids,
            labels=no_labels(ids),
            columns=columns,
            boxes=boxes,
            counts={"unlisted": sum(problem.kind == "unlisted" for problem in problems)},
            guesses=tuple(guesses),
            notes=(note, *split_notes),
            problems=tuple(problems),
        )
    )


def _unique_stems(ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    twice: set[str] = set()
    for path in ids:
        stem = stem_of(path)
        if found.setdefault(stem, path) != path:
            twice.add(stem)
    return {stem: path for stem, path in found.items() if stem not in twice}


def _by_name(root: Path, filename: str, ids: Sequence[str]) -> str | None:
    return resolve_names(root, [filename], ids).files[0] if filename else None


def _annotations(
    listing: Listing, files: Sequence[str], options: Options, problems: list[Problem]
) -> Iterator[tuple[str, Annotation]]:
    """Every annotation and its file, read in workers; a file that cannot be read becomes a problem."""
    jobs = [Job(function="auditor.placement.voc_file:annotation", arguments=(listing.root / name,)) for name in files]
    for name, answer in zip(files, run_documents(jobs, options.limits, workers=options.workers), strict=True):
        try:
            found: Annotation | None = answer.value
        except UnreadableFile as error:
            problems.append(Problem(kind=error.kind, path=name, reason=told(error)))
            continue
        if found is not None:
            yield name, found


def _splits(
    listing: Listing, by_stem: dict[str, str], ids: Sequence[str], options: Options, problems: list[Problem]
) -> tuple[dict[str, str], list[str], list[str]]:
    """Split per image from the lists; `trainval` is a union and used only for what no other list names.

    An image that two lists name stays in the first of train, val, test: the note says how many.
    """
    lists = {
        name: split_name(name.rpartition("/")[2].removesuffix(".txt"))
        for name in listing.inventory.other
        if "imagesets/" in name.lower() and name.lower().endswith(".txt")
    }
    known = set(ids)
    split: dict[str, str] = {}
    several = 0
    missing = 0
    order = ("train", "val", "test", "external", "unlabelled", "trainval")
    used = sorted(
        ((split_, name) for name, split_ in lists.items() if split_), key=lambda pair: (order.index(pair[0]), pair[1])
    )
    jobs = [Job(function="auditor.placement.voc_file:names", arguments=(listing.root / name,)) for _, name in used]
    for (kind, name), answer in zip(used, run_documents(jobs, options.limits, workers=options.workers), strict=True):
        try:
            entries: tuple[str, ...] = answer.value
        except UnreadableFile as error:
            problems.append(Problem(kind=error.kind, path=name, reason=told(error)))
            continue
        for entry in entries:
            record = by_stem.get(entry) or by_stem.get(stem_of(entry)) or (entry if entry in known else None)
            if record is None:
                missing += 1
            elif record not in split:
                split[record] = kind
            elif split[record] != kind and kind != "trainval":
                several += 1
    notes = []
    if several:
        notes.append(f"{several:,} images stand in two split lists: the first of train, val, test was taken")
    if missing:
        notes.append(f"{missing:,} names in the split lists belong to no image")
    return split, [name for _, name in used], notes
