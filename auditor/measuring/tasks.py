"""What the one pass measures: a task per file of a record, and per mask."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evidence.masks.mask_facts import PREFIX
from auditor.placement.listing import stays_inside
from auditor.values.dataset import Dataset
from auditor.values.measurement import Task

ITEMS_PER_TASK = 256


def tasks_of(dataset: Dataset) -> Iterator[Task]:
    """One task per file, or per slice of the items of a many-image file; archives and what is not there have none."""
    absent = {p.record for p in dataset.problems if p.kind in ("missing", "outside-root", "unsupported")}
    table = dataset.records[["path", "item"]]
    table = table[table["path"].notna() & ~table.index.isin(list(absent))]
    single = table["item"].isna() | (table["item"] == "")
    groups: dict[str, list[str]] = {}
    for record, path in table.loc[single, "path"].items():
        groups.setdefault(str(path), []).append(str(record))
    for path, records in groups.items():
        if (dataset.root / path).exists():
            yield Task(path=path, records=tuple(records))
    for path, group in table.loc[~single].groupby("path", sort=False):
        for start in range(0, len(group), ITEMS_PER_TASK):
            part = group.iloc[start : start + ITEMS_PER_TASK]
            yield Task(path=str(path), records=tuple(map(str, part.index)), items=tuple(part["item"]))


def mask_tasks(dataset: Dataset) -> Iterator[Task]:
    """One task per mask file; a mask that is not there is IN006's to report."""
    drawn = dataset.rater_masks["path"] if len(dataset.rater_masks) else ()
    for path in dict.fromkeys(map(str, (*dataset.records["mask"].dropna(), *drawn))):
        if stays_inside(dataset.root, path):
            yield Task(path=path, records=(PREFIX + path,), is_mask=True)
