"""Links between records: who is the same picture, acquisition or person, and by which evidence.

Patients, studies and series are columns of the records, not pairs: `identity` numbers them and `components` joins both.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from auditor.evidence.kin.identity import Codes, identity
from auditor.evidence.likeness.near import near_pairs
from auditor.values.dataset import Dataset


class Evidence(StrEnum):
    """What a link rests on, the strongest first. Compare with `rank`: as text they sort by the alphabet."""

    BYTES = "bytes"
    """The same file, or files of the same bytes."""
    PIXELS = "pixels"
    """The same decoded pixels, whatever the container."""
    INSTANCE = "instance"
    """The same SOP instance UID."""
    SERIES = "series"
    STUDY = "study"
    PATIENT = "patient"
    """The same patient id, compared exactly; or the same lesion, which belongs to one patient."""
    NEAR = "near"
    """A near-duplicate, verified on pixels."""
    CANDIDATE = "candidate"
    """Offered for a look; never blocks and moves nothing."""

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return EVIDENCE.index(self)


EVIDENCE: tuple[Evidence, ...] = tuple(Evidence)
IDENTICAL: frozenset[Evidence] = frozenset({Evidence.BYTES, Evidence.PIXELS})
BLOCKING: frozenset[Evidence] = frozenset(EVIDENCE) - {Evidence.CANDIDATE}

ID_GRADES = {
    "patient": Evidence.PATIENT,
    "lesion": Evidence.PATIENT,
    "study": Evidence.STUDY,
    "series": Evidence.SERIES,
}
"""The evidence that a shared id is, by the column it stands in."""

MAX_VERSIONS = 20
"""Different pictures that may carry one SOP instance UID (recompressed, windowed); beyond it, it identifies nothing."""


def link(dataset: Dataset, *, all_pairs_up_to: int = 20) -> Dataset:
    """The dataset with `links` between records that are the same image, exactly or nearly.

    The same file listed twice, files of the same bytes (not items of one file of many), the same decoded pixels, the
    same SOP instance; then near-duplicates, verified on pixels. Pictures of one single value are alike without being the
    same and form no link. Each pair stands once, with its strongest evidence, the earlier record as `record_a`, in the order
    of the records. Candidates: a near-duplicate that no group holds (see `auditor.evidence.likeness.near.starred`), and one
    scene taken twice.

    Args:
        dataset: after `extract`; without fingerprints only files that are listed twice are linked.
        all_pairs_up_to: a group of up to so many records gives all its pairs; a larger one gives a star around its first
            record, so that the cost stays linear. The components are the same.

    Returns:
        `links` with the text columns `record_a`, `record_b`, `evidence`, the number `score` (1: exact) and the text `how`:
        what was done to a near-duplicate, as far as the small pictures tell.
    """
    size = dataset.size
    evidence: list[Evidence] = []
    pairs: list[npt.NDArray[np.int64]] = []
    for grade, codes in exact_keys(dataset):
        first, second = pairs_of(codes, all_pairs_up_to=all_pairs_up_to)
        pairs.append(first * size + second)
        evidence += [grade]
    exact = np.repeat(np.array([g.value for g in evidence], dtype=object), [len(p) for p in pairs])
    near = near_pairs(dataset, identical_codes(dataset))
    keys = np.concatenate([*pairs, np.array([p.first * size + p.second for p in near], np.int64)])
    grades = np.concatenate([exact, [(Evidence.NEAR if p.held else Evidence.CANDIDATE).value for p in near]])
    scores = np.concatenate([np.ones(len(exact)), [p.score for p in near]])
    how = np.concatenate([np.full(len(exact), "", object), np.array([p.how for p in near], object)])
    # np.unique gives the first occurrence, and the keys come strongest first.
    unique, where = np.unique(keys, return_index=True)
    ids = dataset.records.index.to_numpy(dtype=object)
    links = pd.DataFrame(
        {
            "record_a": pd.Series(ids[unique // max(size, 1)], dtype="str"),
            "record_b": pd.Series(ids[unique % max(size, 1)], dtype="str"),
            "evidence": pd.Series(grades[where], dtype="str"),
            "score": scores[where].astype(float),
            "how": pd.Series(how[where], dtype="str"),
        }
    )
    return replace(dataset, links=links)


def identical_codes(dataset: Dataset) -> Codes:
    """Group of records of the same bytes or pixels, before there are links: a number, −1 = alone; shape (records,)."""
    keys = [codes for grade, codes in exact_keys(dataset) if grade in IDENTICAL]
    start, end = zip(*(pairs_of(codes, all_pairs_up_to=0) for codes in keys), strict=True)
    rows, columns = np.concatenate(start), np.concatenate(end)
    graph = coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(dataset.size, dataset.size))
    _, found = connected_components(graph, directed=False)
    return np.where(np.bincount(found, minlength=1)[found] > 1, found, -1).astype(np.int64)


def exact_keys(dataset: Dataset) -> list[tuple[Evidence, Codes]]:
    """Codes that make two records the same, by evidence, the strongest first; −1 forms no link; each of shape (records,)."""
    records, marks = dataset.records, dataset.fingerprints
    item = records["item"].fillna("")
    keys = [(Evidence.BYTES, codes_of(records["path"], item))]
    if marks.empty:
        return keys
    flat = marks["constant"].to_numpy(bool) if "constant" in marks else np.zeros(dataset.size, bool)
    if "bytes" in marks:
        # All items of one npz have the bytes of their file in common.
        keys.append((Evidence.BYTES, codes_of(marks["bytes"].where(~flat & (item == "").to_numpy()))))
    if "pixels" in marks:
        keys.append((Evidence.PIXELS, codes_of(marks["pixels"].where(~flat))))
    if "instance" in marks:
        instance = marks["instance"].where(~flat)
        if "pixels" in marks:
            # A UID that so many different pictures carry is the work of a bad anonymisation.
            instance = instance.where(~(marks["pixels"].groupby(instance).transform("nunique") > MAX_VERSIONS))
        keys.append((Evidence.INSTANCE, codes_of(instance, item)))
    return keys


def codes_of(first: pd.Series, *others: pd.Series) -> Codes:
    """One code per distinct combination of values; −1 where `first` is missing or empty; shape (rows,)."""
    filled = first.fillna("")
    codes: Codes = np.where((filled == "").to_numpy(bool), -1, pd.factorize(filled)[0]).astype(np.int64)
    for other in others:
        more = pd.factorize(other)[0].astype(np.int64) + 1
        codes = np.where(codes < 0, -1, codes * (int(more.max(initial=0)) + 1) + more)
    return codes


def pairs_of(codes: Codes, *, all_pairs_up_to: int) -> tuple[Codes, Codes]:
    """Positions of the pairs with the same code (negative codes aside), the smaller position first.

    All pairs of a group of up to `all_pairs_up_to`; of a larger group only those with its first member.
    """
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    values = codes[order]
    begins = np.concatenate([[True], values[1:] != values[:-1]]) if len(values) else np.zeros(0, bool)
    starts = np.flatnonzero(begins)
    sizes = np.diff(np.append(starts, len(values)))
    first: list[Codes] = []
    second: list[Codes] = []
    for size in np.unique(sizes[(sizes > 1) & (sizes <= all_pairs_up_to)]):
        members = order[starts[sizes == size][:, None] + np.arange(size)]
        left, right = np.triu_indices(int(size), 1)
        first.append(members[:, left].ravel())
        second.append(members[:, right].ravel())
    group = np.cumsum(begins) - 1
    rays = (sizes > all_pairs_up_to)[group] & ~begins
    first.append(order[starts[group[rays]]])
    second.append(order[rays])
    return np.concatenate(first).astype(np.int64), np.concatenate(second).astype(np.int64)


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
