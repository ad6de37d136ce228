"""Who writes the tables and arrays of a copy: bounded workers, for what is in them is a stranger's.

To write a table may cost as much as to read it, and more in proportion to its size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from auditor.layouts.medmnist import array_pairs
from auditor.reading.jobs import Job, run_job, run_jobs, told
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits
from trainers.copying.forms.column import Changed, CorrectedColumn, Place

SMALL = 16 << 20
"""A smaller table is written within the bounds of reading one."""
BYTES_PER_BYTE = 40
"""Memory that a table of text takes per byte while it is written, cell by cell."""
BYTES_PER_SECOND = 1 << 20
PACKED_PER_SECOND = 4 << 20
"""Bytes of arrays that are unpacked, moved and packed again in a second of a slow machine."""


def written(name: str, content: bytes, place: Place, columns: Sequence[CorrectedColumn], limits: Limits) -> bytes:
    """A table with its corrected columns (`trainers.copying.forms.form.written`).

    Raises:
        DatasetError: it is not the table that was read, cannot hold a new value, or takes more than the limits allow.
    """
    function = "trainers.copying.forms.form:written"
    try:
        if len(content) <= SMALL:
            found: bytes = run_job(function, name, content, place, columns, limits=limits)
            return found
        more = replace(limits, seconds=limits.table_seconds + len(content) / BYTES_PER_SECOND)
        memory = limits.memory_bytes + BYTES_PER_BYTE * len(content)
        found = _alone(Job(function=function, arguments=(name, content, place, columns)), more, memory)
    except UnreadableFile as error:
        raise DatasetError(f"{name}: the corrected table cannot be written: {told(error)}") from None
    return found


def appended(name: str, content: bytes, copies: Sequence[tuple[int, Mapping[str, str]]], limits: Limits) -> bytes:
    """A table with copies of some of its rows at its end (`trainers.copying.forms.form.appended`).

    Raises:
        DatasetError: rows cannot be added to a table of its form.
    """
    more = replace(limits, seconds=limits.table_seconds + len(content) / BYTES_PER_SECOND)
    memory = limits.memory_bytes + BYTES_PER_BYTE * len(content)
    job = Job(function="trainers.copying.forms.form:appended", arguments=(name, content, copies))
    try:
        found: bytes = _alone(job, more, memory)
    except UnreadableFile as error:
        raise DatasetError(f"{name}: rows cannot be added to it: {told(error)}") from None
    return found


def write_arrays(
    names: Sequence[str],
    root: Path,
    goal: Path,
    changed: Changed,
    removed: frozenset[int],
    limits: Limits,
    *,
    keep_old: bool = True,
) -> None:
    """Write every npz of a dataset into the folder `goal` (`trainers.copying.array_form.write_archive`).

    Args:
        names: of the files, in the order of their records.
        root: the user's folder.
        changed, removed: cells and rows of the table that was made of the labels.
        keep_old: labels that change stay beside the new ones.

    Raises:
        DatasetError: an npz is not the one that was scanned, is larger than the limits allow, or a label does not fit the type
            of its array.
    """
    found = {name: array_pairs(root, [name], limits) for name in names}
    labelled = any(pair.labels for pairs in found.values() for pair in pairs)
    start = 0
    for name, pairs in found.items():
        used = [pair for pair in pairs if pair.labels or not labelled]
        (goal / name).parent.mkdir(parents=True, exist_ok=True)
        arguments = (root / name, goal / name, used, start, changed, removed, keep_old)
        # What is unpacked is bounded by `file-bytes` before it is; it is there as it was and as it will be.
        memory = limits.memory_bytes + 4 * limits.file_bytes
        more = replace(limits, seconds=limits.seconds + limits.file_bytes / PACKED_PER_SECOND)
        more = replace(more, wall_seconds=max(more.wall_seconds, 2 * more.seconds))
        try:
            _alone(Job(function="trainers.copying.array_form:write_archive", arguments=arguments), more, memory)
        except UnreadableFile as error:
            raise DatasetError(f"{root / name}: the corrected arrays cannot be written: {error.reason}") from None
        start += sum(pair.count for pair in used)


def _alone(job: Job, limits: Limits, memory_bytes: int) -> Any:
    (answer,) = run_jobs([job], limits, memory_bytes=memory_bytes)
    return answer.value
