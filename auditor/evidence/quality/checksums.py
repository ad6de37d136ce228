"""Checksums that a Croissant file declares for the files of its dataset, measured.

Source: Croissant format specification 1.0 (MLCommons, 2024): `cr:FileObject` with `contentUrl` and `sha256` (or `md5`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from auditor.placement.listing import resolve_inside
from auditor.reading.jobs import Job, in_order, run_job, told
from auditor.values.dataset import Problem
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

NAMES = ("croissant.json", "metadata.json")
"""The second only where it says that it is Croissant."""
CHECKSUM_COLUMNS = ("path", "algorithm", "state", "by")
"""`state`: `same`, `differs`, `missing`, `remote` (an address, or outside the folder) or `malformed` (no checksum)."""
READER = "auditor.evidence.quality.checksum_file"

Declared = tuple[str, str, str]
"""Address, algorithm and the checksum, empty where it is none."""


def measure_checksums(root: Path, limits: Limits, *, workers: int = 1) -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    """One row per file object with a checksum: columns `CHECKSUM_COLUMNS`, text; and the Croissant files that cannot be read.

    Files are read in blocks by workers and never parsed; addresses are not followed, nor links that lead out of the root.
    """
    rows: list[tuple[str, str, str, str]] = []
    problems: list[Problem] = []
    for name in NAMES:
        file = root / name
        if not file.is_file() or file.is_symlink():
            continue
        try:
            declared = run_job(f"{READER}:declared", file, name == NAMES[0], limits=limits, workers=workers)
        except UnreadableFile as error:
            if name == NAMES[0]:
                problems.append(Problem(kind=error.kind, path=name, reason=told(error)))
            continue
        rows += [(*row, name) for row in _measured(root, declared, limits, workers)]
    frame = pd.DataFrame(rows, columns=list(CHECKSUM_COLUMNS)).astype("str")
    return frame, tuple(problems)


def _measured(root: Path, declared: Sequence[Declared], limits: Limits, workers: int) -> Iterator[tuple[str, str, str]]:
    """Address, algorithm and state of every checksum, in the order of the file."""
    there = {address: place for address, _, text in declared if text and (place := _place(root, address)) is not None}
    wanted = [(address, algorithm) for address, algorithm, text in declared if text and address in there]
    jobs = [Job(function=f"{READER}:digest", arguments=(there[address], algorithm)) for address, algorithm in wanted]
    digests = {
        one: "" if answer.raised is not None else str(answer.returned)
        for one, answer in zip(wanted, in_order(jobs, limits, workers=workers, chunk=1), strict=True)
    }
    for address, algorithm, text in declared:
        if not text:
            yield address, algorithm, "malformed"
        elif address not in there:
            yield address, algorithm, "remote"
        else:
            found = digests[address, algorithm]
            yield address, algorithm, "missing" if not found else "same" if found == text else "differs"


def _place(root: Path, address: str) -> Path | None:
    """Where a file object lies, whether it is there or not; None for an address, and outside the folder."""
    inside = None if "://" in address else resolve_inside(root, address)
    if inside is None:
        return None
    try:
        place = (root / inside).resolve()
    except (OSError, RuntimeError, ValueError):  # links that run in a circle, too long a name
        return None
    return place if place.is_relative_to(root.resolve()) else None
