"""The channels of a case: several files that are one record (T1 and FLAIR of one examination), each measured in the pass.

`records.path` is the first channel, which features, fingerprints and the thumbnail are of. `Dataset.channels` has a row for
every channel of a record that has several, the first one included; the pass adds what it saw in each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from auditor.placement.listing import stays_inside
from auditor.values.dataset import Dataset, Problem
from auditor.values.measurement import Measurement, Task

PREFIX = "channel:"
"""Of the name that a channel's file is measured under; no record."""


def channel_tasks(dataset: Dataset) -> Iterator[Task]:
    """One task per file of a further channel; the first one is the record's own."""
    if dataset.channels.empty:
        return
    own = set(dataset.records["path"].dropna())
    for path in dict.fromkeys(map(str, dataset.channels["path"])):
        if path not in own and stays_inside(dataset.root, path):
            yield Task(path=path, records=(PREFIX + path,))


def is_channel(name: str) -> bool:
    """A name of a measurement is that of a further channel."""
    return name.startswith(PREFIX)


def measured_channels(dataset: Dataset, found: Mapping[str, Measurement]) -> tuple[pd.DataFrame, list[Problem]]:
    """`Dataset.channels` with what the pass saw, and the further channels that cannot be read; each names its record."""
    if dataset.channels.empty:
        return dataset.channels, []
    own = {str(path): str(record) for record, path in dataset.records["path"].dropna().items()}
    rows: list[dict[str, object]] = []
    problems: list[Problem] = []
    for record, name, path in dataset.channels[["record", "name", "path"]].itertuples(index=False):
        answer = found.get(own[path] if path in own else PREFIX + path)
        kind, reason = ("missing", "the channel is not there") if answer is None else answer.problem or ("", "")
        header = answer.header if answer is not None else None
        pixels = answer.pixels if answer is not None else None
        rows.append({
            "record": record,
            "name": name,
            "path": path,
            "problem": reason,
            "bytes": answer.digest if answer is not None else "",
            "pixels": pixels.digest if pixels is not None else "",
            "frames": float(header.frames) if header is not None else np.nan,
            "height": float(header.shape[0]) if header is not None and header.shape else np.nan,
            "width": float(header.shape[1]) if header is not None and header.shape else np.nan,
        })  # fmt: skip
        if kind and path not in own:
            problems.append(Problem(kind=kind, path=path, reason=f"channel {name}: {reason}", record=record))
    return pd.DataFrame(rows), problems
