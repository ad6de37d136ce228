"""Patients as clusters: who belongs together, whether the ids are usable, and folds that never part a patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.statistics.targets import Targets


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """Patient index per record.

    Args:
        index: int64, shape (records,), 0 … count − 1; a record without an id is its own patient.
        count: number of patients.
        usable: False when there is no id, or when each record has its own.
        guessed: where the groups come from when ids are not usable (`names`, `equal rows`, `neighbours`); empty: there is no
            guess either, and rows must be taken as independent.
        images: so many records may be one patient's all the same (`auditor.statistics.hidden`); 1 where ids are usable.
    """

    index: npt.NDArray[np.int64]
    count: int
    usable: bool
    guessed: str = ""
    images: float = 1.0

    @property
    def independent(self) -> bool:
        """Every record is taken for a patient of its own, for want of anything better."""
        return not self.usable and not self.guessed

    @property
    def note(self) -> str:
        """What stands for patients where their ids are not usable, in words; empty where they are."""
        if self.usable:
            return ""
        stands = f"{self.count:,} groups guessed from {self.guessed}" if self.guessed else "rows assumed independent"
        hidden = f", though {self.images:.0f} images may be one patient's" if self.images > 1 else ""
        return f"no usable patient ids, {stands}{hidden}"

    @property
    def sentence(self) -> str:
        """The note as a sentence after another one."""
        note = self.note
        return f" {note[0].upper()}{note[1:]}." if note else ""


def clusters_of(patients: pd.Series | None, size: int) -> Clusters:
    """Clusters from the column `patient` of `Dataset.records` (None = there is none)."""
    if patients is None or not patients.notna().any():
        return Clusters(index=np.arange(size, dtype=np.int64), count=size, usable=False)
    codes, uniques = pd.factorize(patients, use_na_sentinel=True)
    index = codes.astype(np.int64)
    alone = index < 0
    index[alone] = len(uniques) + np.arange(int(alone.sum()))
    count = len(uniques) + int(alone.sum())
    return Clusters(index=index, count=count, usable=count < size)


def deal_folds(clusters: Clusters, targets: Targets, *, folds: int, seed: int) -> npt.NDArray[np.int8]:
    """A fold per patient, dealt so that patients with rare classes spread evenly; shape (patients,)."""
    generator = np.random.default_rng(seed)
    frequency = targets.positive.sum(axis=0)
    rarest = np.full(clusters.count, len(targets.names), np.int64)
    # From the commonest to the rarest: the last to write is a patient's rarest class.
    for rank, c in reversed(list(enumerate(np.argsort(frequency, kind="stable")))):
        rarest[clusters.index[targets.positive[:, c]]] = rank
    order = np.lexsort((generator.random(clusters.count), rarest))
    fold = np.empty(clusters.count, np.int8)
    fold[order] = np.arange(clusters.count) % folds
    return fold


def draw_patients(clusters: Clusters, targets: Targets, *, records: int, rare: int, seed: int) -> npt.NDArray[np.int64]:
    """Indices of about `records` records, whole patients, keeping every patient with a class that ≤ `rare` records have.

    Drawing by the label alone leaves a test of independence valid, because it never looks at the fields.
    """
    size = len(clusters.index)
    if size <= records:
        return np.arange(size, dtype=np.int64)
    priority = np.random.default_rng(seed).random(clusters.count)
    for c in np.flatnonzero(targets.positive.sum(axis=0) <= rare):
        priority[clusters.index[targets.positive[:, c]]] -= 1.0
    order = np.argsort(priority, kind="stable")
    images = np.bincount(clusters.index, minlength=clusters.count)
    taken = np.zeros(clusters.count, np.bool_)
    taken[order[: max(1, int(np.searchsorted(np.cumsum(images[order]), records, side="right")))]] = True
    return np.flatnonzero(taken[clusters.index])


def held_by(
    codes: npt.NDArray[np.int64] | npt.NDArray[np.int32], clusters: npt.NDArray[np.int64], size: int, *, least: int
) -> npt.NDArray[np.bool_]:
    """Which of the codes 0 … size − 1 at least `least` patients hold; negative codes are passed over.

    Only codes whose number of records leaves it open are counted patient by patient.
    """
    present = codes >= 0
    records = np.bincount(codes[present], minlength=size)
    most = int(np.bincount(clusters).max(initial=0))
    held = records > (least - 1) * most
    unclear = ~held & (records >= least)
    if unclear.any():
        rows = np.flatnonzero(present)
        rows = rows[unclear[codes[rows]]]
        pairs = np.unique(codes[rows].astype(np.int64) * (int(clusters.max()) + 1) + clusters[rows])
        held |= np.bincount(pairs // (int(clusters.max()) + 1), minlength=size) >= least
    return np.asarray(held)
