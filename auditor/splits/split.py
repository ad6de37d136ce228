"""A new split: whole groups of linked records, stratified, few of them moved, and the proof that nothing crosses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.kin.components import components
from auditor.evidence.kin.groups import EXCLUDED, declared_splits, is_training, synthetic
from auditor.evidence.kin.identity import Codes, can_tell, identity, why_untold
from auditor.splits.allocation import Tolerance
from auditor.splits.dealing import UNASKED, dealt
from auditor.splits.proof import PROOF, Proof, proof_of
from auditor.splits.strata import strata_of
from auditor.splits.wish import BY, Wish, splits_wanted
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError


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
