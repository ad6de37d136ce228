"""deduplicate: of every picture one copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.kin.components import components
from auditor.evidence.kin.groups import declared_splits, is_test, is_training
from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from auditor.values.links import IDENTICAL, Evidence
from auditor.values.results import Column, Table
from trainers.strategy import Answers, Case, NotApplicable, Strategy

CONTRADICTING = "copies of this picture have contradicting labels: to be reviewed"
LOSSY = frozenset({"jpeg", "jpg", "lossy"})


@dataclass(frozen=True, kw_only=True)
class Deduplicate(Strategy):
    """Of every picture one copy.

    ## What it does

    Of each group of identical or verified near-identical pictures one stays: one in the test split before one in validation
    before one in training, then one with a label, then a lossless one, the largest, the first. Copies in the test split all
    stay, and so do records that `--evaluate` or `--trusted` names: nothing is taken out of what a person chose.

    Where copies contradict each other, no label is decided on: the whole group leaves for review, with the reason in
    `removed.csv`; of a group with a test or a named record the others leave. Candidates that were not verified on pixels are
    left alone.

    No file is deleted: the records leave the label table and stand in `removed.csv`. Of no class more than a tenth leaves, and
    a group leaves whole or not at all.

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
        # whose test record it was says the user's split, also after a new one: the copy takes out by the same rule
        better = Preference(dataset, case.bench.view.original, protected=case.trust.named)
        removed: dict[str, str] = {}
        contradicting = tested = 0
        for positions in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
            stays, leaves, contradiction = better.decide(positions)
            contradicting += contradiction
            tested += int(better.stays[positions].sum() > 1)
            for position in leaves.tolist():
                removed[str(dataset.records.index[position])] = why(dataset, position, None if contradiction else stays, exact)
        if not removed:
            raise NotApplicable(
                "all pictures that are there twice are in the test set or were named with --evaluate or --trusted, and stay"
            )
        return Proposal(
            strategy=self.name,
            summary=f"pictures that are there more than once: {len(several):,}; records to leave: {len(removed):,}",
            removed=removed,
            metrics={
                "groups": len(several),
                "records_removed": len(removed),
                "groups_contradicting": contradicting,
                "groups_for_review": contradicting,
            },
            tables=(table_of(dataset, groups, several, removed),),
            notes=tuple(notes_on(contradicting, tested)),
        )


class Preference:
    """Which copy of a picture stays.

    Args:
        dataset: after `link`.
        original: the same records in the user's own split, which says what the test set is.
        protected: records that the user named, boolean, (records,); they stay, as the test set does.
    """

    def __init__(self, dataset: Dataset, original: Dataset, *, protected: npt.NDArray[np.bool_] | None = None) -> None:
        split = declared_splits(original)
        names = ["" if missing else str(s) for s, missing in zip(split, split.isna(), strict=True)] if split is not None else []
        size = dataset.size
        test = np.array([is_test(name) for name in names] or [False] * size, dtype=np.bool_)
        self.stays = test if protected is None else test | protected
        train = np.array([is_training(name) or not name for name in names] or [True] * size, dtype=np.bool_)
        self.place = np.where(self.stays, 0, np.where(train, 2, 1))
        labels = dataset.labels
        values = labels.values if labels.task != "none" else pd.Series(None, index=dataset.records.index, dtype=object)
        self.labels = [None if missing else str(v) for v, missing in zip(values, values.isna(), strict=True)]
        self.lossy = lossy_records(dataset)
        self.pixels = pixel_counts(dataset)

    def decide(self, positions: npt.NDArray[np.int64]) -> tuple[int | None, npt.NDArray[np.int64], bool]:
        """Who stays (None: nobody), who leaves, and whether the labels contradict each other."""
        said = {label for p in positions.tolist() if (label := self.labels[p]) is not None}
        firm = self.stays[positions]
        if len(said) > 1:
            return (int(positions[firm][0]) if firm.any() else None), positions[~firm], True
        best = min(positions.tolist(), key=self._rank)
        return best, positions[~firm & (positions != best)], False

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
        return CONTRADICTING
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


def notes_on(contradicting: int, firm: int) -> list[str]:
    """What to know."""
    notes = []
    if contradicting:
        notes.append(
            f"{contradicting:,} pictures have copies with contradicting labels: no label was decided on, and the copies are in "
            "removed.csv for a person to decide on by hand"
        )
    if firm:
        notes.append(
            f"{firm:,} pictures are in the test set or among the named records more than once, and stay: what a person chose "
            "is not changed"
        )
    return notes
