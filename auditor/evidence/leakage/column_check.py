"""What the checks share that ask of columns, one by one, whether they tell the class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check
from auditor.statistics.derived import Answer, Gate, Told, answer, ask_about
from auditor.values.dataset import Dataset
from auditor.values.fields import Field
from auditor.values.results import Cell, Finding, Location, Severity


@dataclass(frozen=True, kw_only=True)
class ColumnCheck(Check):
    """A check that makes columns and asks each whether it tells the class: the thresholds, the asking, and a finding.

    Args:
        min_auc, max_q: when a column tells a class: smallest AUC, and false discovery rate over all columns.
        min_records, min_patients: what a class needs, on either side, to be asked for.
        draws: most permutations per level. test_records: records that the test uses, whole patients.
        folds, seed: of the folds that never part a patient.
    """

    min_auc: float = 0.60
    max_q: float = 0.05
    min_records: int = 10
    min_patients: int = 3
    draws: int = 2000
    test_records: int = 30_000
    folds: int = 5
    seed: int = 0

    def answered(
        self,
        dataset: Dataset,
        frame: pd.DataFrame,
        fields: Mapping[str, Field],
        *,
        seen: npt.NDArray[np.bool_] | None = None,
        gate: Gate | None = None,
        pixels: bool = False,
    ) -> Answer:
        """Every column of the frame asked, strongest first.

        Args:
            frame: columns that hold values, by the names of `fields`; aligned with the records.
            seen: records that can be looked at; None = all.
            pixels: the columns are read from pictures (see `ask_about`).
            gate: when it is said to tell; the check's own thresholds where it is not given.

        Raises:
            SkipCheck: no label, one class, too few records, no column.
        """
        question = ask_about(
            dataset, frame, fields, cases=self.min_records, holders=self.min_patients, seen=seen, pixels=pixels
        )
        return answer(
            (frame[name] for name in frame.columns),
            question,
            gate or Gate(min_auc=self.min_auc, max_q=self.max_q),
            draws=self.draws,
            test_records=self.test_records,
            folds=self.folds,
            seed=self.seed,
        )

    def finding_of(
        self,
        row: Told,
        message: str,
        evidence: Mapping[str, Cell],
        *,
        field: str,
        subject: str = "",
        severity: Severity = Severity.WARNING,
    ) -> Finding:
        """A finding about one column: `message` begins with a capital, its AUC is the score.

        Information where many images may be one patient's, and it would then tell nothing.
        """
        return Finding(
            code=self.code,
            severity=severity if row.sure else Severity.INFO,
            message=message[0].upper() + message[1:],
            where=Location(field=field),
            subject=subject,
            score=row.measured.auc,
            evidence=evidence,
        )
