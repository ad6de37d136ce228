"""A new split: whole groups of linked records, stratified, few of them moved, and the proof that nothing crosses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from auditor.check import Check, SkipCheck
from auditor.checks.sp001 import PatientAcrossSplits
from auditor.checks.sp002 import ExactDuplicate
from auditor.checks.sp004 import NearDuplicate
from auditor.checks.sp005 import AcquisitionAcrossSplits
from auditor.evidence.kin.components import components
from auditor.evidence.kin.groups import EXCLUDED, declared_splits, is_training, split_names, synthetic
from auditor.evidence.kin.identity import Codes, can_tell, identity, why_untold
from auditor.splits.allocation import Tolerance, allocate
from auditor.splits.strata import strata_of
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.links import BLOCKING, Evidence
from auditor.values.ordinary import is_harmless
from auditor.values.results import Severity, Verdict

BY: Mapping[str, frozenset[Evidence]] = {
    "patient": BLOCKING,
    "study": BLOCKING - {Evidence.PATIENT},
    "series": BLOCKING - {Evidence.PATIENT, Evidence.STUDY},
    "image": BLOCKING - {Evidence.PATIENT, Evidence.STUDY, Evidence.SERIES},
}
"""What stays whole; everything that is the same picture stays whole with it."""

PROOF: Mapping[str, tuple[type[Check], ...]] = {
    "patient": (PatientAcrossSplits, ExactDuplicate, NearDuplicate, AcquisitionAcrossSplits),
    "study": (ExactDuplicate, NearDuplicate, AcquisitionAcrossSplits),
    "series": (ExactDuplicate, NearDuplicate),
    "image": (ExactDuplicate, NearDuplicate),
}

USUAL_NAMES: Mapping[int, tuple[str, ...]] = {2: ("train", "test"), 3: ("train", "val", "test")}
UNASKED = 0.05
"""How far the share of a split may go from what it was, where no sizes are asked for."""

USUAL_SIZES: Mapping[int, tuple[float, ...]] = {2: (0.8, 0.2), 3: (0.7, 0.15, 0.15)}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for.

    Args:
        by: what stays whole: patient, study, series or image.
        stratify: columns whose values every split should hold in its share: `label`, `site`, or a column of the table.
        sizes: share of each split; empty: as they are, or 0.7, 0.15, 0.15.
        names: names of the splits; empty: as they are, or train, val, test.
        keep: splits that stay as they are, record by record.
        seed: breaks ties.
    """

    by: str = "patient"
    stratify: tuple[str, ...] = ()
    sizes: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What one check says about the new split: `passed`, `failed` (something crosses) or `not evaluated`."""

    code: str
    status: str
    words: str


@dataclass(frozen=True, kw_only=True)
class NewSplit:
    """The outcome.

    Args:
        table: per record `path`, `item`, `label`, `group` (number of the group that stays whole), `split`, `old_split`.
        names: of the splits.
        sizes: wanted share of each.
        moved, assigned, excluded: records that changed their split, that had none, and that are left out because their group
            stands in a split that is kept, or because they were made from one that evaluates.
        old_crossing: groups that stood in several splits before.
        proof: the checks, run on the result.
        notes: what to know: what cannot be told, what could not be done.
    """

    table: pd.DataFrame
    names: tuple[str, ...]
    sizes: tuple[float, ...]
    moved: int
    assigned: int
    excluded: int
    old_crossing: int
    proof: tuple[Proof, ...]
    notes: tuple[str, ...]

    @property
    def proven(self) -> bool:
        """No check found anything in two splits."""
        return all(one.status != "failed" for one in self.proof)


def split(dataset: Dataset, wish: Wish) -> NewSplit:
    """Split a dataset by whole groups.

    Args:
        dataset: after `link`.
        wish: what is asked for.

    Raises:
        ConfigError: an unknown column, split or size; it says what to do.
    """
    if wish.by not in BY:
        raise ConfigError(f"--by {wish.by}: {', '.join(BY)}")
    old = declared_splits(dataset)
    old = pd.Series(None, index=dataset.records.index, dtype="str") if old is None else old
    names, sizes = splits_wanted(wish, old)
    place = pd.Categorical(old, categories=list(names)).codes.astype(np.int64)
    groups = components(dataset, grades=BY[wish.by]).to_numpy()
    new, excluded = dealt(wish, names, sizes, place, groups, strata_of(dataset, wish.stratify))
    made = synthetic(dataset)
    # what was made from a record that evaluates, or from nobody knows whose, has no place
    excluded |= made & (~np.array([is_training(name) for name in names])[new] | (identity(dataset, "patient") < 0))
    written = pd.Series(np.array(names, object)[new], index=dataset.records.index, dtype="str").where(~excluded, EXCLUDED)
    old_name = dataset.records["split"] if "split" in dataset.records.columns else old
    changed = (old.notna() & (written != old)).to_numpy(bool)
    after = replace(dataset, records=dataset.records.assign(split=written.where(~excluded)))
    return NewSplit(
        table=table_of(dataset, groups, old_name, written),
        names=names,
        sizes=tuple(sizes.tolist()),
        moved=int((changed & ~excluded).sum()),
        assigned=int((old.isna().to_numpy(bool) & ~excluded).sum()),
        excluded=int(excluded.sum()),
        old_crossing=crossing(groups, old),
        proof=tuple(proof_of(check(), after) for check in PROOF[wish.by]),
        notes=tuple(notes_on(dataset, wish, names, sizes, groups, new, excluded, made)),
    )


def splits_wanted(wish: Wish, old: pd.Series) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Names and shares of the splits, from what was asked and what is there.

    Raises:
        ConfigError: they do not fit each other.
    """
    present = split_names(old)
    count = len(wish.names) or len(wish.sizes) or (len(present) if len(present) > 1 else 3)
    names = wish.names or (present if len(present) == count else USUAL_NAMES.get(count, ()))
    if not names:
        raise ConfigError(f"--sizes has {count} shares: name as many splits with --names")
    if len(set(names)) != len(names) or len(names) < 2 or EXCLUDED in names or not all(names):
        raise ConfigError(f"--names: at least two different names are needed, and none may be {EXCLUDED!r}")
    if wish.sizes and len(wish.sizes) != len(names):
        raise ConfigError(f"--sizes has {len(wish.sizes)} shares for {len(names)} splits ({', '.join(names)})")
    if any(not 0 < size < 1 for size in wish.sizes) or (wish.sizes and abs(sum(wish.sizes) - 1) > 0.005):
        raise ConfigError("--sizes: shares above 0 that sum to 1 are needed, for example 0.7,0.15,0.15")
    for name in wish.keep:
        if name not in names or name not in present:
            known = ", ".join(text if is_harmless(text) else f"split {n}" for n, text in enumerate(present, 1))
            raise ConfigError(f"--keep {name}: the dataset has no such split; there are: {known or 'none'}")
    if len(set(names) - set(wish.keep)) < 1:
        raise ConfigError("--keep names every split: nothing is left to divide")
    if wish.sizes:
        sizes = np.array(wish.sizes, np.float64)
    elif set(names) == set(present):
        sizes = np.array([float((old == name).sum()) for name in names])
    elif len(names) in USUAL_SIZES:
        sizes = np.array(USUAL_SIZES[len(names)])
    else:
        raise ConfigError(f"--sizes is needed: {len(names)} shares, one for each of {', '.join(names)}")
    return names, sizes / sizes.sum()


def dealt(
    wish: Wish,
    names: Sequence[str],
    sizes: npt.NDArray[np.float64],
    place: Codes,
    groups: Codes,
    strata: tuple[csr_matrix, int],
) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """Split per record, and which records are excluded.

    Records of a kept split stay. Whatever else belongs to their groups may stand nowhere: not in the kept split, which must
    stay as it is, and not in another.
    """
    kept = np.array([name in wish.keep for name in names])
    stays = (place >= 0) & kept[place]
    touched = np.zeros(int(groups.max(initial=-1)) + 1, bool)
    touched[groups[stays]] = True
    excluded = touched[groups] & ~stays
    free = np.flatnonzero(~kept)
    new = np.where(stays, place, -1)
    rows = np.flatnonzero(~touched[groups])
    if len(rows):
        local, number = np.unique(groups[rows], return_inverse=True)
        gather = csr_matrix((np.ones(len(rows)), (number, np.arange(len(rows)))), shape=(len(local), len(rows)))
        position = np.full(len(names), -1, np.int64)
        position[free] = np.arange(len(free))
        there = np.where(place[rows] >= 0, position[place[rows]], -1)
        share = sizes[free] / sizes[free].sum()
        start = majority(number, there, len(local), share) if (there >= 0).any() else None
        chosen = allocate(
            (gather @ strata[0][rows]).tocsr(),
            share,
            start=start,
            # Who asks for no sizes wants the groups whole, and the rest left in peace.
            tolerance=None if start is None else Tolerance() if wish.sizes else Tolerance(size=UNASKED),
            everywhere=strata[1],
            seed=wish.seed,
        )
        new[rows] = free[chosen[number]]
    return np.where(excluded, 0, new), excluded


def majority(number: Codes, place: Codes, groups: int, shares: npt.NDArray[np.float64]) -> Codes:
    """The split that most records of each group stand in, −1 where none stands in one; shape (groups,).

    Of equals, the one that has least of its share so far: to stay in any of them moves as few records.
    """
    held = np.zeros((groups, len(shares)), np.int64)
    known = place >= 0
    np.add.at(held, (number[known], place[known]), 1)
    most = held.max(axis=1)
    chosen = np.where(most > 0, held.argmax(axis=1), -1)
    size = np.bincount(number, minlength=groups)
    tied = (most > 0) & ((held == most[:, None]).sum(axis=1) > 1)
    sure = (chosen >= 0) & ~tied
    filled = np.bincount(chosen[sure], weights=size[sure], minlength=len(shares))
    for group in np.flatnonzero(tied).tolist():
        equal = np.flatnonzero(held[group] == most[group])
        best = int(equal[np.argmin(filled[equal] / shares[equal])])
        chosen[group] = best
        filled[best] += size[group]
    return chosen.astype(np.int64)


def proof_of(check: Check, dataset: Dataset) -> Proof:
    """What a check says about the new split; groups within one split are no matter here."""
    try:
        verdict: Verdict = check.run(dataset)
    except SkipCheck as skipped:
        return Proof(code=check.code, status="not evaluated", words=str(skipped))
    errors = [f.message for f in verdict.findings if f.severity is Severity.ERROR]
    if errors:
        return Proof(code=check.code, status="failed", words=errors[0])
    words = verdict.summary if not verdict.findings else "nothing stands in more than one split"
    return Proof(code=check.code, status="passed", words=words)


def crossing(groups: Codes, old: pd.Series) -> int:
    """Groups that stood in several splits before."""
    known = old.notna().to_numpy(bool)
    return int((old[known].groupby(groups[known]).nunique() > 1).sum())


def notes_on(
    dataset: Dataset,
    wish: Wish,
    names: Sequence[str],
    sizes: npt.NDArray[np.float64],
    groups: Codes,
    new: Codes,
    excluded: npt.NDArray[np.bool_],
    made: npt.NDArray[np.bool_],
) -> list[str]:
    """What to know before the split is used."""
    notes: list[str] = []
    patients = identity(dataset, "patient")
    if not can_tell(dataset, patients):
        notes.append(f"{why_untold(dataset)}. Records are kept together by what is known")
    elif (patients < 0).any():
        notes.append(f"{int((patients < 0).sum()):,} records have no patient id: what else they belong to cannot be told")
    if wish.by != "patient":
        notes.append(f"split by {wish.by}: one patient may stand in several splits")
    if (excluded & made).any():
        notes.append(
            f"{int((excluded & made).sum()):,} records that were made from others are {EXCLUDED}: what they were made from "
            "evaluates, or is not known"
        )
    if (others := excluded & ~made).any():
        notes.append(
            f"{int(others.sum()):,} records belong to groups that {' and '.join(wish.keep)} holds: they are {EXCLUDED}, "
            "because a kept split stays as it is"
        )
    count = np.bincount(groups)
    largest = int(count.max(initial=0))
    small = [name for name, share in zip(names, sizes, strict=True) if largest > share * dataset.size]
    if small:
        notes.append(f"one group of {largest:,} records is larger than {' and '.join(small)} should be, and cannot be parted")
    got = np.bincount(new[~excluded], minlength=len(names)) / max(int((~excluded).sum()), 1)
    for name, have, want in zip(names, got.tolist(), sizes.tolist(), strict=True):
        if not wish.keep and abs(have - want) > (2 * Tolerance().size if wish.sizes else UNASKED):
            notes.append(f"{name} holds {have:.1%} of the records, wanted were {want:.1%}: whole groups do not part")
    if any(not (new[~excluded] == s).any() for s in range(len(names))):
        notes.append("a split is empty: there are too few groups")
    return notes


def table_of(dataset: Dataset, groups: Codes, old: pd.Series, new: pd.Series) -> pd.DataFrame:
    """The table to write: no id of a patient, but a number for what stays whole."""
    records = dataset.records
    columns: dict[str, object] = {"path": records["path"]}
    if records["item"].fillna("").ne("").any():
        columns["item"] = records["item"]
    if records["path"].isna().any():
        columns = {"record": records.index, **columns}
    if dataset.labels.task != "none":
        columns["label"] = dataset.labels.values
    return pd.DataFrame(
        {**columns, "group": [f"g{g + 1}" for g in groups], "split": new, "old_split": old}, index=records.index
    )
