"""SP006: the ids cannot tell whether patients overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.kin.groups import partition, split_names
from auditor.evidence.kin.identity import can_tell, identity, why_untold
from auditor.evidence.kin.recurring import Recurring, recurring_ids
from auditor.evidence.kin.recurring_columns import recurring_columns
from auditor.values.dataset import Dataset
from auditor.values.results import Coverage, Finding, Location, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class IdsCannotTell(Check):
    """The ids cannot tell whether patients overlap.

    ## What it does
    Looks at the patient ids themselves. They can tell when there is more than one patient and at least one patient has
    more than one image. Where they are missing, are all the same, or differ for every image, patient overlap cannot be told;
    this check is then not evaluated, never passed, and a gate that requires it ends with exit code 3. Lesion, study and
    series ids are no patient ids: one patient may have many. Placeholders (`Anonymous`) are no ids. Where some records lack
    an id, it says how many, and in which split. Where there are no ids but the file names hold numbers that recur
    (`0012_03`, `0012_left`, `AP_00012`, `p7-20190312-2`) in several splits, or a column of the table holds codes that do
    (`K-012`; not diagnoses, stages, wells or numbers with a unit), it warns: these may be patients. Where
    some part of the names that recurs never stands in two splits, whoever dealt them went by that: it only says so, since
    nobody says that these are the patients. Where all of one such part stand within one value of another, as studies stand
    within a patient, and those do cross, it warns.

    ## Why is this bad?
    A split that was made over images looks clean to every test on ids when each image has an id of its own, while the same
    person stands on both sides. In several public collections a column that is called patient id holds image ids, or only
    lesion ids are given.

    ## How to fix
    Ask the source for a pseudonym per patient and name its column with `--patient` (or in `medaudit.toml`). If there is
    none, say in the data sheet that patient overlap cannot be told, and test on another source.

    ## Options
    * `min_known_fraction`: a smaller share of records with a patient id, in the whole or in one split, is a warning.

    ## References
    Gebru et al. 2021, Datasheets for Datasets; Yagis et al. 2021, Scientific Reports 11 (random labels score 96 % when slices
    of one subject are split, 50 % by subject).
    """

    code: ClassVar[str] = "SP006"
    name: ClassVar[str] = "ids-cannot-tell"
    severity: ClassVar[Severity] = Severity.WARNING

    min_known_fraction: float = 0.95

    def run(self, dataset: Dataset) -> Verdict:
        """Judge whether the patient ids are ids of patients."""
        codes = identity(dataset, "patient")
        known = codes >= 0
        if not can_tell(dataset, codes):
            suspected = self._suspected(dataset)
            if suspected is None:
                raise SkipCheck(why_untold(dataset))
            return suspected
        sizes = np.bincount(codes[known])
        patients, shared = len(sizes), int((sizes > 1).sum())
        share = float(known.mean())
        findings = []
        if share < self.min_known_fraction:
            missing = int((~known).sum())
            findings.append(
                Finding(
                    code=self.code,
                    severity=self.severity,
                    message=(
                        f"{missing:,} of {dataset.size:,} records have no patient id: whether they show "
                        "patients of other splits cannot be told. Ask the source for the missing pseudonyms"
                    ),
                    where=Location(field="patient"),
                    score=1 - share,
                    evidence={"records_without_id": missing},
                )
            )
        splits = partition(dataset)
        declared = pd.Series(dtype="str") if splits is None else splits
        for name in split_names(declared):
            inside = declared.fillna("").eq(name).to_numpy(bool)
            part = float(known[inside].mean())
            if part < self.min_known_fraction:
                missing = int((inside & ~known).sum())
                findings.append(
                    Finding(
                        code=self.code,
                        severity=self.severity,
                        message=f"{missing:,} of {int(inside.sum()):,} records of {name} have no patient id",
                        where=Location(field="patient"),
                        subject=name,
                        score=1 - part,
                        evidence={"split": name, "records_without_id": missing},
                    )
                )
        return Verdict(
            summary=(
                f"Patient ids can tell: {patients:,} patients, {sizes.mean():.1f} records each on average, "
                f"{shared:,} patients with more than one"
                if not findings
                else f"Patient ids can tell for {share:.1%} of the records only"
            ),
            metrics={
                "patients": patients,
                "patients_with_several_records": shared,
                "records_per_patient_mean": float(sizes.mean()),
                "records_per_patient_max": int(sizes.max()),
                "known_id_fraction": share,
            },
            findings=tuple(findings),
            coverage=Coverage(
                evaluated=int(known.sum()),
                total=dataset.size,
                reason="" if known.all() else "the other records have no patient id",
            ),
        )

    def _suspected(self, dataset: Dataset) -> Verdict | None:
        """Names or a column that hold one id in several splits; None where nothing hints at it. Nothing is evaluated by that.

        Raises:
            SkipCheck: what recurs in the names stands in one split each; that these are the patients, nobody says.
        """
        splits = partition(dataset)
        if splits is None or len(split_names(splits)) < 2:
            return None
        found = recurring_ids(dataset.records["path"], dataset.labels.values.astype("string"), splits)
        if found is not None and found.share > 0:
            held = f"numbers that file names {'begin with' if found.leading else 'hold'}"
            return self._crossing(dataset, splits, found, Location(field="path"), held)
        column = recurring_columns(dataset, splits)
        if column is not None:
            return self._crossing(dataset, splits, column[1], Location(field=column[0]), "codes in a column of the table")
        if found is None:
            return None
        words = "begin with" if found.leading else "hold"
        raise SkipCheck(
            f"{why_untold(dataset)}. {found.ids.nunique():,} numbers or names that file names {words} recur and stand in one "
            "split each: if they are the patients, the splits share none, but nobody says that they are"
        )

    def _crossing(self, dataset: Dataset, splits: pd.Series, found: Recurring, where: Location, held: str) -> Verdict:
        """The warning of ids that stand in several splits."""
        known = pd.DataFrame({"id": found.ids, "split": splits}).dropna()
        known = known[known["split"] != ""]
        several = known.groupby("id")["split"].nunique() > 1
        crossing, records = int(several.sum()), int(known["id"].map(several).sum())
        finding = Finding(
            code=self.code,
            severity=self.severity,
            message=(
                f"{why_untold(dataset)}. But {crossing:,} of {len(several):,} {held} stand in several splits "
                f"({records:,} images): if they are patients, the splits share them. Name the patients' column "
                "with --patient, or say what they are"
            ),
            where=where,
            subject="leading ids" if found.leading else "recurring ids",
            score=crossing / len(several),
            evidence={"leading_ids": len(several), "in_several_splits": crossing, "records": records},
        )
        return Verdict(
            summary=f"{crossing:,} {held} stand in several splits; there are no patient ids",
            metrics={"leading_ids": len(several), "leading_ids_in_several_splits": crossing},
            findings=(finding,),
            coverage=Coverage(evaluated=0, total=dataset.size, reason=why_untold(dataset)),
        )
