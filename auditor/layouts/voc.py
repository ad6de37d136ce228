"""Pascal VOC: `Annotations/*.xml` beside `JPEGImages/`, splits in `ImageSets/Main/*.txt`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from auditor.layout import Detection, Listing, Options
from auditor.naming.names import split_name
from auditor.naming.suffixes import stem_of
from auditor.placement.claims import claim
from auditor.placement.masks import find_masks
from auditor.placement.records import Draft, box_frame, build, no_labels
from auditor.placement.resolve import resolve_names
from auditor.values.dataset import Dataset, Problem
from auditor.values.errors import DatasetError
from auditor.values.results import Guess

MAX_XML_BYTES = 4 << 20
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """XML files whose first one is a VOC annotation, about as many as images."""
    files = _annotation_files(listing)
    if not files or not listing.inventory.images:
        return None
    head = (listing.root / files[0]).read_bytes()[:4096]
    if b"<annotation" not in head:
        return None
    in_folder = sum("/annotations/" in f"/{name.lower()}" for name in files)
    confidence = 0.93 if in_folder else 0.85
    return Detection(layout="voc", confidence=confidence, why=f"{len(files):,} annotations in XML beside the images")


def _annotation_files(listing: Listing) -> list[str]:
    return [name for name in listing.inventory.other if name.lower().endswith(".xml")]


def load(listing: Listing, options: Options) -> Dataset:  # noqa: ARG001
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
    for name in files:
        tree = _parse(listing.root / name, name, listing.files[name], problems)
        if tree is None:
            continue
        parsed += 1
        root, lines = tree
        filename = (root.findtext("filename") or "").strip()
        record = by_stem.get(stem_of(name.removesuffix(".xml"))) or _by_name(listing.root, filename, ids)
        if record is None:
            shown = filename or stem_of(name.removesuffix(".xml"))
            problems.append(Problem(kind="missing", path=shown, reason=f"the image of {name} is not there"))
            continue
        annotated.add(record)
        for number, thing in enumerate(root.iter("object")):
            line = lines[number] if number < len(lines) else 0
            corners = [_number(thing.findtext(f"bndbox/{corner}")) for corner in _CORNERS]
            if any(value is None for value in corners):
                reason = "an object without four numbers in its box: not used"
                problems.append(Problem(kind="malformed", path=name, reason=reason, record=record, line=line))
                continue
            values = [record, (thing.findtext("name") or "").strip(), *corners, name, line]
            for column, value in zip(rows, values, strict=True):
                rows[column].append(value)
    if not parsed:
        raise DatasetError(f"{listing.target}: none of the {len(files):,} XML files is a VOC annotation; choose another layout")
    if ids:
        reason = "an image without an annotation"
        problems += [Problem(kind="unlisted", path=path, reason=reason) for path in ids if path not in annotated]
    split, lists, split_notes = _splits(listing, by_stem, ids)
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


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\s*-?\d+(?:\.\d*)?\s*", text) else None


def _parse(path: Path, name: str, size: int, problems: list[Problem]) -> tuple[ElementTree.Element, list[int]] | None:
    """The tree of one annotation and the line of each object, or None and a problem. Entities are refused unread."""
    if size > MAX_XML_BYTES:
        problems.append(Problem(kind="too-large", path=name, reason=f"an annotation of {size:,} bytes is not read"))
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        problems.append(Problem(kind="refused", path=name, reason=f"the annotation cannot be opened ({error.strerror})"))
        return None
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content:
        reason = "the XML declares a document type or entities, or is not UTF-8: refused"
        problems.append(Problem(kind="refused", path=name, reason=reason))
        return None
    try:
        root = ElementTree.fromstring(content)  # noqa: S314  # no DOCTYPE, no ENTITY: checked above
    except (ElementTree.ParseError, ValueError):
        problems.append(Problem(kind="malformed", path=name, reason="not well-formed XML"))
        return None
    if root.tag != "annotation":
        return None
    lines = [content.count(b"\n", 0, found.start()) + 1 for found in re.finditer(rb"<object[\s>]", content)]
    return root, lines


def _splits(listing: Listing, by_stem: dict[str, str], ids: Sequence[str]) -> tuple[dict[str, str], list[str], list[str]]:
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
    for kind, name in used:
        for line in (listing.root / name).read_text("utf-8", errors="replace").splitlines():
            entry = line.split()[0] if line.split() else ""
            if not entry:
                continue
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
