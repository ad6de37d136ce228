"""Groups of records (one patient, one picture) against the splits: which stand in more than one, and where to point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Location

Positions = npt.NDArray[np.int64]

MAX_SPLITS = 50
"""A column with more values than this divides nothing that a model is trained and tested on."""

EXCLUDED = "excluded"
"""What `medaudit split` calls records that no split may hold: they are in none."""

SYNTHETIC = "synthetic"
"""Column of a table that says yes of a record that was made from another one."""
_YES = frozenset({"yes", "y", "true", "t", "1", "1.0", "x"})

_ORDER = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "dev": 1, "tune": 1, "test": 2, "testing": 2}


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """One pair of splits that share groups.

    Args:
        split_a, split_b: names, training before validation before test.
        groups: how many groups stand in both.
        records_a, records_b: how many records of each split belong to them.
        groups_a, groups_b: how many groups each split has in all.
    """

    split_a: str
    split_b: str
    groups: int
    records_a: int
    records_b: int
    groups_a: int
    groups_b: int

    @property
    def fraction(self) -> float:
        """Shared groups among all groups of the later split (the one that is tested on)."""
        return self.groups / self.groups_b


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How groups lie over the splits; only groups that stand in more than one.

    Args:
        splits: names, training before validation before test.
        codes: the groups, in the order of their first record; shape (groups,).
        counts: records per group and split; shape (groups, splits).
        crossings: the pairs of splits that share at least one group.
    """

    splits: tuple[str, ...]
    codes: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    crossings: tuple[Crossing, ...]


def partition(dataset: Dataset) -> pd.Series | None:
    """The split per record (the fold where there is no split; missing = NA), or None where there are not 2 to 50 of them.

    Records of the split `excluded` are in none.
    """
    for role in ("split", "fold"):
        if dataset.has(role):
            column = dataset.records[role]
            column = column.where(column != EXCLUDED)
            return column if 2 <= column.nunique() <= MAX_SPLITS else None
    return None


def declared_splits(dataset: Dataset) -> pd.Series | None:
    """The split per record as it is written, however many there are (missing and `excluded` = NA); None where none is."""
    if not dataset.has("split"):
        return None
    column = dataset.records["split"]
    return column.where(column != EXCLUDED)


def is_training(split: str) -> bool:
    """True for the names a training split goes by."""
    return _ORDER.get(split.strip().lower()) == 0


def is_test(split: str) -> bool:
    """True for the names a test split goes by."""
    return _ORDER.get(split.strip().lower()) == 2


def split_names(splits: pd.Series) -> tuple[str, ...]:
    """Distinct splits, training before validation before test, then by name."""
    return tuple(sorted(map(str, splits.dropna().unique()), key=lambda s: (_ORDER.get(s.strip().lower(), 3), s)))


def spread(groups: npt.NDArray[np.int64], splits: pd.Series) -> Spread:
    """How groups lie over the splits.

    Args:
        groups: group per record, −1 = in none; shape (records,).
        splits: split per record, missing = NA; aligned with `groups`.
    """
    names = split_names(splits)
    place = pd.Categorical(splits, categories=list(names)).codes.astype(np.int64)
    usable = np.flatnonzero((groups >= 0) & (place >= 0))
    codes, order = pd.factorize(groups[usable])
    cells, count = np.unique(codes.astype(np.int64) * len(names) + place[usable], return_counts=True)
    group, split = np.divmod(cells, max(len(names), 1))
    totals = np.bincount(split, minlength=len(names))
    crossing = np.flatnonzero(np.bincount(group, minlength=len(order)) > 1)
    kept = np.isin(group, crossing)
    counts = np.zeros((len(crossing), len(names)), np.int64)
    counts[np.searchsorted(crossing, group[kept]), split[kept]] = count[kept]
    found = []
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            both = (counts[:, a] > 0) & (counts[:, b] > 0)
            if both.any():
                found.append(
                    Crossing(
                        split_a=names[a],
                        split_b=names[b],
                        groups=int(both.sum()),
                        records_a=int(counts[both, a].sum()),
                        records_b=int(counts[both, b].sum()),
                        groups_a=int(totals[a]),
                        groups_b=int(totals[b]),
                    )
                )
    return Spread(splits=names, codes=np.asarray(order)[crossing].astype(np.int64), counts=counts, crossings=tuple(found))


def members(
    groups: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions of the records of the groups in `wanted`, group by group in that order, and each one's rank in `wanted`."""
    positions = np.flatnonzero(np.isin(groups, wanted))
    ranks = pd.Index(wanted).get_indexer(pd.Index(groups[positions])).astype(np.int64)
    order = np.argsort(ranks, kind="stable")
    return positions[order], ranks[order]


def location(dataset: Dataset, position: int) -> Location:
    """Where the record at this position is: path, line of the label table, record id."""
    row = dataset.records.iloc[position]
    line = row.get("line", 0)
    return Location(
        path=None if pd.isna(row["path"]) else str(row["path"]),
        line=int(line) if pd.notna(line) and int(line) > 0 else None,
        record=str(dataset.records.index[position]),
    )


def cells(values: pd.Series) -> list[Cell]:
    """A column as plain cells for a table of a verdict; missing = None."""
    return [None if missing else value for value, missing in zip(values.tolist(), values.isna().tolist(), strict=True)]


def synthetic(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Records that were made from others, as the column `synthetic` of a table says; they may teach, and never evaluate."""
    column = f"table.{SYNTHETIC}"
    if column not in dataset.metadata.columns:
        return np.zeros(dataset.size, dtype=np.bool_)
    return dataset.metadata[column].astype("string").str.strip().str.lower().isin(_YES).to_numpy(bool)
