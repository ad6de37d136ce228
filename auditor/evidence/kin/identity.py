"""Identity: which records carry the same id, and whether the ids can tell patients apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.dataset import Dataset

Codes = npt.NDArray[np.int64]

ID_ROLES: tuple[str, ...] = ("patient", "lesion", "study", "series")
"""Columns of ids; the best for telling patients apart first."""

PLACEHOLDERS: frozenset[str] = frozenset(
    ("", "-", "?", "n/a", "nan", "none", "null", "nil", "unknown", "not available", "missing", "empty", "removed", "redacted",
     "anon", "anonym", "anonymous", "anonymized", "anonymised", "deidentified", "de-identified", "xxx", "xxxx")
)  # fmt: skip
"""Ids that stand for no id (compared in lower case, without outer spaces): records that share one share nothing."""

UID = r"[0-2](?:\.(?:0|[1-9][0-9]*)){3,}"
"""A DICOM unique identifier (PS3.5, section 9.1): the same everywhere in the world."""


MAX_PATIENTS = 3
"""A study or series that more patients share (two spellings of one, a merge) is a UID that a bad anonymisation repeated.
So is one that more sites share, a series that more studies share, and one that `MIN_ACQUISITIONS` records or more carry
where there is no other."""

MIN_ACQUISITIONS = 1000
"""More pictures than one study or series of a dataset with no other usually has."""


def identity(dataset: Dataset, role: str) -> Codes:
    """Who a record belongs to, by one column of ids: a code per distinct id, −1 where there is none; shape (records,).

    Ids are compared exactly (`007` is not `7`); a placeholder (`Anonymous`) is no id. Numbers of lesions, studies and
    series that are no DICOM UID count within their patient where that one is known: `study1` of two patients is two studies.
    Patient ids count within their issuer where the header names one, but not within their site: a person examined in two
    hospitals of one network keeps the id, and taking two for one costs a few records, taking one for two a false test score.

    Args:
        dataset: any stage.
        role: `patient`, `lesion`, `study` or `series`.
    """
    if role not in dataset.records.columns:
        return np.full(dataset.size, -1, np.int64)
    raw, uniques = pd.factorize(dataset.records[role])
    names = pd.Series(uniques, dtype="str")
    real = ~names.str.strip().str.lower().isin(PLACEHOLDERS).to_numpy(bool)
    codes = np.where(raw >= 0, raw, -1).astype(np.int64)
    if len(names):
        codes = np.where((codes >= 0) & real[codes], codes, -1)
    if role != "patient" and len(names):
        worldwide = names.str.fullmatch(UID).to_numpy(bool)
        owner = identity(dataset, "patient")
        if not can_tell(dataset, owner):
            # An id per image owns nothing: a lesion on two images would become two lesions.
            owner = np.full(dataset.size, -1, np.int64)
        codes = np.where(repeated(dataset, role, codes, owner) & worldwide[codes], -1, codes)
        owner = np.where((codes >= 0) & worldwide[codes], 0, owner + 1)
        codes = np.where(codes < 0, -1, codes * (int(owner.max(initial=0)) + 1) + owner)
    known = codes >= 0
    codes[known] = pd.factorize(codes[known])[0]
    return codes


def repeated(dataset: Dataset, role: str, codes: Codes, owner: Codes) -> npt.NDArray[np.bool_]:
    """Records whose UID so many patients, sites or studies share that it identifies nothing; shape (records,).

    Args:
        role: `lesion`, `study` or `series`.
        codes: a code per distinct UID, −1 = none.
        owner: a code per patient, −1 = not known, or not told apart.
    """
    owners = [owner]
    for column in ("site", "study") if role == "series" else ("site",):
        if column in dataset.records.columns:
            owners.append(pd.factorize(dataset.records[column])[0].astype(np.int64))
    bad = np.zeros(len(codes), bool)
    for held in owners:
        told = pd.Series(held).where(held >= 0).groupby(codes).nunique()
        shared = told.index[told > MAX_PATIENTS].to_numpy()
        bad |= np.isin(codes, shared[shared >= 0])
    if (codes >= 0).sum() >= MIN_ACQUISITIONS and len(np.unique(codes[codes >= 0])) == 1:
        bad |= codes >= 0
    return bad


def can_tell(dataset: Dataset, codes: Codes) -> bool:
    """True when 1 < distinct ids < distinct images among the records that have an id."""
    known = codes >= 0
    images = int((~dataset.records.loc[known].duplicated(["path", "item"]) | dataset.records.loc[known, "path"].isna()).sum())
    return 1 < len(np.unique(codes[known])) < images


def why_untold(dataset: Dataset) -> str:
    """Why patient overlap cannot be told, in words."""
    codes = identity(dataset, "patient")
    distinct = len(np.unique(codes[codes >= 0]))
    if distinct == 1:
        return "all records have the same patient id: patient overlap cannot be told"
    if distinct:
        return f"every image has its own patient id ({distinct:,} ids): patient overlap cannot be told"
    others = [role for role in ID_ROLES[1:] if (identity(dataset, role) >= 0).any()]
    if others:
        return f"there are {' and '.join(others)} ids but no patient ids: patient overlap cannot be told from them"
    return "there are no patient ids: patient overlap cannot be told; name their column with --patient"
