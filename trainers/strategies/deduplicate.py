"""deduplicate: of every picture one copy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.kin.components import components
from auditor.evidence.kin.groups import declared_splits, is_test, is_training
from auditor.values.dataset import Dataset
from auditor.values.links import IDENTICAL, Evidence
from auditor.values.results import Column, Proposal, Table
from trainers.strategy import Answers, Case, NotApplicable, Strategy

LOSSY = frozenset({"jpeg", "jpg", "lossy"})


@dataclass(frozen=True, kw_only=True)
class Deduplicate(Strategy):
    """Of every picture one copy.

    ## What it does

    Of each group of identical or verified near-identical pictures one stays: one in the test split before one in validation
    before one in training, then one whose label most copies have, then a lossless one, the largest, the first. Copies in the
    test split all stay: nothing is taken out of a test set.

    Where copies contradict each other, those with the label of the majority stay in the choice; without a majority all of
    them leave, for review. Candidates that were not verified on pixels are left alone.

    No file is deleted: the records leave the label table and stand in `removed.csv`. Of no class more than a tenth leaves.

    ## When

    SP002 or SP004 within a split, SP003; or a copy of a test picture in training, where the splits must stay as they are.

    ## Options

    * `near`: verified near-duplicates too (true); false: identical bytes or pixels only.

    ## References

    * Barz & Denzler 2020 (duplicates across CIFAR's splits); Groh et al. 2022; see SP002 to SP004.
    """

    name: ClassVar[str] = "deduplicate"
    answers: ClassVar[Answers] = "copies"
    trains: ClassVar[bool] = False

    near: bool = True

    def propose(self, case: Case) -> Proposal:
        """The records that leave.

        Raises:
            NotApplicable: no picture is there twice.
        """
        dataset = case.dataset
        if not len(dataset.links):
            raise NotApplicable("no picture is in the dataset twice")
        grades = IDENTICAL | ({Evidence.NEAR} if self.near else set())
        groups = components(dataset, grades=grades).to_numpy()
        several = np.flatnonzero(np.bincount(groups) > 1)
        if not len(several):
            raise NotApplicable("no picture is in the dataset twice")
        exact = components(dataset, grades=IDENTICAL).to_numpy()
        order = np.argsort(groups, kind="stable")
        order = order[np.isin(groups[order], several)]
        better = Preference(dataset)
        removed: dict[str, str] = {}
        contradicting = open_groups = tested = 0
        for positions in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
            stays, leaves, contradiction = better.decide(positions)
            contradicting += contradiction
            open_groups += contradiction and stays is None
            tested += int(better.test[positions].sum() > 1)
            for position in leaves.tolist():
                removed[str(dataset.records.index[position])] = why(dataset, position, stays, exact)
        if not removed:
            raise NotApplicable("all pictures that are there twice are in the test set, which stays as it is")
        return Proposal(
            strategy=self.name,
            summary=f"{len(several):,} pictures are there more than once: {len(removed):,} records leave",
            removed=removed,
            metrics={
                "groups": len(several),
                "records_removed": len(removed),
                "groups_contradicting": contradicting,
                "groups_for_review": open_groups,
            },
            tables=(table_of(dataset, groups, several, removed),),
            notes=tuple(notes_on(open_groups, tested)),
        )


class Preference:
    """Which copy of a picture stays.

    Args:
        dataset: after `link`.
    """

    def __init__(self, dataset: Dataset) -> None:
        split = declared_splits(dataset)
        names = ["" if missing else str(s) for s, missing in zip(split, split.isna(), strict=True)] if split is not None else []
        size = dataset.size
        self.test = np.array([is_test(name) for name in names] or [False] * size, dtype=np.bool_)
        train = np.array([is_training(name) or not name for name in names] or [True] * size, dtype=np.bool_)
        self.place = np.where(self.test, 0, np.where(train, 2, 1))
        labels = dataset.labels
        values = labels.values if labels.task != "none" else pd.Series(None, index=dataset.records.index, dtype=object)
        self.labels = [None if missing else str(v) for v, missing in zip(values, values.isna(), strict=True)]
        self.lossy = lossy_records(dataset)
        self.pixels = pixel_counts(dataset)

    def decide(self, positions: npt.NDArray[np.int64]) -> tuple[int | None, npt.NDArray[np.int64], bool]:
        """Who stays (None: nobody), who leaves, and whether the labels contradict each other."""
        said = Counter(label for p in positions.tolist() if (label := self.labels[p]) is not None)
        contradiction = len(said) > 1
        majority = next((label for label, count in said.items() if 2 * count > sum(said.values())), None)
        in_test = self.test[positions]
        free = positions[~in_test]
        if contradiction and majority is None:
            return (int(positions[in_test][0]) if in_test.any() else None), free, True
        fit = [p for p in positions.tolist() if majority is None or self.labels[p] == majority]
        if in_test.any():
            best = min((p for p in positions.tolist() if self.test[p]), key=self._rank)
            return best, free, contradiction
        best = min(fit, key=self._rank)
        return best, positions[positions != best], contradiction

    def _rank(self, position: int) -> tuple[int, bool, bool, float, int]:
        unlabelled = self.labels[position] is None
        return (int(self.place[position]), unlabelled, bool(self.lossy[position]), -float(self.pixels[position]), position)


def lossy_records(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Pictures that were compressed with loss, as far as the container says; shape (records,)."""
    found = np.zeros(dataset.size, dtype=np.bool_)
    for name in ("container.format", "container.compression"):
        if name in dataset.metadata.columns:
            text = dataset.metadata[name].astype("string").fillna("").str.lower()
            found |= text.isin(LOSSY).to_numpy(dtype=bool)
    return found


def pixel_counts(dataset: Dataset) -> npt.NDArray[np.float64]:
    """Height × width, 0 where unknown; shape (records,)."""
    sides = []
    for name in ("container.width", "container.height"):
        if name not in dataset.metadata.columns:
            return np.zeros(dataset.size)
        sides.append(pd.to_numeric(dataset.metadata[name], errors="coerce").to_numpy(dtype=np.float64))
    area: npt.NDArray[np.float64] = np.nan_to_num(sides[0] * sides[1])
    return area


def why(dataset: Dataset, position: int, stays: int | None, exact: npt.NDArray[np.int64]) -> str:
    """The reason in words."""
    if stays is None:
        return "copies of this picture have contradicting labels, and none has the majority: to be reviewed"
    kind = "the same picture as" if exact[position] == exact[stays] else "a near-duplicate of"
    return f"{kind} {dataset.records.index[stays]}, which stays"


def table_of(dataset: Dataset, groups: npt.NDArray[np.int64], several: npt.NDArray[np.int64], removed: dict[str, str]) -> Table:
    """All copies, group by group, and which leave; the first 1,000 rows."""
    positions = np.flatnonzero(np.isin(groups, several))
    positions = positions[np.argsort(groups[positions], kind="stable")][:1000]
    records = [str(dataset.records.index[p]) for p in positions.tolist()]
    number = {int(group): k + 1 for k, group in enumerate(several)}
    return Table(
        name="copies",
        title="Pictures that are there more than once",
        columns=(
            Column(name="group", kind="integer", values=[number[int(groups[p])] for p in positions], title="Group"),
            Column(name="record", kind="record", values=records, title="Record"),
            Column(name="leaves", kind="boolean", values=[record in removed for record in records], title="Leaves"),
            Column(name="reason", kind="text", values=[removed.get(record, "") for record in records], title="Reason"),
        ),
    )


def notes_on(open_groups: int, tested: int) -> list[str]:
    """What to know."""
    notes = []
    if open_groups:
        notes.append(f"{open_groups:,} pictures have copies with contradicting labels and no majority: decide on them by hand")
    if tested:
        notes.append(f"{tested:,} pictures are in the test set more than once, and stay: a test set is not changed")
    return notes
