"""Links between records: who is the same picture, acquisition or person, and by which evidence.

Patients, studies and series are columns of the records, not pairs: `identity` numbers them, `kin.components` joins both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.kin.identity import Codes
from auditor.evidence.kin.keys import exact_keys
from auditor.evidence.likeness.near import near_pairs
from auditor.graph import connected
from auditor.plan import Plan
from auditor.progress import Progress
from auditor.values.dataset import Dataset
from auditor.values.links import IDENTICAL, Evidence

NEEDS = frozenset({"fingerprints", "sketches"})
PROVIDES = frozenset({"links"})


def run(dataset: Dataset, plan: Plan) -> Dataset:
    """Fill `links`."""
    return link(dataset, threads=plan.readers or 1, progress=plan.progress)


def link(dataset: Dataset, *, all_pairs_up_to: int = 20, threads: int = 1, progress: Progress | None = None) -> Dataset:
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
        threads: that compare pictures.
        progress: told of every pair that was compared.

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
    near = near_pairs(dataset, identical_codes(dataset), threads=threads, progress=progress)
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
    found = connected(dataset.size, np.concatenate(start), np.concatenate(end))
    return np.where(np.bincount(found, minlength=1)[found] > 1, found, -1).astype(np.int64)


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
