"""What the one pass measures: a task per file of a record, and per mask."""

from __future__ import annotations

from collections.abc import Iterator
from os import stat
from os.path import join

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
        if is_there(join(dataset.root, path)):  # noqa: PTH118 - a path of `pathlib` for each row is a part of a table's scan
            yield Task(path=path, records=tuple(records))
    for path, group in table.loc[~single].groupby("path", sort=False):
        for start in range(0, len(group), ITEMS_PER_TASK):
            part = group.iloc[start : start + ITEMS_PER_TASK]
            yield Task(path=str(path), records=tuple(map(str, part.index)), items=tuple(part["item"]))


def is_there(place: str) -> bool:
    """Something lies there; what cannot be looked at does as well, and the worker says why."""
    try:
        stat(place)  # noqa: PTH116 - see above
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last: a name that no file can have
        return False
    except OSError:
        return True
    return True


def mask_tasks(dataset: Dataset) -> Iterator[Task]:
    """One task per mask file; a mask that is not there is IN006's to report."""
    drawn = dataset.rater_masks["path"] if len(dataset.rater_masks) else ()
    for path in dict.fromkeys(map(str, (*dataset.records["mask"].dropna(), *drawn))):
        if stays_inside(dataset.root, path):
            yield Task(path=path, records=(PREFIX + path,), is_mask=True)
