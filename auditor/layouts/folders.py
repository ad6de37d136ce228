"""Images in folders: flat, class folders, split × class, patient folders, images with masks, labels in file names.

A text file beside each image that holds a word or a few (`img_012.txt` with `benign`) is its class where no folder says one.
Segmentations and structure sets of DICOM among the images are objects on the images that they name, and no records.
Where folders may be nurses or wards and names end in few words, `--label name:end` (or `name:begin`) takes those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import compress

import pandas as pd

from auditor.layout import Detection, Listing, Options
from auditor.naming.labels import single
from auditor.naming.names import NameRoles, roles_in_names
from auditor.naming.stems import classes_in_stems
from auditor.placement.channels import find_channels
from auditor.placement.claims import claim
from auditor.placement.counterparts import Counterparts, find_counterparts
from auditor.placement.dicom_drawn import drawn_on
from auditor.placement.folder_doubts import doubted, labels_in_names, less_sure, named_place, rival_endings
from auditor.placement.images import Inventory
from auditor.placement.label_notes import labels_in_notes
from auditor.placement.lone_arrays import lone_arrays
from auditor.placement.masks import Masks, find_masks, worth
from auditor.placement.path_roles import path_roles
from auditor.placement.rater_masks import RaterMasks, find_rater_masks
from auditor.placement.records import Draft, build, no_labels
from auditor.placement.split_lists import splits_in_lists
from auditor.placement.tails import find_tails
from auditor.placement.tree import FolderRoles, pinned_levels, read_folders
from auditor.placement.unused import UNUSED
from auditor.tables.label_table import categorical
from auditor.values.dataset import Dataset, Problem
from auditor.values.fields import Field
from auditor.values.labels import Labels
from auditor.values.results import SURE, Guess

READS = frozenset(("labels", "splits", "patients", "masks", "boxes", "outlines", "raters", "channels"))

OWN_LABELS = frozenset(("BreaKHis", "MURA"))
"""Collections whose names say the class better than their folders do."""


def image_paths(listing: Listing) -> tuple[str, ...]:
    """The files that are one image each: images, and arrays where they are at least half of what there is, or lie among them.

    Where there is nothing else, those of formats that are not read: a folder of them is a data set of which nothing is seen.
    """
    inventory = listing.inventory
    if none_is_read(listing):
        return inventory.unsupported
    if len(inventory.containers) >= max(len(inventory.images), 1):
        return tuple(sorted((*_pictures(inventory), *inventory.containers)))
    return tuple(sorted((*_pictures(inventory), *lone_arrays(inventory))))


def _pictures(inventory: Inventory) -> list[str]:
    """Images without the segmentations and structure sets that draw on them."""
    return [path for path in inventory.images if path not in inventory.drawings]


def none_is_read(listing: Listing) -> bool:
    """All images of the listing are of formats without a reader."""
    inventory = listing.inventory
    return not inventory.images and not inventory.containers and bool(inventory.unsupported)


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """Any folder with images fits; the more its folders say, the better."""
    paths = image_paths(listing)
    if not paths:
        return None
    inventory = listing.inventory
    if none_is_read(listing):
        return Detection(layout="folders", confidence=0.1, why=f"{len(paths):,} images of formats that are not read")
    if not inventory.images:
        return Detection(layout="folders", confidence=0.2, why=f"{len(paths):,} array files")
    raters, masks = drawn_masks(paths)
    drawn = masks.files | raters.files
    roles = read_folders([path for path in paths if path not in drawn], None, drawn)
    if roles.label is not None:
        guess = next(g for g in roles.guesses if g.role == "label")
        return Detection(layout="folders", confidence=min(0.75, guess.confidence), why=f"class folders: {guess.why}")
    if raters.of:
        return Detection(layout="folders", confidence=0.65, why=f"images with masks by several raters: {raters.why}")
    if masks.of:
        return Detection(layout="folders", confidence=0.65, why=f"images with masks: {masks.why}")
    names = roles_in_names([path for path in paths if path not in masks.files])
    if names is not None and names.label is not None:
        return Detection(layout="folders", confidence=0.7, why=f"file names as in {names.pattern.name}")
    stems = classes_in_stems(paths)
    if stems is not None:
        return Detection(layout="folders", confidence=min(0.45, stems.confidence), why=stems.why)
    return Detection(layout="folders", confidence=0.3, why=f"{len(paths):,} images")


def drawn_masks(paths: Sequence[str]) -> tuple[RaterMasks, Masks]:
    """Masks by several raters, and the masks among the other files."""
    raters = find_rater_masks(paths)
    return raters, find_masks([path for path in paths if path not in raters.files])


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image; masks are no records but fill `mask`."""
    every = image_paths(listing)
    raters, masks = drawn_masks(every)
    if not masks.files and not raters.files:
        tails = find_tails(every, listing.root, listing.files, options.limits, options.workers)
        masks = Masks(of=tails, why="files called after an image and one ending, and few values in them" if tails else "")
    pinned, place = pinned_levels(options.roles), named_place(options)
    ids = [path for path in every if path not in masks.files | raters.files]
    folders = read_folders(ids, pinned, masks.files | raters.files)
    doubts: list[str] = []
    if folders.label_depth is not None and "label" not in pinned and not place:
        # Nothing is taken for a class that may be a drawing of something else: labels are rewritten, drawings never.
        beside = find_counterparts(ids, folders.label_depth, listing.root, listing.files, options.limits, options.workers)
        raters, masks = with_counterparts(raters, masks, beside)
        ids = [path for path in ids if path not in beside.files]
        folders = doubted(read_folders(ids, pinned, masks.files | raters.files), beside)
        doubts = [text for text in (beside.doubt,) if text]
    ends = {} if place or "label" in pinned else rival_endings(ids, folders)
    if ends:
        folders = less_sure(folders, "the names end in few words too")
    drawn = masks.files | raters.files
    channels = find_channels(ids)
    folders = of_files(folders, [path not in channels.others for path in ids])
    ids = [path for path in ids if path not in channels.others]
    names = roles_in_names(ids)
    index = pd.Index(ids, name="record", dtype="str")
    labels, label_guesses = _labels(ids, index, folders, names) if not place else labels_in_names(ids, index, place)
    noted = labels_in_notes(listing, ids) if labels.task == "none" else {}
    if noted:
        labels = single(categorical(noted.get(path, ("", ""))[0] for path in ids), index, level="image", origin="text files")
        why = f"{len(noted):,} images have a text file of their name that holds one of {len(labels.classes)} words"
        label_guesses = [Guess(role="label", value="text files beside the images", confidence=0.85, why=why)]
    # words in names are the last to be asked, and never where drawings are: those are what such a set is about
    stems = classes_in_stems(ids) if labels.task == "none" and not doubts else None
    if stems is not None:
        labels = single(categorical(value or "" for value in stems.values), index, level="image", origin="file name")
        label_guesses = [Guess(role="label", value="file name", confidence=stems.confidence, why=stems.why)]
    told, path_guesses = path_roles(ids, names, folders)
    lists: tuple[str, ...] = ()
    if "split" not in told:
        of_lists, lists = splits_in_lists(listing, ids)
        if of_lists:
            told = {**told, "split": [of_lists.get(path) for path in ids]}
            path_guesses.append(Guess(role="split", value=", ".join(lists[:3]), confidence=0.9, why="lists of the images"))
    columns: dict[str, Sequence[object]] = {"path": ids, **told}
    guesses = [*label_guesses, *path_guesses]
    notes = [*(folders.notes if labels.origin == "class folder" else ()), *folders.aside]
    notes += doubts
    if stems is not None and stems.confidence < SURE:
        notes.append(
            "the classes are words of the file names, and may be none: look at the samples; nothing is rewritten by them"
        )
    if names is not None and names.pattern.ambiguous:
        notes.append(names.pattern.ambiguous)
    if masks.of:
        of = {path: (*masks.of.get(path, ()), *raters.of.get(path, {}).values()) for path in ids}
        columns["mask"] = [min(of[path], key=worth) if of[path] else None for path in ids]
        guesses.append(Guess(role="mask", value="file names", confidence=0.9, why=masks.why))
    elif raters.of:
        columns["mask"] = [raters.first(path) for path in ids]
    if raters.of:
        guesses.append(Guess(role="mask", value="folders of raters", confidence=0.9, why=raters.why))
        notes.append(rater_note(raters, has_masks=bool(masks.of)))
    if channels.of:
        notes.append(channels.note)
    notes += mask_notes(masks) + unread_notes(listing)
    laid = drawn_on(listing, options, listing.inventory.drawings, [path for path in ids if path in listing.inventory.dicom])
    notes += laid.notes
    if laid.boxes is not None:
        guesses.append(Guess(role="box", value="DICOM segmentations and contours", confidence=0.95, why=laid.notes[0]))
    said = {f"name.{name}": values for name, values in (names.fields if names is not None else {}).items()}
    said |= folders.fields
    untold: tuple[Problem, ...] = ()
    if labels.task == "none" and folders.untold is not None:
        depth, called = folders.untold
        reason = (
            f"folders {called[0]} to {called[-1]} may be grades, or parts: say --label folder:{depth + 1}, "
            f"or --site folder:{depth + 1}"
        )
        untold = (Problem(kind=UNUSED, path=called[0], reason=reason),)
    if ends and labels.origin == "class folder":
        words = " or ".join(f"{end!r} ({count:,})" for end, count in ends.items())
        level = (folders.label_depth or 0) + 1
        reason = f"names end in {words}: if that is the class, say --label name:end; if the folders are, --label folder:{level}"
        untold = (Problem(kind=UNUSED, path=ids[0].rpartition("/")[0] or ids[0], reason=reason),)
        notes.append(reason)
    fields = {name: Field(name=name, kind="acquisition") for name in said}
    metadata = {name: pd.Series(list(values), index=index, dtype=object).astype("str") for name, values in said.items()}
    return build(
        Draft(
            root=listing.root,
            name=listing.target.name,
            claims=claim(
                listing,
                "folders",
                images=[path for path in every if path not in drawn],
                masks=drawn,
                annotations=(*lists, *(text for _, text in noted.values()), *listing.inventory.drawings),
            ),
            ids=ids,
            labels=labels,
            columns=columns,
            metadata=metadata,
            boxes=laid.boxes,
            rater_masks=raters.frame({path: (path,) for path in ids}) if raters.of else None,
            channels=channels.columns(ids),
            fields=fields,
            guesses=tuple(guesses),
            notes=tuple(notes),
            problems=(*listing.problems, *untold, *laid.problems),
        )
    )


def with_counterparts(raters: RaterMasks, masks: Masks, beside: Counterparts) -> tuple[RaterMasks, Masks]:
    """The drawings that sibling folders hold, added to those that were told by their names."""
    if not beside.files:
        return raters, masks
    if beside.are_raters and not raters.of:
        return RaterMasks(of=beside.of, files=raters.files | beside.files, why=beside.why), masks
    of = {image: tuple(sorted((*masks.of.get(image, ()), *drawn.values()))) for image, drawn in beside.of.items()}
    owned = {path for paths in of.values() for path in paths}
    alone = (*masks.alone, *(path for path in beside.files if path not in owned))
    why = "; ".join(part for part in (masks.why, beside.why) if part)
    return raters, Masks(of={**masks.of, **of}, alone=tuple(sorted(alone)), why=why)


def of_files(folders: FolderRoles, kept: Sequence[bool]) -> FolderRoles:
    """The same roles for some of the files: the first channel of a case speaks for all."""
    roles = {
        role: tuple(compress(values, kept))
        for role in ("split", "label", "patient", "site")
        if (values := getattr(folders, role)) is not None
    }
    fields = {name: tuple(compress(values, kept)) for name, values in folders.fields.items()}
    return replace(
        folders, split=roles.get("split"), label=roles.get("label"), patient=roles.get("patient"), site=roles.get("site"),
        fields=fields,
    )  # fmt: skip


def rater_note(raters: RaterMasks, *, has_masks: bool) -> str:
    """Which mask is taken for the image's own."""
    own = "" if has_masks else "; the mask by the first rater is taken for the image's own"
    return f"{len(raters.of):,} images have masks by raters, which are compared (ED001){own}"


def mask_notes(masks: Masks) -> list[str]:
    """What a person should know about the masks."""
    notes = []
    several = sum(len(of) > 1 for of in masks.of.values())
    if several:
        notes.append(f"{several:,} images have several masks: the first of each is used")
    if masks.alone:
        notes.append(f"{len(masks.alone):,} masks have no image")
    return notes


def unread_notes(listing: Listing) -> list[str]:
    """Which files were left aside, by suffix, when images may be among them."""
    inventory = listing.inventory
    notes = []
    if inventory.unsupported and not none_is_read(listing):
        suffixes = sorted({path.removesuffix(".gz").rpartition(".")[2].lower() for path in inventory.unsupported})
        notes.append(f"{len(inventory.unsupported):,} files are of image formats without a reader: {', '.join(suffixes)}")
    return notes


def _labels(ids: Sequence[str], index: pd.Index, folders: FolderRoles, names: NameRoles | None) -> tuple[Labels, list[Guess]]:
    """Labels of a known collection's file names first, then of class folders."""
    if names is not None and names.label is not None and (folders.label is None or names.pattern.name in OWN_LABELS):
        column = categorical(value or "" for value in names.label)
        why = f"{names.matched:,} of {len(ids):,} file names are those of {names.pattern.name}"
        guess = Guess(role="label", value="file name", confidence=names.pattern.confidence, why=why)
        return single(column, index, level="image", origin="file name"), [guess]
    if folders.label is not None:
        column = categorical(value or "" for value in folders.label)
        return single(column, index, level="image", origin="class folder"), [g for g in folders.guesses if g.role == "label"]
    return no_labels(ids), []
