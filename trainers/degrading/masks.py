"""Masks with fewer and rougher objects: which leave is drawn over the whole collection, so that the share is exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from auditor.degrade.drawings import Change
from auditor.degrade.flaws import Truth
from auditor.reading.jobs import Job, in_order
from auditor.values.errors import ConfigError, UnreadableFile
from trainers.degrading.draft import Draft
from trainers.degrading.harm import Look, Work
from trainers.degrading.wish import option

MOSTLY = 0.9
"""Of the values of masks that number their objects, at least this share is in one part."""


def worsen_masks(draft: Draft) -> None:
    """Write all masks anew.

    Raises:
        ConfigError: no masks, no object in them, or a mask that cannot be read or written.
    """
    wish, records = draft.wish, draft.dataset.records
    owners: dict[str, str] = {}
    for record, path in records["mask"].dropna().items():
        owners.setdefault(str(path), str(record))
    paths = [path for path in owners if path in draft.files]
    asked = [Job(function="trainers.degrading.mask_file:look", arguments=(draft.files[path],)) for path in paths]
    looks: list[Look] = _answers(draft, asked, paths)
    numbered = are_numbered(looks) and not draft.dataset.mask_names
    counts = [one.numbered if numbered else one.parts for one in looks]
    if not sum(counts):
        raise ConfigError(f"{option(wish.of_objects[0])}: no mask holds an object")
    gone = draw_objects(counts, wish.missing or 0.0, draft.seed("missing"))
    jobs, goals = [], []
    for path, own in zip(paths, gone, strict=True):
        goals.append(draft.new_file())
        work = Work(
            numbered=numbered, gone=own, deform=wish.deform, simplify=wish.simplify, boxes=bool(wish.boxes),
            seed=draft.seed(f"deform {path}"),
        )  # fmt: skip
        jobs.append(Job(function="trainers.degrading.mask_file:worsen", arguments=(draft.files[path], goals[-1], work)))
    done: list[tuple[list[Change], float]] = _answers(draft, jobs, paths)
    for path, goal, (changes, score) in zip(paths, goals, done, strict=True):
        draft.files[path] = goal
        draft.scores.append(score)
        draft.truth += [told(owners[path], change) for change in changes]
    draft.notes.append(f"{sum(counts):,} objects in {len(paths):,} masks ({'numbered' if numbered else 'connected parts'})")


def are_numbered(looks: Sequence[Look]) -> bool:
    """Masks number their objects: several values in a mask, and nearly every one in one part."""
    values, whole = sum(one.numbered for one in looks), sum(one.whole for one in looks)
    return max((one.numbered for one in looks), default=0) > 1 and whole >= MOSTLY * values


def draw_objects(counts: Sequence[int], share: float, seed: int) -> list[tuple[int, ...]]:
    """For each mask the places of its objects that leave: exactly `share` of all, rounded, by lot."""
    total = sum(counts)
    rng = np.random.default_rng(seed)
    chosen = np.zeros(total, np.bool_)
    chosen[rng.choice(total, size=math.floor(total * share + 0.5), replace=False)] = True
    ends = np.cumsum(counts)
    return [tuple(np.flatnonzero(own).tolist()) for own in np.split(chosen, ends[:-1])]


def told(record: str, change: Change) -> Truth:
    """A change as a row: where the object was, and where it is."""
    old, new = (" ".join(map(str, corners)) for corners in (change.drawn.corners, change.corners))
    return Truth(record=record, kind=change.kind, old=old, new=new, detail=f"value {change.drawn.value}, {change.how}")


def _answers(draft: Draft, jobs: Sequence[Job], paths: Sequence[str]) -> list[Any]:
    found: list[Any] = []
    for path, answer in zip(paths, in_order(jobs, draft.options.limits, workers=draft.plan.readers), strict=True):
        try:
            found.append(answer.value)
        except UnreadableFile as error:
            raise ConfigError(f"{option(draft.wish.of_objects[0])}: {draft.shown(path)}: {error.reason}") from None
    return found
