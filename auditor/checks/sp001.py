"""SP001: one patient stands in several splits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.kin.groups import Spread, cells, is_test, is_training, location, members, partition, split_names, spread
from auditor.evidence.kin.identity import ID_ROLES, Codes, can_tell, identity, why_untold
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Column, Coverage, Finding, Severity, Table, Verdict

PLURAL = {"patient": "patients", "lesion": "lesions", "study": "studies", "series": "series"}


@dataclass(frozen=True, kw_only=True)
class PatientAcrossSplits(Check):
    """One patient stands in several splits.

    ## What it does
    Compares the patient ids of the splits, exactly as they are written (`007` is not `7`). Where a record has no patient
    id, its lesion, study or series id stands in: one lesion in two splits is one patient in two splits, but the reverse
    cannot be told. Where nothing crosses and patient ids are missing, or every image has its own, the check is
    not evaluated: it never passes on ids that cannot tell. Without splits, declared folds are judged.

    ## Why is this bad?
    A model recognises the person, the acquisition or the device, and the test score rewards it. Slice-level splits of
    brain MRI gain 29 to 55 points of accuracy, and even random labels then score 96 % (50 % when split by
    subject); OCT gains 5 to 30 points, histology tiles up to 41 %. The test fields of a mitosis challenge came from the
    slides of the training patients.

    ## How to fix
    Split by patient: move whole patients, never single images, together with all that hangs on them (the same picture, study
    or lesion), and check again. Report results of the old split as invalid. Where ids are missing, ask the source for
    pseudonyms.

    ## Options
    * `max_findings`: so many patients get a finding of their own, beside the one per pair of splits, which decides.
      The table `patients` lists all.
    * `min_known_fraction`: where fewer records of a split have an id, silence is no proof and the check is not evaluated.

    ## References
    Yagis et al. 2021, Scientific Reports 11 (MRI slices); Tampu et al. 2022, Scientific Data 9 (OCT);
    Bussola et al. 2020 (histology tiles); Roux et al. 2013 (MITOS, ICPR 2012).
    """

    code: ClassVar[str] = "SP001"
    name: ClassVar[str] = "patient-across-splits"
    severity: ClassVar[Severity] = Severity.ERROR

    max_findings: int = 50
    min_known_fraction: float = 0.5

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every pair of splits by the best ids there are."""
        splits = partition(dataset)
        if splits is None:
            raise SkipCheck("no splits are known (two to fifty are needed): name their column with --split")
        levels = ids_by_level(dataset)
        spreads = {role: spread(codes, splits) for role, codes in levels.items()}
        crossing = telling(spreads)
        patients = levels.get("patient", np.full(dataset.size, -1, np.int64))
        known = patients >= 0
        if not crossing:
            self.require_telling(dataset, splits, known)
        judged = [levels[role] >= 0 for role in crossing] + [known]
        evaluated = np.logical_or.reduce(judged) & splits.notna().to_numpy(bool)
        return Verdict(
            summary=summary_of(crossing, len(np.unique(patients[known]))),
            metrics=metrics_of(spreads, len(np.unique(patients[known]))),
            findings=self.findings(dataset, levels, crossing),
            tables=tables_of(dataset, splits, levels, crossing) if crossing else (),
            coverage=Coverage(
                evaluated=int(evaluated.sum()),
                total=dataset.size,
                reason="" if evaluated.all() else "the other records have no id or belong to no split",
            ),
        )

    def require_telling(self, dataset: Dataset, splits: pd.Series, known: npt.NDArray[np.bool_]) -> None:
        """Skip unless the ids that there are would have shown a patient in two splits."""
        if not known.any():
            raise SkipCheck(why_untold(dataset))
        for name in split_names(splits):
            inside = splits.fillna("").eq(name).to_numpy(bool)
            share = float(known[inside].mean())
            if share < self.min_known_fraction:
                raise SkipCheck(
                    f"only {share:.0%} of the records of {name} have a patient id: that no patient crosses cannot be told"
                )

    def findings(self, dataset: Dataset, levels: dict[str, Codes], crossing: dict[str, Spread]) -> tuple[Finding, ...]:
        """One error per pair of splits and kind of id, then where to look."""
        found: list[Finding] = []
        for role, lies in crossing.items():
            for c in lies.crossings:
                noun, verb = (PLURAL[role], "stand") if c.groups > 1 else (role, "stands")
                found.append(
                    Finding(
                        code=self.code,
                        severity=self.severity,
                        message=(
                            f"{c.groups:,} {noun} {verb} in both {c.split_a} and {c.split_b} "
                            f"({c.records_a:,} and {c.records_b:,} records; {c.fraction:.1%} of the {PLURAL[role]} of "
                            f"{c.split_b}). "
                            "Move whole patients so that each is in one split only"
                        ),
                        subject=f"{role}: {c.split_a} / {c.split_b}",
                        score=c.fraction,
                        evidence={
                            "id": role,
                            "split_a": c.split_a,
                            "split_b": c.split_b,
                            f"{PLURAL[role]}_shared": c.groups,
                            "records_a": c.records_a,
                            "records_b": c.records_b,
                        },
                    )
                )
        left = self.max_findings
        for role, lies in crossing.items():
            shown = lies.codes[: max(left, 0)]
            positions, ranks = members(levels[role], shown)
            for rank, position in zip(*first_of_each(positions, ranks), strict=True):
                found.append(
                    Finding(
                        code=self.code,
                        severity=Severity.WARNING,
                        message=f"{role} {rank + 1} stands in several splits: {per_split(lies, rank)}",
                        where=location(dataset, int(position)),
                        subject=f"{role} across splits",
                        evidence={"records": int(lies.counts[rank].sum())},
                    )
                )
            left -= len(shown)
        return tuple(found)


def ids_by_level(dataset: Dataset) -> dict[str, Codes]:
    """Codes per kind of id, the best first; each kind speaks only for records that no better one knows.

    Patient ids are there only when they can tell: more than one patient, and fewer patients than images.
    """
    levels: dict[str, Codes] = {}
    known = np.zeros(dataset.size, bool)
    for role in ID_ROLES:
        codes = identity(dataset, role)
        if role == "patient" and not can_tell(dataset, codes):
            continue
        codes = np.where(known, -1, codes)
        if (codes >= 0).any():
            levels[role] = codes
        if role == "patient":
            known = codes >= 0
    return levels


def telling(spreads: dict[str, Spread]) -> dict[str, Spread]:
    """The kinds of id to report: patients that cross, and of the others, which say the same again, the best that crosses."""
    crossing = [role for role, lies in spreads.items() if lies.crossings]
    others = [role for role in crossing if role != "patient"]
    return {role: spreads[role] for role in crossing if role == "patient" or role == others[0]}


def summary_of(crossing: dict[str, Spread], patients: int) -> str:
    """The verdict in one sentence."""
    if not crossing:
        return f"No patient stands in more than one split: {patients:,} patients compared by exact id; one shared would show"
    counts = [f"{len(lies.codes):,} {PLURAL[role] if len(lies.codes) > 1 else role}" for role, lies in crossing.items()]
    return f"Several splits hold the same person: {' and '.join(counts)} in more than one split"


def metrics_of(spreads: dict[str, Spread], patients: int) -> dict[str, Cell]:
    """Counts, and the share of the test patients that were trained on."""
    metrics: dict[str, Cell] = {"patients": patients}
    for role, lies in spreads.items():
        metrics[f"{PLURAL[role]}_shared"] = len(lies.codes)
        shared = {(c.split_a, c.split_b): c.fraction for c in lies.crossings}
        for a, b in product(filter(is_training, lies.splits), filter(is_test, lies.splits)):
            metrics[f"{b}_{PLURAL[role]}_in_{a}_fraction"] = shared.get((a, b), 0.0)
    return metrics


def first_of_each(positions: Codes, ranks: Codes) -> tuple[list[int], list[int]]:
    """Rank and first position of every group, in the order of ranks."""
    distinct, first = np.unique(ranks, return_index=True)
    return distinct.tolist(), positions[first].tolist()


def per_split(lies: Spread, rank: int) -> str:
    """`4 records in train, 1 in test`."""
    parts = [(int(count), name) for count, name in zip(lies.counts[rank], lies.splits, strict=True) if count]
    (count, name), *rest = parts
    return ", ".join([f"{count:,} record{'s' if count > 1 else ''} in {name}", *(f"{n:,} in {s}" for n, s in rest)])


def tables_of(dataset: Dataset, splits: pd.Series, levels: dict[str, Codes], crossing: dict[str, Spread]) -> tuple[Table, ...]:
    """Pairs of splits, patients under a pseudonym, and every record that belongs to one of them."""
    pairs = [(role, c) for role, lies in crossing.items() for c in lies.crossings]
    names: list[str] = []
    positions: list[int] = []
    pseudonyms: list[str] = []
    for role, lies in crossing.items():
        names += [f"{role} {rank + 1}" for rank in range(len(lies.codes))]
        where, ranks = members(levels[role], lies.codes)
        positions += where.tolist()
        pseudonyms += [f"{role} {rank + 1}" for rank in ranks.tolist()]
    counts = np.concatenate([lies.counts for lies in crossing.values()])
    split_columns = next(iter(crossing.values())).splits
    rows = dataset.records.iloc[positions]
    return (
        Table(
            name="splits",
            title="Shared patients by pair of splits",
            columns=(
                Column(name="id", kind="text", values=[role for role, _ in pairs], title="Kind of id"),
                Column(name="split_a", kind="text", values=[c.split_a for _, c in pairs], title="Split"),
                Column(name="split_b", kind="text", values=[c.split_b for _, c in pairs], title="Other split"),
                Column(name="shared", kind="integer", values=[c.groups for _, c in pairs], title="In both"),
                Column(name="fraction_b", kind="fraction", values=[c.fraction for _, c in pairs], title="Share of the other"),
                Column(name="records_a", kind="integer", values=[c.records_a for _, c in pairs], title="Records"),
                Column(name="records_b", kind="integer", values=[c.records_b for _, c in pairs], title="Records of the other"),
            ),
        ),
        Table(
            name="patients",
            title="Patients in several splits",
            columns=(
                Column(name="patient", kind="text", values=names, title="Patient (pseudonym)"),
                Column(name="records", kind="integer", values=counts.sum(axis=1).tolist(), title="Records"),
                *(
                    Column(name=f"records_{name}", kind="integer", values=counts[:, i].tolist(), title=f"In {name}")
                    for i, name in enumerate(split_columns)
                ),
            ),
        ),
        Table(
            name="records",
            title="Records of these patients",
            columns=(
                Column(name="patient", kind="text", values=pseudonyms, title="Patient (pseudonym)"),
                Column(name="record", kind="record", values=[str(r) for r in rows.index], title="Record"),
                Column(name="path", kind="path", values=cells(rows["path"]), title="File"),
                Column(name="split", kind="text", values=cells(splits.iloc[positions]), title="Split"),
            ),
        ),
    )
