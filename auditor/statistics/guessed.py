"""Groups of records that may be one patient's, guessed where no id tells: from names, from neighbours, from equal rows.

A guess never parts what an id joins; it is asked only where ids are not usable. It makes tests and intervals careful, and
nothing else: no finding rests on a guessed group. Columns that say where a record comes from (site, device) are no evidence of
a patient, nor are runs so long that no patient has so many images.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.statistics.clusters import Clusters, clusters_of
from auditor.statistics.hidden import CLEAR, images_shown
from auditor.values.dataset import Dataset
from auditor.values.fields import describe, follows_picture

Codes = npt.NDArray[np.int64]

MOST_RECORDS = 200_000
LARGEST = 60
"""No plausible patient has more images than this on average; longer runs are batches."""
BLOCK = 30
"""Neighbours that are alike, without an edge to part them at, are taken in blocks of so many."""
LEAST_GROUPS = 8
LEAST_RUNS = 4
LEAST_BOUND = 3
"""So many columns must follow from each other."""
FOLLOWS, FIRMLY = 0.6, 0.85
"""How surely a column must follow from the others, and how surely to tell persons apart."""
CERTAIN = 5.0
"""Standard errors over what records in random order would show."""
MOST_COLUMNS = 60
_NUMBERED = re.compile(r"^(?P<group>.*\d.*?)[ _.\-]+(?:\D{0,3})(?P<number>\d{1,4})$")


def patients_of(dataset: Dataset) -> Clusters:
    """Patients by their ids; else groups that are guessed; else every record for itself."""
    known = clusters_of(dataset.records["patient"] if "patient" in dataset.records.columns else None, dataset.size)
    if known.usable or dataset.size > MOST_RECORDS or dataset.size < 2 * LEAST_GROUPS:
        return known
    label = pd.factorize(dataset.labels.values)[0].astype(np.int64)
    if int(label.max(initial=0)) > dataset.size / 10:
        label = np.zeros(dataset.size, np.int64)  # a number: every record has its own
    names = groups_in_names(dataset.records["path"], classes=int(label.max(initial=0)) + 1)
    if names is not None:
        return _guess(names, "names")
    columns = _columns(dataset)
    for order in _orders(dataset):
        found = groups_of_neighbours(columns, label, order)
        if found is not None:
            return _guess(found, "neighbours")
    equal = groups_of_equals([codes for codes, _ in columns], label)
    if equal is None:
        equal = groups_of_bound(*_all_columns(dataset), label)
    groups = known if equal is None else _guess(equal, "equal rows")
    shown = images_shown(_written(dataset), label)
    return replace(groups, images=shown) if shown > CLEAR else groups


def groups_in_names(paths: pd.Series, *, classes: int) -> Codes | None:
    """Groups whose images are counted anew in each (`012_1`, `012_2`, `013_1`), or that have folders of their own.

    Folders of classes and splits are no groups: there must be many more folders than classes.
    """
    if paths.isna().any():
        return None
    names = [str(path).rpartition("/") for path in paths]
    ways = [(way, own.partition(".")[0]) for way, _, own in names]
    parts = [_NUMBERED.search(stem) for _, stem in ways]
    if sum(part is not None for part in parts) >= 0.9 * len(parts):
        found = _counted_anew(
            [f"{way}/{stem if part is None else part['group']}" for (way, stem), part in zip(ways, parts, strict=True)],
            np.array([np.nan if part is None else float(part["number"]) for part in parts]),
        )
        if found is not None and _plausible(found):
            return found
    found = pd.factorize(np.array([way for way, _ in ways], dtype=object))[0].astype(np.int64)
    sizes = np.bincount(found)
    enough = len(sizes) >= LEAST_GROUPS * classes and float((sizes[found] >= 2).mean()) >= 0.6
    return found if enough and _plausible(found) else None


def _counted_anew(keys: Sequence[str], number: npt.NDArray[np.float64]) -> Codes | None:
    """The groups of these keys, where the images of nearly all are counted from 0 or 1, each number once."""
    found = pd.factorize(np.array(keys, dtype=object))[0].astype(np.int64)
    several = np.bincount(found)[found] >= 2
    begins = pd.Series(number[several]).groupby(found[several]).min()
    counted = several.mean() >= 0.6 and len(begins) > 0 and float((begins <= 1).mean()) >= 0.8
    return found if counted and not pd.DataFrame({"key": found, "number": number}).duplicated().any() else None


def groups_of_neighbours(columns: Sequence[tuple[Codes, bool]], label: Codes, order: Codes) -> Codes | None:
    """Runs of records in which the columns that go on from record to record stay the same; None where none goes on.

    Args:
        columns: codes per record, and whether they are numbers in their order.
        label: records are compared with the next one of the same label: classes that lie in order are no run of a patient.
        order: the records in the order in which they lie.
    """
    same = label[order][1:] == label[order][:-1]
    pairs = int(same.sum())
    if pairs < 2 * LEAST_GROUPS:
        return None
    strength = np.zeros(len(columns))
    changes = []
    for i, (codes, _) in enumerate(columns):
        row = codes[order]
        change = row[1:] != row[:-1]
        changes.append(change)
        base = _agreement(codes, label)
        runs = int(change.sum()) + 1
        if base > 0.98 or runs < LEAST_RUNS or len(row) / runs > LARGEST:
            continue
        agrees = float((~change[same]).mean())
        if (agrees - base) / np.sqrt(base * (1 - base) / pairs + 1e-12) > CERTAIN:
            strength[i] = (agrees - base) / (1 - base)
    if strength.max(initial=0.0) >= 0.4:
        edges = np.any([changes[i] for i in np.flatnonzero(strength >= 0.75 * strength.max())], axis=0)
    elif any(_goes_on(codes, label, order) for codes, ordered in columns if ordered):
        edges = np.zeros(len(order) - 1, np.bool_)
    else:
        return None
    run = np.concatenate([[0], np.cumsum(edges)])
    start = np.concatenate([[0], np.flatnonzero(edges) + 1])
    block = (np.arange(len(order)) - start[run]) // BLOCK
    found = np.empty(len(order), np.int64)
    found[order] = np.unique(run * (len(order) // BLOCK + 1) + block, return_inverse=True)[1]
    return found


def groups_of_equals(columns: Sequence[Codes], label: Codes) -> Codes | None:
    """Records that are equal in a column of many values and in all columns that hang on it, wherever they lie."""
    size = len(label)
    for hub in columns:
        distinct = int(hub.max()) + 1
        if not (LEAST_GROUPS <= distinct <= size / 1.3 and size / distinct <= LARGEST):
            continue
        order = np.lexsort((label, hub))
        together = (hub[order][1:] == hub[order][:-1]) & (label[order][1:] == label[order][:-1])
        if int(together.sum()) < 2 * LEAST_GROUPS:
            continue
        bound = []
        for other in columns:
            base = _agreement(other, label)
            if other is hub or base > 0.9:
                continue
            agrees = float((other[order][1:] == other[order][:-1])[together].mean())
            surprise = (agrees - base) / np.sqrt(base * (1 - base) / together.sum() + 1e-12)
            if surprise > CERTAIN and (agrees - base) / (1 - base) >= 0.7:
                bound.append(other)
        if len(bound) >= 2:
            key = _joint([hub, *bound])
            if _plausible(key):
                return key
    return None


def groups_of_bound(columns: Sequence[Codes], personal: Sequence[bool], label: Codes) -> Codes | None:
    """Records that are equal in several columns of few values, each of which follows from the others: what persons do.

    No one of them needs to tell persons apart, but one must be a person's own (age, sex), else they are machines or sites.

    Args:
        personal: which columns speak of a person.
    """
    size = len(label)
    usable = [i for i, codes in enumerate(columns) if int(codes.max()) < size / 2 and _agreement(codes, label) <= 0.9]
    partners = {i: [j for j in usable if j != i and _hang_together(columns[i], columns[j])] for i in usable}
    if not partners:
        return None
    middle = max(usable, key=lambda i: len(partners[i]))
    kept = [middle, *partners[middle]]
    while len(kept) >= LEAST_BOUND:
        follows = {i: _follows(columns[i], _joint([columns[j] for j in kept if j != i]), label) for i in kept}
        loosest = min(kept, key=lambda i: follows[i])
        if follows[loosest] >= FOLLOWS:
            firm = [i for i in kept if follows[i] >= FIRMLY]  # the others hang on a person too, but not without exceptions
            if len(firm) < LEAST_BOUND or not any(personal[i] for i in firm):
                return None
            key = _joint([columns[i] for i in firm])
            return key if _plausible(key) else None
        kept.remove(loosest)
    return None


def _hang_together(one: Codes, other: Codes) -> bool:
    """χ² is far over its degrees of freedom."""
    counts = np.bincount(one * (int(other.max()) + 1) + other, minlength=(int(one.max()) + 1) * (int(other.max()) + 1))
    table = counts.reshape(int(one.max()) + 1, -1).astype(np.float64)
    freedom = max(1, (table.shape[0] - 1) * (table.shape[1] - 1))
    # χ² = n (Σ n_ij² / (n_i n_j) − 1)
    share = (table**2 / np.maximum(1.0, np.outer(table.sum(axis=1), table.sum(axis=0)))).sum() - 1
    return bool(len(one) * share > CERTAIN * freedom)


def _follows(codes: Codes, key: Codes, label: Codes) -> float:
    """How surely a column follows from a key inside a class: 0 = as among all, 1 = always; 0 where hardly a key comes twice."""
    order = np.lexsort((label, key))
    together = (key[order][1:] == key[order][:-1]) & (label[order][1:] == label[order][:-1])
    if int(together.sum()) < 2 * LEAST_GROUPS:
        return 0.0
    base = _agreement(codes, label)
    agrees = float((codes[order][1:] == codes[order][:-1])[together].mean())
    return (agrees - base) / (1 - base)


def _joint(columns: Sequence[Codes]) -> Codes:
    key = np.zeros(len(columns[0]), np.int64)
    for codes in columns:
        key = np.unique(key * (int(codes.max()) + 1) + codes, return_inverse=True)[1].astype(np.int64)
    return key


def _guess(groups: Codes, source: str) -> Clusters:
    codes = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    return Clusters(index=codes, count=int(codes.max()) + 1, usable=False, guessed=source)


def _plausible(groups: Codes) -> bool:
    count = len(np.unique(groups))
    return LEAST_GROUPS <= count <= len(groups) / 1.3 and len(groups) / count <= LARGEST


def _columns(dataset: Dataset) -> list[tuple[Codes, bool]]:
    """Columns that a patient's images could share: not the label, nor names, nor the place or machine, nor constants."""
    origin = {part.strip() for part in dataset.labels.origin.split(",")}
    found = []
    for name in map(str, dataset.metadata.columns):
        field = dataset.fields.get(name) or describe(name)
        if field.kind == "provenance" or name.startswith("path.") or origin & {name, name.partition(".")[2]}:
            continue
        column = dataset.metadata[name]
        codes = pd.factorize(column, use_na_sentinel=False, sort=column.dtype.kind in "iuf")[0].astype(np.int64)
        if codes.max(initial=0) > 0:
            found.append((codes, column.dtype.kind in "iuf"))
    return found[:MOST_COLUMNS]


def _all_columns(dataset: Dataset) -> tuple[list[Codes], list[bool]]:
    """Columns of the table, those of place and machine too, and which of them are a person's own."""
    origin = {part.strip() for part in dataset.labels.origin.split(",")}
    columns, personal = [], []
    for name in map(str, dataset.metadata.columns):
        if name.startswith(("path.", "container.")) or origin & {name, name.partition(".")[2]}:
            continue
        columns.append(pd.factorize(dataset.metadata[name], use_na_sentinel=False)[0].astype(np.int64))
        personal.append((dataset.fields.get(name) or describe(name)).kind == "clinical")
    return columns[:MOST_COLUMNS], personal[:MOST_COLUMNS]


def _written(dataset: Dataset) -> list[Codes]:
    """How files were written, as codes: fields that part the records differently, and that the picture does not decide."""
    found: dict[bytes, Codes] = {}
    for name in map(str, dataset.metadata.columns):
        field = dataset.fields.get(name) or describe(name)
        if field.kind == "encoding" and not follows_picture(name):
            codes = pd.factorize(dataset.metadata[name], use_na_sentinel=False)[0].astype(np.int64)
            if 0 < int(codes.max(initial=0)) < len(codes) / 2:
                found.setdefault(codes.tobytes(), codes)
    return list(found.values())


def _orders(dataset: Dataset) -> list[Codes]:
    """Rows as they stand, and by folder and the numbers in the names where that is another order."""
    rows = np.arange(dataset.size)
    paths = dataset.records["path"]
    if paths.isna().any():
        return [rows]
    keys = paths.astype("str").str.replace(r"\d+", lambda found: found[0].zfill(20), regex=True)
    named = np.argsort(keys.to_numpy(dtype=str), kind="stable").astype(np.int64)
    return [rows] if np.array_equal(rows, named) else [rows, named]


def _agreement(codes: Codes, label: Codes) -> float:
    """How often two records of one label agree, whichever they are."""
    labels = int(label.max()) + 2
    counts = np.bincount((label + 1) * (int(codes.max()) + 1) + codes, minlength=labels * (int(codes.max()) + 1))
    counts = counts.reshape(labels, -1).astype(np.float64)
    held = counts.sum(axis=1)
    share = (counts**2).sum(axis=1) / np.maximum(held, 1.0) ** 2
    return float((share * held).sum() / max(1.0, held.sum()))


def _goes_on(codes: Codes, label: Codes, order: Codes) -> bool:
    """A number is like its neighbour's, and no longer like that of a record `LARGEST` further: no trend, but a person."""
    if int(codes.max()) + 1 < 2 * LEAST_GROUPS:
        return False
    rank = pd.Series(codes).groupby(label).rank(pct=True).to_numpy()[order]
    rank = rank - rank.mean()
    own = label[order]

    def alike(lag: int) -> tuple[float, int]:
        same = own[lag:] == own[:-lag]
        spread = float((rank**2).mean())
        return (float((rank[lag:] * rank[:-lag])[same].mean()) / spread, int(same.sum())) if same.any() and spread else (0.0, 0)

    near, pairs = alike(1)
    far, _ = alike(min(LARGEST, len(rank) // 3))
    return near >= 0.15 and near * np.sqrt(max(pairs, 1)) > CERTAIN and far < 0.5 * near
