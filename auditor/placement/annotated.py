"""Documents of annotations (COCO, LabelMe, VIA, CVAT), read → a dataset: one builder for all of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from auditor.naming.labels import from_states, single
from auditor.naming.names import roles_in_names, split_name
from auditor.naming.suffixes import image_suffixes
from auditor.placement.claims import claim
from auditor.placement.documents import Document
from auditor.placement.listing import Listing, Options
from auditor.placement.masks import find_masks
from auditor.placement.path_roles import path_roles
from auditor.placement.records import Draft, box_frame, build, no_labels, with_outlines
from auditor.placement.resolve import resolve_names
from auditor.placement.table_beside import table_beside
from auditor.placement.tree import read_folders
from auditor.reading.jobs import Job, run_documents, told
from auditor.tables.label_table import categorical
from auditor.values.dataset import Dataset, Problem
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.labels import Labels, State
from auditor.values.results import Guess

_YEAR = re.compile(r"\d+")
SHOWN = 4
"""Classes that a note names."""
_ORDER = ("train", "val", "test")

Found = Mapping[str, Sequence[str]]
"""Document → the record of each image that it lists."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of documents: its layout, how it is called in a sentence, and what reads it in the workers (`module:name`)."""

    layout: str
    word: str
    function: str


def annotated_dataset(listing: Listing, options: Options, kind: Kind, files: Sequence[str]) -> Dataset:
    """One record per image, listed or not; every annotation with a place is a box, every one without is a label.

    Raises:
        DatasetError: no file of the kind, or none that can be read.
    """
    if not files:
        raise DatasetError(f"{listing.target}: no {kind.word} file of annotations found; choose another layout")
    problems: list[Problem] = list(listing.problems)
    said = _read(listing, options, kind, files, problems)
    if not said:
        raise DatasetError(
            f"{listing.target}: none of the {len(files):,} {kind.word} files can be read ({problems[-1].reason})"
        )
    images = listing.inventory.images
    masks = find_masks(images)
    there = [path for path in images if path not in masks.files]
    found = _resolved(listing, said, there)
    listed = dict.fromkeys(path for paths in found.values() for path in paths)
    ids = list(dict.fromkeys([*there, *listed]))
    known = set(there)
    problems += [
        Problem(kind="missing", path=path, reason=f"listed by a {kind.word} file and not there", record=path)
        for path in ids if path not in known
    ]  # fmt: skip
    problems += [
        Problem(kind="unlisted", path=path, reason=f"an image that no {kind.word} file lists")
        for path in there if path not in listed
    ]  # fmt: skip
    boxes = _outlined(said, _boxes(said, found))
    labels, guesses = _labels(said, found, ids, kind)
    columns, role_guesses, notes = _columns(said, found, ids, kind)
    if masks.of:
        columns["mask"] = [masks.of[path][0] if path in masks.of else None for path in ids]
    why = f"{len(said):,} files, {len(boxes):,} boxes"
    guesses.append(Guess(role="box", value=f"{kind.word} annotations", confidence=0.95, why=why))
    beside = table_beside(listing, options, ids, files)
    # what documents say goes before a table, and a table before names of folders
    stays = {"split"} if any(_splits(said, found)) else set()
    columns |= {role: column for role, column in beside.columns.items() if role not in stays}
    role_guesses = [guess for guess in role_guesses if guess.role in stays or guess.role not in beside.columns]
    if labels.task == "none" and beside.labels is not None:
        labels = beside.labels
    told_of = {*beside.columns, *({"label"} if labels is beside.labels else ()), "table"} - stays
    guesses += [guess for guess in beside.guesses if guess.role in told_of]
    kinds = Counter(problem.kind for problem in problems)
    return build(
        Draft(
            root=listing.root,
            name=listing.target.name,
            claims=claim(listing, kind.layout, masks=masks.files, annotations=files, tables=beside.tables),
            ids=ids,
            labels=labels,
            columns=columns,
            boxes=boxes,
            metadata=beside.metadata,
            fields=beside.fields,
            counts={"missing": kinds["missing"], "unlisted": kinds["unlisted"], **beside.counts},
            guesses=(*guesses, *role_guesses),
            notes=(*notes, *beside.notes, *_notes(said, found, boxes, labels)),
            problems=(*problems, *beside.problems),
        )
    )


def _read(listing: Listing, options: Options, kind: Kind, files: Sequence[str], problems: list[Problem]) -> dict[str, Document]:
    """File → what it says; what cannot be read, or used, is a problem."""
    jobs = [Job(function=kind.function, arguments=(listing.root / name,)) for name in files]
    said: dict[str, Document] = {}
    for name, answer in zip(files, run_documents(jobs, options.limits, workers=options.workers), strict=True):
        try:
            document: Document = answer.value
        except UnreadableFile as error:
            problems.append(Problem(kind=error.kind, path=name, reason=f"the annotations cannot be read: {told(error)}"))
            continue
        said[name] = document
        problems += [
            Problem(kind="malformed", path=name, reason=f"{many:,} {words}: not used") for words, many in document.wrong.items()
        ]
        problems += [Problem(kind="malformed", path=name, reason=f"{many:,} {words}") for words, many in document.odd.items()]
    return said


def _resolved(listing: Listing, said: Mapping[str, Document], there: Sequence[str]) -> dict[str, list[str]]:
    """The record of each image that a file lists: beside the file, else wherever it lies, else its name."""
    known = set(there)
    names = list(dict.fromkeys(image for document in said.values() for image in document.images))
    anywhere = resolve_names(listing.root, names, there)
    far = {name: (path, clean) for name, path, clean in zip(names, anywhere.files, anywhere.names, strict=True)}
    found: dict[str, list[str]] = {}
    for file, document in said.items():
        folder = file.rpartition("/")[0]
        records = []
        for number, image in enumerate(document.images):
            near = f"{folder}/{image}" if folder else image
            path, clean = far[image]
            path = path or _after_its_image(file, document, known)
            records.append(near if near in known else (path or clean or f"(image {number} of {file})"))
        found[file] = records
    return found


def _after_its_image(file: str, document: Document, known: Collection[str]) -> str | None:
    """The image that a file of one image is called after, where the name inside means none (it was renamed)."""
    if len(document.images) != 1:
        return None
    stem = file.rpartition(".")[0]
    called = [f"{stem}.{suffix}" for suffix in image_suffixes() if f"{stem}.{suffix}" in known]
    return called[0] if len(called) == 1 else None


def _boxes(said: Mapping[str, Document], found: Found) -> pd.DataFrame:
    rows = [
        (found[name][image], label, x, y, x + wide, y + high, name, 0)
        for name, document in said.items()
        for image, label, x, y, wide, high in document.boxes
    ]
    columns = ("record", "label", "x0", "y0", "x1", "y1", "path", "line")
    return box_frame({column: [row[i] for row in rows] for i, column in enumerate(columns)})


def _outlined(said: Mapping[str, Document], boxes: pd.DataFrame) -> pd.DataFrame:
    """The boxes with their outlines."""
    packed: list[bytes] = []
    sizes: list[tuple[int, int] | None] = []
    for document in said.values():
        packed += document.shapes or (b"",) * len(document.boxes)
        sizes += [document.sizes[box[0]] if document.sizes else None for box in document.boxes]
    return with_outlines(boxes, packed, sizes)


def _labels(said: Mapping[str, Document], found: Found, ids: Sequence[str], kind: Kind) -> tuple[Labels, list[Guess]]:
    """Labels of images, where annotations have a class and no place: one each is a class, more are several."""
    of: dict[str, list[str]] = defaultdict(list)
    for name, document in said.items():
        for image, label in document.classes:
            if label not in of[found[name][image]]:
                of[found[name][image]].append(label)
    if not of:
        return no_labels(ids), []
    index = pd.Index(list(ids), name="record", dtype="str")
    origin = f"{kind.word} categories"
    why = f"{sum(map(len, of.values())):,} annotations without a place"
    guess = Guess(role="label", value=origin, confidence=0.95, why=why)
    if all(len(labels) == 1 for labels in of.values()):
        column = categorical(of[path][0] if path in of else "" for path in ids)
        return single(column, index, level="image", origin=origin), [guess]
    classes = sorted({label for labels in of.values() for label in labels})
    states = np.full((len(ids), len(classes)), State.NEGATIVE, np.int8)
    places = {label: number for number, label in enumerate(classes)}
    for row, path in enumerate(ids):
        for label in of.get(path, ()):
            states[row, places[label]] = State.POSITIVE
    return from_states(states, classes, index, level="image", origin=origin), [guess]


def _columns(
    said: Mapping[str, Document], found: Found, ids: Sequence[str], kind: Kind
) -> tuple[dict[str, Sequence[object] | pd.Series], list[Guess], list[str]]:
    """Paths, and what they, the documents and the names of their files say of splits, patients and sites."""
    folders = replace(read_folders(ids), label=None, label_depth=None)
    told_roles, guesses = path_roles(ids, roles_in_names(ids), folders)
    columns: dict[str, Sequence[object] | pd.Series] = {"path": ids, **told_roles}
    notes: list[str] = []
    by_file = _splits(said, found)
    if by_file:
        # What the files list is what a loader reads; the folders may say otherwise.
        columns["split"] = [
            min(by_file[path], key=lambda s: (_ORDER.index(s) if s in _ORDER else 3, s)) if path in by_file else None
            for path in ids
        ]
        guesses = [guess for guess in guesses if guess.role != "split"]
        names = sorted(name for name in said if _split_of(name) or said[name].splits)
        why = f"images listed by {', '.join(names[:6])}"
        guesses.append(Guess(role="split", value=f"{kind.word} files", confidence=0.95, why=why))
        several = sum(len(splits) > 1 for splits in by_file.values())
        if several:
            notes.append(f"{several:,} images are listed in two splits: the first of train, val, test was taken")
    return columns, guesses, notes


def _splits(said: Mapping[str, Document], found: Found) -> dict[str, set[str]]:
    """Image → the splits that list it: what the document says of it (CVAT's subsets), else what its name says."""
    splits: dict[str, set[str]] = defaultdict(set)
    for name, paths in found.items():
        whole, own = _split_of(name) or "", said[name].splits
        for number, path in enumerate(paths):
            split = (split_name(own[number].strip().lower()) or own[number] if own else "") or whole
            if split:
                splits[path].add(split)
    return splits


def _split_of(name: str) -> str | None:
    """`instances_train2017.json`, `train/_annotations.coco.json` → train."""
    folder, _, base = name.rpartition("/")
    words = [*re.split(r"[^A-Za-z0-9]+", base.rpartition(".")[0]), folder.rpartition("/")[2]]
    splits = {split for word in words if (split := split_name(_YEAR.sub("", word))) is not None}
    return splits.pop() if len(splits) == 1 else None


def _notes(said: Mapping[str, Document], found: Found, boxes: pd.DataFrame, labels: Labels) -> list[str]:
    notes: list[str] = []
    if outlines := sum(document.outlines for document in said.values()):
        notes.append(f"{outlines:,} of the boxes are those of outlines (polygons, run lengths)")
    unread: Counter[str] = Counter()
    for document in said.values():
        unread.update(document.unread)
    notes += [f"{many:,} {words} are not read" for words, many in sorted(unread.items())]
    used = {*boxes["label"], *(label for document in said.values() for _, label in document.classes)}
    idle = sorted({label for document in said.values() for label in document.idle} - used)
    if idle:
        notes.append(f"{len(idle):,} of the declared classes are given to nothing: {', '.join(map(repr, idle[:SHOWN]))}")
    times = Counter(path for paths in found.values() for path in set(paths))
    several = sum(count > 1 for count in times.values())
    if several:
        notes.append(f"{several:,} images are described by several files: their objects are put together")
    if labels.task == "none":
        notes.append(f"the boxes carry the labels ({boxes['label'].nunique()} classes): the image has no label of its own")
    return notes
