"""What the PH checks share: how many files hold a field, the tables of fields and of files, and what was not looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.dataset import Dataset
from auditor.values.results import Column, Coverage, Table

MOST_ROWS = 5000

Mask = npt.NDArray[np.bool_] | pd.Series


def file_count(dataset: Dataset, mask: Mask) -> int:
    """Distinct files of the records of a mask."""
    return int(dataset.records.loc[np.asarray(mask), "path"].nunique())


def headers_read(dataset: Dataset, format_name: str | None = None) -> npt.NDArray[np.bool_]:
    """Records whose header was read, of one format only when named; shape (records,)."""
    if dataset.exposure.empty:
        return np.zeros(dataset.size, bool)
    read = dataset.exposure["person"].notna().to_numpy()
    if format_name is None:
        return np.asarray(read)
    if "container.format" not in dataset.metadata:
        return np.zeros(dataset.size, bool)
    return np.asarray(read & (dataset.metadata["container.format"] == format_name).fillna(False).to_numpy(bool))


def pixels_unread(dataset: Dataset) -> int:
    """Files whose pixels nobody has looked at."""
    if "pixels" not in dataset.fingerprints:
        return file_count(dataset, dataset.records["path"].notna())
    return file_count(dataset, dataset.fingerprints["pixels"].isna() & dataset.records["path"].notna())


def not_seen(dataset: Dataset) -> str:
    """`; pixels of 3 files not read`: what every clean verdict about privacy must say."""
    return f"; pixels of {pixels_unread(dataset):,} files not read"


def coverage(dataset: Dataset, evaluated: Mask, reason: str) -> Coverage:
    """Files whose header was read, of all files."""
    total = file_count(dataset, dataset.records["path"].notna())
    seen = file_count(dataset, evaluated)
    return Coverage(evaluated=seen, total=total, unit="files", reason=reason if seen < total else "")


def field_table(rows: Sequence[tuple[str, str, int, float]], title: str) -> Table:
    """(field, kind, files, fraction of the files) → table `fields`."""
    return Table(
        name="fields",
        title=title,
        columns=(
            Column(name="field", kind="text", values=tuple(r[0] for r in rows), title="Field"),
            Column(name="kind", kind="text", values=tuple(r[1] for r in rows), title="Kind"),
            Column(name="files", kind="integer", values=tuple(r[2] for r in rows), title="Files"),
            Column(name="fraction", kind="fraction", values=tuple(r[3] for r in rows), title="Share of files"),
        ),
    )


def file_table(dataset: Dataset, found: Mapping[str, Mask], title: str) -> Table:
    """The first 5,000 records that hold any of the fields: record, file, how many of the fields."""
    count = np.sum([np.asarray(mask, dtype=np.int64) for mask in found.values()], axis=0)
    at = np.flatnonzero(count)[:MOST_ROWS]
    paths = dataset.records["path"].iloc[at]
    return Table(
        name="records",
        title=title,
        columns=(
            Column(name="record", kind="record", values=tuple(map(str, dataset.records.index[at])), title="Record"),
            Column(name="path", kind="path", values=tuple(p if isinstance(p, str) else None for p in paths), title="File"),
            Column(name="fields", kind="integer", values=tuple(int(c) for c in count[at]), title="Fields"),
        ),
    )
