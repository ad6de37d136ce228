"""A depth that tells the class, and near-copies of pictures in another split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from auditor.degrade.copies import NEAR_COPIES
from auditor.degrade.flaws import Truth
from auditor.reading.jobs import Job, in_order
from auditor.values.errors import ConfigError, UnreadableFile
from trainers.degrading.draft import Draft, free_name
from trainers.degrading.labels import folder_of


def store_by_class(draft: Draft) -> None:
    """`--bit-depth CLASS=BITS`.

    Raises:
        ConfigError: no such class, pictures of a form that is not written, or all of them have that depth already.
    """
    depth, dataset = draft.wish.bit_depth, draft.dataset
    assert depth is not None
    if dataset.labels.task not in ("single", "ordinal"):
        raise ConfigError("--bit-depth: the dataset has no labels of one class each")
    own = (dataset.labels.values == depth.label).fillna(False).to_numpy(dtype=bool)
    records = [record for record in map(str, dataset.records.index[own]) if draft.path(record) in draft.files]
    if not records:
        raise ConfigError("--bit-depth: no picture of that class is there; a class as the label column or the folder says it")
    _as_files(draft, "--bit-depth")
    goals = [draft.new_file() for _ in records]
    jobs = [
        Job(function="trainers.degrading.picture_file:deepen", arguments=(draft.files[draft.path(record)], goal, depth.bits))
        for record, goal in zip(records, goals, strict=True)
    ]
    changed = [done for done in zip(records, goals, _answers(draft, jobs, records, "--bit-depth"), strict=True) if done[2]]
    if not changed:
        raise ConfigError(f"--bit-depth: all pictures of that class have {depth.bits} bits already; name the other depth")
    for record, goal, _ in changed:
        draft.files[draft.path(record)] = goal
        draft.truth.append(Truth(record=record, kind="bit-depth", new=str(depth.bits), detail=depth.label))


def add_near_copies(draft: Draft) -> None:
    """`--near-copies`: of some pictures one more, slightly changed, in another split where there are several.

    Raises:
        ConfigError: the dataset has more than pictures and a table or folders, or pictures of a form that is not written.
    """
    dataset, share = draft.dataset, draft.wish.near_copies
    assert share is not None
    records = dataset.records
    _as_files(draft, "--near-copies")
    if records["mask"].notna().any() or len(dataset.boxes) or not dataset.channels.empty or not dataset.points.empty:
        raise ConfigError("--near-copies: masks, boxes, points or channels go with the pictures, and would not fit the copies")
    if not draft.has_table and dataset.summary.layout != "folders":
        raise ConfigError(f"--near-copies: to the layout {dataset.summary.layout} no pictures are added")
    if draft.has_table and (not draft.table.one_row_each or "path" not in draft.table.source.roles):
        raise ConfigError("--near-copies: the table has not one row for each picture")
    there = [record for record in map(str, records.index) if draft.path(record) in draft.files]
    count = math.floor(len(there) * share + 0.5)
    if not count:
        raise ConfigError(f"--near-copies: {len(there):,} pictures are too few for that share of them")
    rng = np.random.default_rng(draft.seed("near-copies"))
    chosen = [there[i] for i in np.sort(rng.choice(len(there), size=count, replace=False)).tolist()]
    ways = [list(NEAR_COPIES)[k % len(NEAR_COPIES)] for k in range(count)]
    goals = [draft.new_file() for _ in chosen]
    jobs = [
        Job(
            function="trainers.degrading.picture_file:copy_nearly",
            arguments=(draft.files[draft.path(record)], goal, way, draft.seed(f"copy {record}")),
        )
        for record, goal, way in zip(chosen, goals, ways, strict=True)
    ]
    _answers(draft, jobs, chosen, "--near-copies")
    splits = sorted(map(str, records["split"].dropna().unique()))
    folders = folder_of(records["path"], records["split"]) if len(splits) > 1 and not draft.has_table else None
    for record, goal, way in zip(chosen, goals, ways, strict=True):
        split = next((name for name in splits if name != records.at[record, "split"]), "") if len(splits) > 1 else ""
        path = draft.path(record)
        if folders is not None and split:
            parts = path.split("/")
            path = "/".join((*parts[: folders[0]], folders[1][split], *parts[folders[0] + 1 :]))
        path = free_name(path, draft.files)
        draft.files[path] = goal
        if draft.has_table:
            draft.table.copy_row(record, {"path": path} | ({"split": split} if split else {}))
        draft.truth.append(Truth(record=path, kind="near-copy", old=record, new=path, detail=way))


def _as_files(draft: Draft, option: str) -> None:
    if draft.dataset.records["item"].fillna("").ne("").any():
        raise ConfigError(f"{option}: the pictures lie in arrays and are no files")


def _answers(draft: Draft, jobs: Sequence[Job], records: Sequence[str], option: str) -> list[Any]:
    found: list[Any] = []
    for record, answer in zip(records, in_order(jobs, draft.options.limits, workers=draft.plan.readers), strict=True):
        try:
            found.append(answer.value)
        except UnreadableFile as error:
            raise ConfigError(f"{option}: {draft.shown(record)}: {error.reason}") from None
    return found
