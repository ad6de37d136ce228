"""ED003: a test set that only one reader has read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.raters.readings import complete_readings
from auditor.naming.names import split_name
from auditor.values.dataset import Dataset
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class SingleReaderTestSet(Check):
    """Records of the test set were read by one reader only.

    ## What it does

    Counts the readers of every record that has readings, split by split, and reports a test split in which more than
    `max_single_fraction` of the records were read by one reader alone.

    ## Why is this bad?

    A test label from one reader is that reader's opinion: a model cannot be told to be better than it, agreement cannot be
    measured where it matters most, and an error of the reader counts as an error of the model.

    ## How to fix

    Have the test set read by two more readers, blind to the first label, and adjudicate what they dispute. `medaudit consensus`
    says which records gain most by one more reading. Put records with several readings into the test set.

    ## Options

    * `max_single_fraction`: this share of test records with one reader is tolerated (.05).

    ## References

    * Northcutt, Athalye & Mueller: Pervasive label errors in test sets destabilize benchmarks. NeurIPS 2021.
    * CLAIM 2024 update: reference standard by several readers. Radiology: Artificial Intelligence 2024.
    """

    code: ClassVar[str] = "ED003"
    name: ClassVar[str] = "test-set-of-one-reader"
    severity: ClassVar[Severity] = Severity.WARNING

    max_single_fraction: float = 0.05

    def run(self, dataset: Dataset) -> Verdict:
        """Count; raises SkipCheck without readings or without a test split."""
        readings = complete_readings(dataset)
        if not dataset.has("split"):
            raise SkipCheck("there are no splits: which records are the test set is not known")
        raters = readings.astype({"record": str, "rater": str}).groupby("record")["rater"].nunique()
        split = dataset.records["split"].reindex(raters.index)
        names = sorted(set(dataset.records["split"].dropna()))
        tests = [name for name in names if split_name(name) == "test"]
        if not tests:
            raise SkipCheck(f"none of the splits is called a test set ({', '.join(names[:5])})")
        rows = []
        for name in names:
            inside = raters[(split == name).to_numpy(dtype=bool, na_value=False)]
            size = int((dataset.records["split"] == name).sum())
            rows.append((name, size, len(inside), int((inside == 1).sum()), float(inside.mean()) if len(inside) else None))
        judged = [row for row in rows if row[0] in tests and row[2]]
        if not judged:
            raise SkipCheck("no record of the test set has a reading")
        findings = [
            Finding(
                code=self.code, severity=self.severity, where=Location(field="split"), subject=name, score=single / read,
                message=(
                    f"{single:,} of {read:,} records of split {name!r} with readings were read by one reader only: have them "
                    "read again, blind to the first label"
                ),
                evidence={"split": name, "records": read, "single_readings": single},
            )
            for name, _, read, single, _ in judged
            if single / read > self.max_single_fraction
        ]  # fmt: skip
        total = sum(row[1] for row in rows if row[0] in tests)
        read = sum(row[2] for row in judged)
        single = sum(row[3] for row in judged)
        return Verdict(
            summary=f"{single:,} of {read:,} test records with readings were read by one reader only.",
            metrics={"test_records_read": read, "test_records_read_once": single, "read_once_fraction": single / read},
            findings=tuple(findings),
            tables=(
                Table(
                    name="splits", title="Readers per record, by split",
                    columns=(
                        Column(name="split", kind="text", values=[r[0] for r in rows], title="Split"),
                        Column(name="records", kind="integer", values=[r[1] for r in rows], title="Records"),
                        Column(name="read", kind="integer", values=[r[2] for r in rows], title="With readings"),
                        Column(name="single", kind="integer", values=[r[3] for r in rows], title="Read by one reader"),
                        Column(name="mean_raters", kind="number", values=[r[4] for r in rows], title="Readers per record"),
                    ),
                ),
            ),
            coverage=Coverage(evaluated=min(read, total), total=total, reason="" if read >= total else "no reading is known"),
        )  # fmt: skip
