"""What the strategies so far have made of a dataset: what networks are shown, and what the copy holds.

Views are composed: each strategy makes its own from the one before it (`trainers.strategy.Strategy.view`). The bench trains on
the last one, and the copy holds what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from trainers.values.pictures import Floats, Pictures, Rows
from trainers.values.task import Bools, LearningTask

TaskOf = Callable[[Dataset, Pictures, "Rows | None"], LearningTask]


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """What is shown and kept.

    Args:
        original: the dataset as it was scanned.
        dataset: the same records in the same order, with labels and splits as corrected so far.
        proposals: what led here.
        files: path in the copy → file that was made for it.
        names: record → its path in the copy, where that is another one.
        removed: record → why it leaves.
        weights: in training, (records,).
        added: further records, measured like the dataset, of the same labels; they teach, and never evaluate.
        sources: added record → record that it was made from: both are of one group.
        units: number of the unit per record, (records,): what one example and one graded case is. Equal numbers make a bag,
            whose truth is that of its first record; None: every record is its own.
        task: makes the task that is learnt in the place of the one that the dataset sets.
    """

    original: Dataset
    dataset: Dataset
    weights: Floats
    proposals: tuple[Proposal, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    added: Dataset | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    units: Rows | None = None
    task: TaskOf | None = None

    @staticmethod
    def of(dataset: Dataset) -> View:
        """The dataset as it is."""
        return View(original=dataset, dataset=dataset, weights=np.ones(dataset.size, np.float32))

    @property
    def staying(self) -> Bools:
        """Records that do not leave, (records,)."""
        return np.asarray(~self.dataset.records.index.isin(list(self.removed)))

    def shows_the_same_as(self, other: View) -> bool:
        """Whether both show the same pictures in the same order."""
        same = self.original is other.original and self.added is other.added and dict(self.names) == dict(other.names)
        return same and dict(self.files) == dict(other.files)

    def firsts(self, rows: Bools) -> Bools:
        """Of these records the first of each unit: its truth is that of the unit."""
        if self.units is None:
            return rows
        found = np.zeros(len(rows), np.bool_)
        found[self.bags(rows)[:, 0]] = True
        return found

    def bags(self, rows: Bools | Rows) -> Rows:
        """The units of these records, by their rows: (units, most members), −1 fills up; in order of their first record."""
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64)
        if self.units is None:
            return rows[:, None]
        own = rows[rows < len(self.units)]
        alone = rows[rows >= len(self.units)]  # records beyond the dataset's own belong to no unit
        _, first, unit, count = np.unique(self.units[own], return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(np.argsort(first))
        found = np.full((len(first) + len(alone), int(count.max(initial=1))), -1, np.int64)
        found[len(first) :, 0] = alone
        filled = np.zeros(len(first), np.int64)
        for row, number in zip(own, order[unit], strict=True):
            found[number, filled[number]] = row
            filled[number] += 1
        return found
