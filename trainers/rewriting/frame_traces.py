"""Traces of earlier encodings of one file, measured where it is decoded: inside the bounded workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.reading.jobs import Job, run_jobs
from auditor.values.dataset import Dataset
from auditor.values.image import Limits
from trainers.decoding.middle_frames import middle_frames
from trainers.rewriting.encoding_traces import COLUMNS, measure_traces

Floats = npt.NDArray[np.float32]
ITEMS_PER_JOB = 64


def traces_of_file(limits: Limits, file: str, items: Sequence[str]) -> Floats:
    """Traces of a file (one empty item), or of items of it, (items, COLUMNS); NaN where it cannot be read."""
    found = np.full((len(items), len(COLUMNS)), np.nan, np.float32)
    for i, frame in enumerate(middle_frames(limits, Path(file), items)):
        if frame is not None:
            found[i] = measure_traces(*frame)
    return found


def traces_of(
    dataset: Dataset, rows: npt.NDArray[np.int64], limits: Limits, *, workers: int
) -> Iterator[tuple[npt.NDArray[np.int64], Floats]]:
    """Traces of records: positions in `rows`, and (positions, COLUMNS); a file whose worker did not come back is left out.

    Args:
        workers: processes; 0 reads in this one, without isolation (tests).
    """
    wanted: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for i, (path, item) in enumerate(dataset.records[["path", "item"]].iloc[rows].itertuples(index=False)):
        wanted[str(path)].append((i, "" if pd.isna(item) else str(item)))
    jobs, places = [], []
    for path, asked in wanted.items():
        for start in range(0, len(asked), ITEMS_PER_JOB):
            part = asked[start : start + ITEMS_PER_JOB]
            items = tuple(item for _, item in part)
            jobs.append(Job(function=f"{__name__}:traces_of_file", arguments=(str(dataset.root / path), items)))
            places.append(np.array([i for i, _ in part], np.int64))
    for answer in run_jobs(jobs, limits, workers=workers):
        if answer.raised is None:
            yield places[answer.number], answer.returned
