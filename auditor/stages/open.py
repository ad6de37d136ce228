"""Open a dataset: list its files, let the layout that fits load them, look at what its tables tell of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from auditor.evidence.privacy.described import is_directory
from auditor.evidence.privacy.table_privacy import look_at_tables
from auditor.layout import Options, list_files, open_listing
from auditor.plan import Plan
from auditor.reading.jobs import Job, run_documents
from auditor.stages.extract import Pass, pass_of
from auditor.tables.tables import content_of
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.label_rows import LabelRows, stamp_of
from auditor.values.privacy import TableLook

NEEDS: frozenset[str] = frozenset()
PROVIDES = frozenset({"records", "rows"})


def run(dataset: Dataset, plan: Plan) -> Dataset:  # noqa: ARG001 - there is none before this stage
    """The dataset that the plan names, and what the user declares of it."""
    found = open_for_scan(plan.target, plan.options, pass_of(plan))
    opened = replace(found, design=plan.config.design_of(), privacy=replace(found.privacy, telling=plan.telling))
    # a table of millions of rows is kept by row for those alone who write into it
    kept = opened.rows if "rows" in plan.needed else None
    return replace(opened, rows=None if kept is None else with_content(kept, pass_of(plan).limits))


def with_content(rows: LabelRows, limits: Limits) -> LabelRows:
    """The label table with the bytes of its files.

    Raises:
        DatasetError: a file has gone, was changed since its rows were read, or is larger than a table may be.
    """
    files = []
    for file in rows.files:
        content = content_of(rows.folder / file.name, limits)
        if stamp_of(rows.folder / file.name) != file.stamp:
            raise DatasetError(f"{rows.folder / file.name}: it changed while it was read; scan it again")
        files.append(replace(file, content=content))
    return replace(rows, files=tuple(files))


def open_for_scan(target: Path, options: Options, how: Pass) -> Dataset:
    """The dataset as its layout loads it, with what its tables tell of people past what `rules` declare.

    Raises:
        DatasetError: nothing there, or nothing that can be read as a dataset, or an unknown column.
    """
    listing = list_files(target, how.limits)
    dataset = open_listing(listing, replace(options, limits=how.limits, workers=how.workers))
    looks = look_at_tables(listing, how.rules, workers=how.workers)
    looks += look_at_directories(listing.root, listing.inventory.other, how)
    looks += look_at_drawings(
        listing.root,
        sorted({*listing.inventory.dicom, *listing.inventory.reports} - set(dataset.records["path"].dropna())),
        how,
    )
    return replace(dataset, privacy=how.rules, tables=looks)


def look_at_directories(root: Path, names: Sequence[str], how: Pass) -> tuple[TableLook, ...]:
    """Every DICOMDIR, read in a worker; one that cannot be read is told as not looked into."""
    named = [name for name in names if is_directory(name)]
    if not named:
        return ()
    return tuple(_elements_of(root, named, how))


def look_at_drawings(root: Path, names: Sequence[str], how: Pass) -> tuple[TableLook, ...]:
    """DICOM files that are no records (segmentations, contours, masks): one look at all that could be read, in which a name
    stands for the first file that tells of a person, and one at each that could not.
    """
    looks = _elements_of(root, names, how) if names else []
    read = [look for look in looks if look.rows]
    if not read:
        return tuple(looks)
    first = next((look for look in read if look.columns), read[0])
    every = {element: kind for look in read for element, kind in look.columns.items()}
    return (replace(first, rows=len(read), columns=every), *(look for look in looks if not look.rows))


def _elements_of(root: Path, names: Sequence[str], how: Pass) -> list[TableLook]:
    """The elements of DICOM files that tell of a person; no rows where a file cannot be read."""
    function = "auditor.evidence.privacy.beside:directory_of"
    jobs = [Job(function=function, arguments=(root / name, name, how.rules)) for name in names]
    looks: list[TableLook] = []
    for answer in run_documents(jobs, how.limits, workers=how.workers):
        try:
            looks.append(answer.value)
        except UnreadableFile:
            looks.append(TableLook(name=names[answer.number], rows=0, is_table=False))
    return looks
