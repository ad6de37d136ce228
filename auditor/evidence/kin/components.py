"""Which records hang together, over links and shared ids."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from auditor.evidence.kin.identity import Codes, identity
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
    rows: list[Codes] = []
    columns: list[Codes] = []
    if len(dataset.links):
        links = dataset.links[dataset.links["evidence"].isin([g.value for g in grades])]
        rows.append(index.get_indexer(pd.Index(links["record_a"])).astype(np.int64))
        columns.append(index.get_indexer(pd.Index(links["record_b"])).astype(np.int64))
    nodes = dataset.size
    for role, grade in ID_GRADES.items():
        if grade in grades:
            codes = identity(dataset, role)
            known = np.flatnonzero(codes >= 0)
            rows.append(known)
            columns.append(codes[known] + nodes)
            nodes += int(codes.max(initial=-1)) + 1
    start = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    end = np.concatenate(columns) if columns else np.zeros(0, np.int64)
    graph = coo_matrix((np.ones(len(start), np.int8), (start, end)), shape=(nodes, nodes))
    _, found = connected_components(graph, directed=False)
    return pd.Series(pd.factorize(found[: dataset.size])[0].astype(np.int64), index=index, name="component")


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
