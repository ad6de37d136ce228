"""The verdict of checks that count which files hold which things of one kind: one finding for each thing that is held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.evidence.privacy.exposed import coverage, field_table, file_count, file_table, not_seen
from auditor.evidence.privacy.exposure import Kind, holders
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Verdict


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What such a check says.

    Args:
        found: summary where something is held, from name → files and the number of files looked at.
        clean: summary where nothing is, from the number of files looked at; what was not looked at is added.
        files, things: names of the two metrics.
        what: of one thing, in the column `kind` of the table of things.
        title: of that table.
        gap: why files were not looked at.
    """

    found: Callable[[Mapping[str, int], int], str]
    clean: Callable[[int], str]
    files: str
    things: str
    what: str
    title: str
    gap: str


def holdings(
    dataset: Dataset,
    kind: Kind,
    read: npt.NDArray[np.bool_],
    wording: Wording,
    finding: Callable[[str, int, int], Finding],
) -> Verdict:
    """Judge which files hold things of `kind`.

    Args:
        dataset: after the pass.
        kind: of what is held.
        read: records that were looked at, shape (records,).
        wording: what is said of it.
        finding: from a thing's name, the files that hold it and all files looked at.
    """
    total = file_count(dataset, read)
    found = holders(dataset.exposure, kind)
    files = {name: file_count(dataset, mask) for name, mask in found.items()}
    return Verdict(
        summary=wording.found(files, total) if found else wording.clean(total) + not_seen(dataset),
        metrics={wording.files: total, wording.things: len(found)},
        findings=tuple(finding(name, n, total) for name, n in files.items()),
        tables=(
            (
                field_table([(name, wording.what, n, n / total) for name, n in files.items()], wording.title),
                file_table(dataset, found, "Files that hold them"),
            )
            if found
            else ()
        ),
        coverage=coverage(dataset, read, wording.gap),
    )
