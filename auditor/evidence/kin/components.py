"""Which records hang together, over links and shared ids."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.kin.identity import Codes, identity
from auditor.graph import joined_by
from auditor.values.dataset import Dataset
from auditor.values.links import BLOCKING, ID_GRADES, IDENTICAL, Evidence


def components(dataset: Dataset, *, grades: Collection[Evidence] = BLOCKING) -> pd.Series:
    """Which records hang together, over the links and the shared patients, lesions, studies and series of these grades.

    Args:
        dataset: after `link`; before it only the columns of ids join.
        grades: the evidence that joins. Candidates are left out unless they are named.

    Returns:
        Component number per record, from 0 in the order of the records; whole numbers, indexed by record id.
    """
    index = dataset.records.index
    links = dataset.links
    if len(links):
        links = links[links["evidence"].isin([g.value for g in grades])]
    ends = [index.get_indexer(pd.Index(links[end])).astype(np.int64) for end in ("record_a", "record_b") if len(links)]
    keys = [identity(dataset, role) for role, grade in ID_GRADES.items() if grade in grades]
    found = joined_by(dataset.size, keys, [(ends[0], ends[1])] if ends else [])
    return pd.Series(pd.factorize(found)[0].astype(np.int64), index=index, name="component")


def near_groups(dataset: Dataset) -> Codes:
    """Groups of copies that hold a near-duplicate: numbers from 0 in the order of records, −1 = none; shape (records,)."""
    groups = components(dataset, grades=IDENTICAL | {Evidence.NEAR})
    nearly = dataset.links[dataset.links["evidence"] == Evidence.NEAR.value] if len(dataset.links) else None
    if nearly is None or not len(nearly):
        return np.full(dataset.size, -1, np.int64)
    kept = groups.isin(groups.loc[nearly["record_a"]].unique()).to_numpy(bool)
    codes = np.full(dataset.size, -1, np.int64)
    codes[kept] = pd.factorize(groups.to_numpy()[kept])[0]
    return codes


def identical_groups(dataset: Dataset) -> Codes:
    """Groups of records that are the same image by bytes or pixels: numbers from 0 in the order of records, −1 = alone."""
    groups = components(dataset, grades=IDENTICAL).to_numpy()
    alone = np.bincount(groups, minlength=1)[groups] == 1
    codes = np.full(dataset.size, -1, np.int64)
    codes[~alone] = pd.factorize(groups[~alone])[0]
    return codes


def comparable_records(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Records whose bytes or pixels are known and not one single value; shape (records,)."""
    marks = dataset.fingerprints
    known = np.zeros(dataset.size, bool)
    if "pixels" in marks:
        known |= marks["pixels"].notna().to_numpy(bool)
    if "bytes" in marks:
        # The bytes of a file of many images say nothing about one of them.
        known |= (marks["bytes"].notna() & (dataset.records["item"].fillna("") == "")).to_numpy(bool)
    return known & ~marks["constant"].to_numpy(bool) if "constant" in marks else known
