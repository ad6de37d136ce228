"""SP007: one patient under several ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.components import identical_groups, near_groups
from auditor.evidence.kin.duplicates import plural, text
from auditor.evidence.kin.groups import cells, location, members, partition
from auditor.evidence.kin.identity import MAX_PATIENTS, Codes, can_tell, identity, why_untold
from auditor.evidence.kin.keys import codes_of
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Column, Coverage, Finding, Severity, Table, Verdict

PICTURE, NEARLY, STUDY = "same picture", "near-copy", "same study"
FRAME, SPELLING = "same frame of reference (candidate)", "similar id (candidate)"
METRICS = {
    PICTURE: "identical_images", NEARLY: "near_copies", STUDY: "studies", FRAME: "frames_of_reference", SPELLING: "similar_ids",
}  # fmt: skip
SIDE = r"(?<=[0-9])[-_ ./]*(?:l|r|left|right|od|os|ou|lt|rt)$|[-_ ./]+(?:l|r|left|right|od|os|ou|lt|rt)$"
"""A side behind an id: `_L`, `-right`, or straight behind a digit."""


@dataclass(frozen=True, kw_only=True)
class _Sharing:
    """Groups of records that speak for one patient, those with several patient ids.

    Args:
        evidence: why they are one.
        codes: group per record, −1 = none; shape (records,).
        groups: the groups with several patient ids, in the order of their first record.
    """

    evidence: str
    codes: Codes
    groups: Codes


@dataclass(frozen=True, kw_only=True)
class PatientUnderSeveralIds(Check):
    """One patient stands under several ids.

    ## What it does
    Looks for identical images and near-copies under different patient ids, for studies and series (by DICOM UID) whose records
    name two or three patients, and for candidates: two or three patients in one DICOM frame of reference, and ids that differ
    only in case, in leading zeros, in separators, in a side behind them (`_L`, `-right`) or in naming the issuer. Candidates
    are offered for a look and merged nowhere: `007` and `7` stay two patients. No id is shown; each group names its records.
    Without patient ids, or with one per image and nothing alike among them, it is not evaluated.

    ## Why is this bad?
    A split by patient holds only as far as the ids do: a person under two ids stands in training and in test, and SP001 cannot
    see it. Two ids appear where eyes or breasts are numbered apart, where tables are merged, where a spreadsheet drops
    leading zeros, and where a person came back after pseudonyms were made anew.

    ## How to fix
    Look at the groups. Where they are one person, give them one id (a mapping at the source, not by hand), split again, and
    check again. Where a copy was put under a wrong patient, remove it. Keep ids as text in every tool.

    ## Options
    * `max_findings`: so many groups get a finding of their own, beside one per kind of evidence. The table `groups` lists all.

    ## References
    DICOM PS3.3, section C.7.1.1 (patient id and its issuer); Cassidy et al. 2022, Medical Image Analysis 75 (copies in ISIC).
    """

    code: ClassVar[str] = "SP007"
    name: ClassVar[str] = "patient-under-several-ids"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints", "links"})

    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge pictures, acquisitions and spellings."""
        patients = identity(dataset, "patient")
        known = patients >= 0
        if not known.any():
            raise SkipCheck(why_untold(dataset))
        found = [spellings(dataset, patients)]
        if can_tell(dataset, patients):
            found = [*pictures_and_studies(dataset, patients), *found]
        elif not len(found[0].groups):
            raise SkipCheck(why_untold(dataset))
        found = [sharing for sharing in found if len(sharing.groups)]
        splits = partition(dataset)
        metrics = dict.fromkeys(METRICS.values(), 0)
        metrics.update({METRICS[sharing.evidence]: len(sharing.groups) for sharing in found})
        return Verdict(
            summary=summary_of(found, len(np.unique(patients[known]))),
            metrics={"patients": len(np.unique(patients[known])), **metrics},
            findings=self.findings(dataset, patients, splits, found),
            tables=(groups_table(dataset, patients, splits, found),) if found else (),
            coverage=Coverage(
                evaluated=int(known.sum()),
                total=dataset.size,
                reason="" if known.all() else "the other records have no patient id",
            ),
        )

    def findings(
        self, dataset: Dataset, patients: Codes, splits: pd.Series | None, found: Sequence[_Sharing]
    ) -> tuple[Finding, ...]:
        """One per kind of evidence, then the groups."""
        made: list[Finding] = []
        for sharing in found:
            inside = np.isin(sharing.codes, sharing.groups)
            ids = len(np.unique(patients[inside & (patients >= 0)]))
            across = crossing(sharing, splits)
            made.append(
                Finding(
                    code=self.code,
                    severity=self.severity,
                    message=MESSAGES[sharing.evidence].format(
                        groups=f"{len(sharing.groups):,}", ids=f"{ids:,}", records=plural(int(inside.sum()), "record")
                    )
                    + (f"; {across:,} of the groups stand in several splits" if across > 1 else "")
                    + ("; 1 of the groups stands in several splits" if across == 1 else ""),
                    subject=sharing.evidence,
                    evidence={"groups": len(sharing.groups), "ids": ids, "across_splits": across}
                    | _hidden(dataset, patients, splits, sharing),
                )
            )
        left = self.max_findings
        for sharing in found:
            shown = sharing.groups[: max(left, 0)]
            left -= len(shown)
            positions, ranks = members(sharing.codes, shown)
            distinct, first, size = np.unique(ranks, return_index=True, return_counts=True)
            for rank, position, count in zip(distinct.tolist(), positions[first].tolist(), size.tolist(), strict=True):
                ids = len(np.unique(patients[positions[ranks == rank]]))
                made.append(
                    Finding(
                        code=self.code,
                        severity=Severity.INFO if sharing.evidence in (FRAME, SPELLING) else self.severity,
                        message=f"{plural(count, 'record')} of {ids} patient ids may be one patient: {sharing.evidence}",
                        where=location(dataset, position),
                        subject=f"group by {sharing.evidence}",
                        evidence={"records": count, "ids": ids},
                    )
                )
        return tuple(made)


MESSAGES = {
    PICTURE: "{groups} identical images stand under different patient ids ({ids} ids, {records}). One person has two ids, or a "
    "copy was put under the wrong patient: look at the groups, and split by what they show",
    NEARLY: "{groups} near-copies of images stand under different patient ids ({ids} ids, {records}). One person has two ids, "
    "or a copy was put under the wrong patient: look at the groups, and split by what they show",
    FRAME: "{groups} DICOM frames of reference name several patients each ({ids} ids, {records}). One frame is one "
    "examination: ask the source whether they are the same patients",
    STUDY: "{groups} studies or series name several patients each ({ids} ids, {records}). One visit is one person: give them "
    "one id, and split again",
    SPELLING: "{groups} groups of patient ids differ only in case, padding, separators, a side or the issuer ({ids} ids, "
    "{records}). They are kept apart here: ask the source whether they are the same patients",
}


def pictures_and_studies(dataset: Dataset, patients: Codes) -> list[_Sharing]:
    """Identical images, and acquisitions, with several patient ids."""
    acquired = np.full(dataset.size, -1, np.int64)
    for role in ("series", "study"):
        codes = identity(dataset, role)
        # A study holds its series: where both are known the study speaks.
        acquired = np.where(codes >= 0, codes + 1 + int(acquired.max(initial=0)), acquired)
    identical = identical_groups(dataset)
    nearly = near_groups(dataset)
    frames = frames_of_reference(dataset, patients)
    frames = np.where(acquired >= 0, -1, frames)
    return [
        _Sharing(evidence=PICTURE, codes=identical, groups=several(identical, patients)),
        _Sharing(evidence=NEARLY, codes=nearly, groups=several(nearly, patients)),
        _Sharing(evidence=STUDY, codes=acquired, groups=several(acquired, patients)),
        _Sharing(evidence=FRAME, codes=frames, groups=several(frames, patients)),
    ]


def frames_of_reference(dataset: Dataset, patients: Codes) -> Codes:
    """A code per frame of reference, −1 where there is none, or where so many patients share it that it tells nothing."""
    marks = dataset.fingerprints
    if "frame_of_reference" not in marks:
        return np.full(dataset.size, -1, np.int64)
    codes = codes_of(marks["frame_of_reference"])
    holders = pd.Series(patients).where(patients >= 0).groupby(codes).transform("nunique").to_numpy()
    return np.where(holders > MAX_PATIENTS, -1, codes)


def _hidden(dataset: Dataset, patients: Codes, splits: pd.Series | None, sharing: _Sharing) -> dict[str, Cell]:
    """How many groups that one issuer wrote in several ways stand in several splits: there ids are compared as they stand."""
    if sharing.evidence != SPELLING:
        return {}
    return {"spelled_across_splits": crossing(spellings(dataset, patients, issuers=True), splits)}


def spellings(dataset: Dataset, patients: Codes, *, issuers: bool = False) -> _Sharing:
    """Patients whose ids are alike once case, padding, separators, side and issuer (or not the issuer) are taken away."""
    known = np.flatnonzero(patients >= 0)
    first = known[np.unique(patients[known], return_index=True)[1]]
    names = dataset.records["patient"].iloc[first].astype("str")
    bare = (names if issuers else names.str.rpartition("|")[2]).str.strip().str.casefold()
    # A spreadsheet that took the ids for numbers wrote `12.0`, which is no `120`.
    bare = bare.str.replace(SIDE, "", regex=True).str.replace(r"^([0-9]+)\.0+$", r"\1", regex=True)
    bare = bare.str.replace(r"(?<![0-9])0+(?=[0-9])", "", regex=True).str.replace(r"[-_ ./]+", "", regex=True)
    alike = pd.factorize(bare.where(bare != "").to_numpy())[0].astype(np.int64)
    codes = np.full(dataset.size, -1, np.int64)
    codes[known] = alike[patients[known]]
    return _Sharing(evidence=SPELLING, codes=codes, groups=several(codes, patients))


def several(codes: Codes, patients: Codes) -> Codes:
    """Groups whose records have more than one patient id, in the order of their first record."""
    used = np.flatnonzero((codes >= 0) & (patients >= 0))
    pairs = np.unique(np.column_stack([codes[used], patients[used]]), axis=0)
    group, count = np.unique(pairs[:, 0], return_counts=True)
    wanted = group[count > 1]
    order = pd.unique(codes[used])
    return np.asarray(order[np.isin(order, wanted)], np.int64)


def crossing(sharing: _Sharing, splits: pd.Series | None) -> int:
    """How many of the groups stand in more than one split."""
    if splits is None:
        return 0
    inside: npt.NDArray[np.bool_] = np.isin(sharing.codes, sharing.groups)
    return int((splits[inside].groupby(sharing.codes[inside]).nunique() > 1).sum())


def summary_of(found: Sequence[_Sharing], patients: int) -> str:
    """The verdict in one sentence."""
    if not found:
        return f"No two of {patients:,} patient ids share a picture or a study, or differ in their spelling only"
    counts = [len(sharing.groups) for sharing in found]
    parts = [f"{n:,} group{'s' * (n != 1)} by {sharing.evidence}" for n, sharing in zip(counts, found, strict=True)]
    return f"Several patient ids may be one patient: {', '.join(parts)}"


def groups_table(dataset: Dataset, patients: Codes, splits: pd.Series | None, found: Sequence[_Sharing]) -> Table:
    """Every record of the groups, its id under a pseudonym."""
    positions: list[int] = []
    groups: list[int] = []
    evidence: list[str] = []
    before = 0
    for sharing in found:
        where, ranks = members(sharing.codes, sharing.groups)
        groups += (ranks + before + 1).tolist()
        positions += where.tolist()
        evidence += [sharing.evidence] * len(where)
        before += len(sharing.groups)
    rows = dataset.records.iloc[positions]
    ids = [f"patient {p + 1}" if p >= 0 else None for p in patients[positions].tolist()]
    labels = dataset.labels.values.iloc[positions]
    return Table(
        name="groups",
        title="Records that may be of one patient",
        columns=(
            Column(name="group", kind="integer", values=groups, title="Group"),
            Column(name="record", kind="record", values=[str(r) for r in rows.index], title="Record"),
            Column(name="path", kind="path", values=cells(rows["path"]), title="File"),
            Column(name="patient", kind="text", values=ids, title="Patient id (pseudonym)"),
            Column(
                name="split", kind="text", title="Split",
                values=[None] * len(rows) if splits is None else cells(splits.iloc[positions]),
            ),
            Column(name="label", kind="class", values=text(cells(labels)), title="Label"),
            Column(name="evidence", kind="text", values=evidence, title="Evidence"),
        ),
    )  # fmt: skip
