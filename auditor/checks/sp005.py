"""SP005: one acquisition stands in several splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.duplicates import plural, text
from auditor.evidence.kin.groups import Spread, cells, location, members, partition, spread
from auditor.evidence.kin.identity import UID, Codes, identity
from auditor.evidence.kin.keys import exact_keys
from auditor.values.dataset import Dataset
from auditor.values.links import Evidence
from auditor.values.results import Cell, Column, Coverage, Finding, Severity, Table, Verdict

LEVELS = {"instance": "SOP instance", "series": "series", "study": "study"}
MANY = {"instance": "SOP instances", "series": "series", "study": "studies"}


@dataclass(frozen=True, kw_only=True)
class AcquisitionAcrossSplits(Check):
    """One acquisition stands in several splits.

    ## What it does
    Compares the DICOM identifiers of study, series and SOP instance of the splits, of each record the largest unit that it
    names: images that share one were made in one visit of one patient, whatever the patient ids say. Numbers of series and
    studies from a table count within their patient. Identifiers that tell nothing are left out: one that more than three
    patients, sites or (a series) studies share, one that more than twenty different pictures carry as their instance, and one
    that all of 1,000 or more records carry; a careless anonymisation wrote those.

    ## Why is this bad?
    Images of one study show the same person on the same day with the same machine. A model that trained on one recognises the
    other, and the test score rewards it. It also shows where patient ids were replaced one per image, which hides the patient
    from SP001.

    ## How to fix
    Move whole studies, with all other images of their patient, into one split (`medaudit split` does), and check again.

    ## Options
    * `max_findings`: so many acquisitions get a finding of their own, beside the one per pair of splits, which decides.
      The table `groups` lists all.

    ## References
    DICOM PS3.3, sections C.7.2 and C.7.3, and PS3.5, section 9 (unique identifiers); Yagis et al. 2021, Scientific Reports 11
    (slices of one MRI in several splits).
    """

    code: ClassVar[str] = "SP005"
    name: ClassVar[str] = "acquisition-across-splits"
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[frozenset[Need]] = frozenset({"links"})

    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every pair of splits by every kind of identifier."""
        levels = acquisitions(dataset)
        if not levels:
            raise SkipCheck(why_none(dataset))
        splits = partition(dataset)
        if splits is None:
            raise SkipCheck("no splits are known (two to fifty are needed): name their column with --split")
        spreads = {role: spread(codes, splits) for role, codes in levels.items()}
        crossing = {role: lies for role, lies in spreads.items() if lies.crossings}
        known = np.logical_or.reduce([codes >= 0 for codes in levels.values()])
        evaluated = int((known & splits.notna().to_numpy(bool)).sum())
        return Verdict(
            summary=summary_of(levels, crossing),
            metrics=metrics_of(levels, spreads),
            findings=(*self.errors(crossing), *self.places(dataset, levels, crossing)),
            tables=(groups_table(dataset, splits, levels, crossing),) if crossing else (),
            coverage=Coverage(
                evaluated=evaluated,
                total=dataset.size,
                reason="" if evaluated == dataset.size else "the other records have no identifier that tells, or no split",
            ),
        )

    def errors(self, crossing: dict[str, Spread]) -> list[Finding]:
        """One per kind of identifier and pair of splits."""
        return [
            Finding(
                code=self.code,
                severity=self.severity,
                message=(
                    f"{c.groups:,} {MANY[role] if c.groups > 1 else LEVELS[role]} "
                    f"{'stand' if c.groups > 1 else 'stands'} in both {c.split_a} and {c.split_b} "
                    f"({plural(c.records_a, 'record')} and {plural(c.records_b, 'record')}). "
                    "Move whole studies, with all of their patient, into one split"
                ),
                subject=f"{role}: {c.split_a} / {c.split_b}",
                score=c.fraction,
                evidence={
                    "identifier": LEVELS[role],
                    "split_a": c.split_a,
                    "split_b": c.split_b,
                    "shared": c.groups,
                    "records_a": c.records_a,
                    "records_b": c.records_b,
                },
            )
            for role, lies in crossing.items()
            for c in lies.crossings
        ]

    def places(self, dataset: Dataset, levels: dict[str, Codes], crossing: dict[str, Spread]) -> list[Finding]:
        """Where to look: the first record of each acquisition."""
        found: list[Finding] = []
        for role, lies in crossing.items():
            shown = lies.codes[: max(self.max_findings - len(found), 0)]
            positions, ranks = members(levels[role], shown)
            distinct, first = np.unique(ranks, return_index=True)
            for rank, position in zip(distinct.tolist(), positions[first].tolist(), strict=True):
                counts = zip(lies.splits, lies.counts[rank].tolist(), strict=True)
                parts = ", ".join(f"{count:,} in {name}" for name, count in counts if count)
                found.append(
                    Finding(
                        code=self.code,
                        severity=Severity.WARNING,
                        message=f"{LEVELS[role]} {rank + 1} stands in several splits: {parts}",
                        where=location(dataset, position),
                        subject=f"{role} across splits",
                        evidence={"records": int(lies.counts[rank].sum())},
                    )
                )
        return found


def acquisitions(dataset: Dataset) -> dict[str, Codes]:
    """Codes per kind of identifier, the largest unit first; a smaller one speaks only for records that no larger one knows."""
    levels = {role: identity(dataset, role) for role in ("study", "series")}
    for grade, codes in exact_keys(dataset):
        if grade is Evidence.INSTANCE:
            levels["instance"] = codes
    found: dict[str, Codes] = {}
    known = np.zeros(dataset.size, bool)
    for role, codes in levels.items():
        left = np.where(known, -1, codes)
        known |= codes >= 0
        if (left >= 0).any():
            found[role] = left
    return found


def why_none(dataset: Dataset) -> str:
    """Why no identifier tells anything."""
    named = [role for role in ("study", "series") if dataset.has(role)]
    if named:
        worldwide = any(dataset.records[role].dropna().astype("str").str.fullmatch(UID).any() for role in named)
        what = "so many patients, sites or records share one that it tells nothing" if worldwide else "all are placeholders"
        return f"there are {' and '.join(named)} identifiers, but {what}"
    return "there are no identifiers of instances, series or studies"


def summary_of(levels: dict[str, Codes], crossing: dict[str, Spread]) -> str:
    """The verdict in one sentence."""
    if crossing:
        parts = [f"{len(lies.codes):,} {MANY[r] if len(lies.codes) > 1 else LEVELS[r]}" for r, lies in crossing.items()]
        return f"Several splits hold the same acquisition: {' and '.join(parts)} in more than one split"
    counts = [f"{len(np.unique(codes[codes >= 0])):,} {MANY[role]}" for role, codes in levels.items()]
    return f"No acquisition stands in more than one split: {', '.join(counts)} compared; one shared would show"


def metrics_of(levels: dict[str, Codes], spreads: dict[str, Spread]) -> dict[str, Cell]:
    """How many there are, and how many cross."""
    metrics: dict[str, Cell] = {}
    for role, lies in spreads.items():
        codes = levels[role]
        name = MANY[role].lower().replace(" ", "_")
        metrics[name] = len(np.unique(codes[codes >= 0]))
        metrics[f"{name}_shared"] = len(lies.codes)
    return metrics


def groups_table(dataset: Dataset, splits: pd.Series, levels: dict[str, Codes], crossing: dict[str, Spread]) -> Table:
    """Every record of an acquisition that stands in several splits."""
    positions: list[int] = []
    groups: list[Cell] = []
    evidence: list[Cell] = []
    for role, lies in crossing.items():
        where, ranks = members(levels[role], lies.codes)
        positions += where.tolist()
        groups += [f"{LEVELS[role]} {rank + 1}" for rank in ranks.tolist()]
        evidence += [f"same {LEVELS[role]}"] * len(where)
    rows = dataset.records.iloc[positions]
    return Table(
        name="groups",
        title="Acquisitions in several splits",
        columns=(
            Column(name="group", kind="text", values=groups, title="Acquisition (pseudonym)"),
            Column(name="record", kind="record", values=[str(r) for r in rows.index], title="Record"),
            Column(name="path", kind="path", values=cells(rows["path"]), title="File"),
            Column(name="split", kind="text", values=cells(splits.iloc[positions]), title="Split"),
            Column(name="label", kind="class", values=text(cells(dataset.labels.values.iloc[positions])), title="Label"),
            Column(name="evidence", kind="text", values=evidence, title="Evidence"),
        ),
    )
