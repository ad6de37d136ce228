"""Images that lie in a folder called as one class, and are labelled another by the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.dataset import Dataset

LEAST_SHARE = 0.5
"""Folders of so many records at least are called as a class, else the words happen to be the same."""


@dataclass(frozen=True, kw_only=True)
class Lying:
    """Where the records lie.

    Args:
        folder: the class that the folder of each record is called as; None where it is called as none.
        elsewhere: positions of the records whose label is another class.
        records: how many lie in a folder called as a class.
    """

    folder: npt.NDArray[np.object_]
    elsewhere: npt.NDArray[np.int64]
    records: int


def lying_of(dataset: Dataset) -> Lying | None:
    """Records by the folders of classes that they lie in; None where labels are read from folders, or folders are called as
    fewer than two of the classes, or hold few of the records."""
    labels = dataset.labels
    if labels.task not in ("single", "ordinal") or "folder" in labels.origin or dataset.size == 0:
        return None
    named = {name.casefold().strip(): name for name in labels.classes}
    paths = dataset.records["path"]
    folders = paths.fillna("").astype(str).str.rpartition("/")[0]
    classes = {folder: _class_of(folder, named) for folder in folders.unique()}
    found = np.array([classes[folder] for folder in folders], dtype=object)
    values = labels.values.astype("object").to_numpy()
    both = np.array([a is not None and not pd.isna(b) for a, b in zip(found, values, strict=True)], np.bool_)
    if both.sum() < LEAST_SHARE * dataset.size or len({found[i] for i in np.flatnonzero(both)}) < 2:
        return None
    elsewhere = np.flatnonzero(both & np.array([a != b for a, b in zip(found, values, strict=True)], np.bool_))
    return Lying(folder=found, elsewhere=elsewhere.astype(np.int64), records=int(both.sum()))


def _class_of(folder: str, named: dict[str, str]) -> str | None:
    """The class that the deepest of its folders is called as."""
    parts = [part.casefold().strip() for part in folder.split("/")]
    return next((named[part] for part in reversed(parts) if part in named), None)
