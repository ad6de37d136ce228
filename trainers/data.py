"""What a network is given: pictures as one typed array, and examples: which of them, with which targets and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.labels import states_of
from auditor.values.dataset import Dataset, State
from auditor.values.results import Correction, Proposal
from trainers.task import Floats, LearningTask, cumulative
from trainers.trust import kin

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """All pictures of a dataset, decoded; row i belongs to record i.

    Args:
        array: uint8 or uint16 over the full range of the type, shape (records, channels, *shape); an `np.memmap` where it is
            larger than the memory allowed; zeros where the file could not be read.
        readable: boolean, shape (records,).
        masks: class index per pixel, uint8, shape (records, *shape), background 0, `trainers.engine.losses.UNKNOWN_PIXEL` where
            there is no mask; None unless they were asked for.
        masked: boolean, shape (records,): there is a mask for the record.
        mask_values: the value in the files behind each class index, the background first.
        decoded: how many pictures and masks were decoded for this; 0 when all came from the cache.
    """

    array: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    readable: npt.NDArray[np.bool_]
    masks: npt.NDArray[np.uint8] | None = None
    masked: npt.NDArray[np.bool_] | None = None
    mask_values: tuple[int, ...] = ()
    decoded: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture: (height, width) or (depth, height, width)."""
        return tuple(int(side) for side in self.array.shape[2:])

    @property
    def channels(self) -> int:
        """1 or 3."""
        return int(self.array.shape[1])

    @property
    def top(self) -> int:
        """The value of white: 255 or 65,535."""
        return int(np.iinfo(self.array.dtype).max)

    @property
    def mask_classes(self) -> int:
        """Classes of the masks, background included; 0 without masks."""
        return len(self.mask_values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """What a network is trained on. m = number of examples.

    Args:
        rows: int64 (m,), into `Pictures`.
        targets: float32. single: class probabilities (m, K), soft ones allowed; multi: 0, 1 or between, NaN = not known (m, K);
            ordinal: P(grade > k) for every threshold (m, K − 1); continuous: standardised (m, 1); segmentation: (m, 0).
        weights: float32 (m,).
        groups: int64 (m,): equal where records belong to one patient or show one picture.
        masks: uint8 (m, *shape), in the place of `Pictures.masks`; None: those.
    """

    rows: Rows
    targets: Floats
    weights: Floats
    groups: Rows
    masks: npt.NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice) -> Self:
        """Some of the examples."""
        return replace(
            self,
            rows=self.rows[index],
            targets=self.targets[index],
            weights=self.weights[index],
            groups=self.groups[index],
            masks=None if self.masks is None else self.masks[index],
        )

    def joined(self, other: Examples) -> Self:
        """These examples and then the others.

        Raises:
            ValueError: only one of them has masks of its own.
        """
        masks = None
        if self.masks is not None and other.masks is not None:
            masks = np.concatenate([self.masks, other.masks])
        elif self.masks is not None or other.masks is not None:
            raise ValueError("examples with masks of their own cannot be joined with others that have none")
        return replace(
            self,
            rows=np.concatenate([self.rows, other.rows]),
            targets=np.concatenate([self.targets, other.targets]),
            weights=np.concatenate([self.weights, other.weights]),
            groups=np.concatenate([self.groups, other.groups]),
            masks=masks,
        )


def examples_of(
    dataset: Dataset,
    rows: Rows | npt.NDArray[np.bool_],
    task: LearningTask,
    proposal: Proposal | None = None,
    *,
    only_safe: bool = False,
    groups: Rows | None = None,
) -> Examples:
    """The labels of these records as they stand, with what the proposal changes: corrections, weights and removals.

    Records that are unlabelled afterwards (for masks: nothing is asked) or removed are left out; the order is that of `rows`.

    Args:
        rows: numbers of records, or boolean per record.
        only_safe: leave out the corrections that a person would have to look at first.
        groups: of all records, where they are known already (`trainers.trust.kin`).

    Raises:
        ValueError: a correction names a record, class or field that is not there.
    """
    chosen = np.asarray(np.flatnonzero(rows) if rows.dtype == np.bool_ else rows, np.int64)
    corrections = [c for c in (proposal.corrections if proposal else ()) if c.safe or not only_safe]
    targets = corrected_targets(dataset, task, corrections)
    known = np.ones(dataset.size, np.bool_)
    if task.kind != "segmentation":
        known = np.asarray(np.isfinite(targets).any(axis=1))
    weights = np.ones(dataset.size, np.float32)
    if proposal is not None:
        index = dataset.records.index
        weights[places(index, list(proposal.weights))] = np.fromiter(proposal.weights.values(), np.float32)
        known[places(index, list(proposal.removed))] = False
    chosen = chosen[known[chosen]]
    groups = kin(dataset) if groups is None else groups
    return Examples(rows=chosen, targets=targets[chosen], weights=weights[chosen], groups=groups[chosen])


def corrected_targets(dataset: Dataset, task: LearningTask, corrections: Sequence[Correction]) -> Floats:
    """Targets of all records in the form of `Examples.targets`; a row of NaN where there is no label."""
    labels = dataset.labels
    if task.kind == "segmentation":
        return np.zeros((dataset.size, 0), np.float32)
    index = dataset.records.index
    if task.kind == "multi":
        assert labels.states is not None
        states = labels.states[list(task.classes)].to_numpy().copy()
        column = {f"label.{name}": i for i, name in enumerate(task.classes)}
        ours = [c for c in corrections if c.field in column]
        if ours:
            new = states_of(pd.Series([c.new for c in ours]).astype("category"), State.NOT_ASSESSED)
            states[places(index, [c.record for c in ours]), [column[c.field] for c in ours]] = new
        return np.where(states >= 0, states, np.nan).astype(np.float32)
    ours = [c for c in corrections if c.field == "label"]
    where = places(index, [c.record for c in ours])
    if task.kind == "continuous":
        numbers = pd.to_numeric(labels.values, errors="coerce").to_numpy(np.float64, na_value=np.nan).copy()
        numbers[where] = [float(c.new) if c.new else np.nan for c in ours]
        return ((numbers - task.target_mean) / task.target_scale).astype(np.float32)[:, None]
    codes = labels.codes
    number: Mapping[str, int] = {name: i for i, name in enumerate(task.classes)} | {"": -1}
    unknown = sum(c.new not in number for c in ours)
    if unknown:
        raise ValueError(f"{unknown} corrections name a class that the task does not have")
    codes[where] = [number[c.new] for c in ours]
    whole = np.eye(len(task.classes), dtype=np.float32)
    whole = cumulative(whole) if task.kind == "ordinal" else whole
    return np.where(codes[:, None] >= 0, whole[codes], np.float32(np.nan))


def places(index: pd.Index, records: Sequence[str]) -> Rows:
    """Row numbers of records.

    Raises:
        ValueError: one is not there.
    """
    found = index.get_indexer(pd.Index(list(records), dtype="str")) if records else np.empty(0, np.int64)
    if (found < 0).any():
        raise ValueError(f"{int((found < 0).sum())} records of the proposal are not in the dataset")
    return np.asarray(found, np.int64)
