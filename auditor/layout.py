"""How a dataset lies on disk: the listing of its files, what a layout is, and which one fits.

A layout module in `auditor.layouts` has two names:

* `detect(listing: Listing, options: Options) -> Detection | None`
* `load(listing: Listing, options: Options) -> Dataset`

and says what it can read, of `PARTS`: `READS: frozenset[str]` (a plug-in may leave it out).

Names propose, content decides: a path column must resolve to files, 1 < patients < rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType

from auditor.files import CONFIG_NAME, OWN_OUTPUT
from auditor.naming.endings import NAME_PIN
from auditor.placement.dicom_documents import UNREAD_REPORT
from auditor.placement.kinds import check_kinds
from auditor.placement.listing import Listing, Options, list_files, resolve_inside
from auditor.placement.lone_arrays import unread_arrays
from auditor.placement.tree import FOLDER_PIN
from auditor.placement.unused import UNUSED
from auditor.plugins import plugin_modules
from auditor.values.dataset import Dataset, Problem
from auditor.values.errors import DatasetError

__all__ = [
    "CONFIG_NAME", "OWN_OUTPUT", "PARTS", "Detection", "Listing", "Options", "detect", "layouts", "list_files", "open_dataset",
    "open_listing", "parts_of", "resolve_inside",
]  # fmt: skip


PARTS: Mapping[str, str] = {
    "labels": "what an image shows, as a class or several",
    "splits": "the split of each image",
    "patients": "whose image it is, before any header is read",
    "masks": "a drawn mask per image",
    "boxes": "boxes of objects",
    "outlines": "polygons or run lengths of objects, which a scan draws",
    "raters": "what each of several readers said or drew",
    "channels": "several files that are one case",
}
"""What a layout may read, and what each is."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """A layout that fits: confidence 0–1 and why."""

    layout: str
    confidence: float
    why: str


@cache
def layouts() -> Mapping[str, ModuleType]:
    """All layout modules by name, ours and those of installed plug-ins (entry points `medaudit.layouts`)."""
    return plugin_modules("auditor.layouts", "medaudit.layouts", names=("detect", "load"))


def detect(listing: Listing, options: Options) -> list[Detection]:
    """Layouts that fit, the most confident first."""
    if options.layout is not None:
        if options.layout not in layouts():
            raise DatasetError(f"no layout is called {options.layout!r}; there are: {', '.join(sorted(layouts()))}")
        return [Detection(layout=options.layout, confidence=1.0, why="pinned")]
    found = [module.detect(listing, options) for module in layouts().values()]
    return sorted((d for d in found if d is not None), key=lambda d: (-d.confidence, d.layout))


def open_dataset(target: Path, options: Options) -> Dataset:
    """List, detect, load.

    Raises:
        DatasetError: nothing there, or nothing that can be read as a dataset, or an unknown column.
    """
    return open_listing(list_files(target, options.limits), options)


def open_listing(listing: Listing, options: Options) -> Dataset:
    """Detect and load what was listed.

    Raises:
        DatasetError: nothing that can be read as a dataset, or an unknown column.
    """
    fits = detect(listing, options)
    if not fits:
        raise DatasetError(
            f"{listing.target}: no images, label table or npz found; name the folder that holds the images, or the label table"
        )
    dataset: Dataset = layouts()[fits[0].layout].load(listing, options)
    columns = {role: column for role, column in options.roles.items() if not column.startswith((FOLDER_PIN, NAME_PIN))}
    if columns and fits[0].layout != "table" and not any(guess.role == "table" for guess in dataset.summary.guesses):
        # Never in silence: who names the column of the patients believes that patients were told apart.
        role, column = next(iter(columns.items()))
        raise DatasetError(
            f"{listing.target}: no label table was read (layout {fits[0].layout}), so no column {column!r} can be the {role}; "
            "name the table: medaudit scan TABLE --root FOLDER"
        )
    check_kinds(listing.target, dataset.labels, dataset.annotations, options.limits)
    return replace(dataset, problems=(*dataset.problems, *_unread_files(listing, dataset)))


def parts_of(dataset: Dataset) -> frozenset[str]:
    """Which of `PARTS` a dataset has."""
    records = dataset.records
    there = {
        "labels": dataset.labels.task != "none",
        "splits": bool(records["split"].notna().any()),
        "patients": bool(records["patient"].notna().any()),
        "masks": bool(records["mask"].notna().any()),
        "boxes": len(dataset.boxes) > 0,
        "outlines": len(dataset.shapes) > 0,
        "raters": len(dataset.annotations) > 0 or len(dataset.rater_masks) > 0 or "rater" in dataset.boxes.columns,
        "channels": len(dataset.channels) > 0,
    }
    return frozenset(part for part, is_there in there.items() if is_there)


def _unread_files(listing: Listing, dataset: Dataset) -> list[Problem]:
    """Archives, and the files of image formats without a reader that nothing names: they are no reason to be silent."""
    records = set(dataset.records["path"].dropna())
    told = {problem.path for problem in dataset.problems} | records
    drawn = set(dataset.records["mask"].dropna())
    archives = listing.inventory.archives
    arrays = [] if dataset.records["item"].fillna("").ne("").any() else unread_arrays(listing, records, told | drawn)
    opened = records - {problem.path for problem in dataset.problems if problem.kind == "missing"}
    told_of = [path for path in listing.inventory.reports if path not in opened]
    reports = [Problem(kind=UNUSED, path=path, reason=UNREAD_REPORT) for path in told_of]
    return [*arrays, *reports] + [
        Problem(kind="unsupported", path=path, reason=archives[path], record=path if path in records else None)
        if path in archives
        else Problem(kind="unread", path=path, reason="an image format that has no reader here")
        for path in listing.inventory.unsupported
        if path in archives or path not in told
    ]
