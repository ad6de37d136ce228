"""ED005: the records that readers dispute, and the classes they dispute about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from auditor.check import Check
from auditor.evidence.raters.models import entropy_bits
from auditor.evidence.raters.readings import Readings, collect_readings
from auditor.evidence.raters.tables import record_agreement, record_table
from auditor.values.dataset import Dataset
from auditor.values.results import Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict

MAX_DRAWN = 30


@dataclass(frozen=True, kw_only=True)
class DisputedRecords(Check):
    """Readers dispute these records: adjudicate them first.

    ## What it does

    Lists the records of which fewer than `min_record_agreement` of the pairs of readings agree, the most disputed first, and
    counts between which classes the readings are split. Where most disputes are about one pair of classes, it is the definition
    of the label that is disputed, not the records.

    ## Why is this bad?

    It is not: disagreement is no error, and an ambiguous image is ambiguous. But a majority of two to one hides it, and a model
    that is trained or tested on such a label is taught to be sure.

    ## How to fix

    Adjudicate the records at the top of the list, together. Where a pair of classes dominates, write the definition down, with
    examples, and read these records again. Keep the soft label for what stays ambiguous (`medaudit consensus`).

    ## Options

    * `min_record_agreement`: a record is disputed when fewer of its pairs of readings agree (.5).
    * `min_pair_fraction`: a pair of classes behind this share of the disputes is named (.5); only with three classes or more.
    * `max_findings`: so many records are listed as findings (20); the table has them all.

    ## References

    * Peterson et al.: Human uncertainty makes classification more robust. ICCV 2019 (soft labels).
    * Aroyo & Welty: Truth is a lie: crowd truth and the seven myths of human annotation. AI Magazine 2015.
    """

    code: ClassVar[str] = "ED005"
    name: ClassVar[str] = "disputed-records"
    severity: ClassVar[Severity] = Severity.INFO

    min_record_agreement: float = 0.5
    min_pair_fraction: float = 0.5
    max_findings: int = 20

    def run(self, dataset: Dataset) -> Verdict:
        """List; raises SkipCheck where there are no readings to compare."""
        readings = collect_readings(dataset)
        counts = readings.counts
        pairs = record_agreement(counts)
        disputed = pairs < self.min_record_agreement
        twice = int((counts.sum(axis=1) >= 2).sum())
        shares = counts / counts.sum(axis=1, keepdims=True)
        doubt = np.where(np.isnan(pairs), np.inf, pairs)
        order = np.lexsort((-counts.sum(axis=1), -entropy_bits(shares), doubt))
        split = _class_pairs(counts)
        total = split.sum() / 2
        findings = [self._record_finding(readings, int(u)) for u in order[: self.max_findings] if disputed[u]]
        definition = self._definition_finding(readings, split, total)
        hidden = int(disputed.sum()) - len(findings)
        more = f" ({hidden:,} more are in the table)" if hidden > 0 else ""
        matrix = _pair_table(readings, split)
        listed = order[~np.isnan(pairs[order])]
        return Verdict(
            summary=(
                f"{int(disputed.sum()):,} of {twice:,} records with two or more readings are disputed{more}."
                + (f" {definition.message}." if definition is not None else "")
            ),
            metrics={
                "records_read_twice": twice, "disputed_records": int(disputed.sum()),
                "disputed_fraction": int(disputed.sum()) / twice,
            },
            findings=(*([definition] if definition is not None else []), *findings),
            tables=(_sorted(record_table(readings, pairs, disputed, name="disputed"), listed), matrix),
            charts=(
                Chart(
                    name="disputes", title="Classes that readers of one record are split between", kind="matrix", table=matrix,
                    label="class_a", group="class_b", value="fraction",
                ),
            )
            if matrix.length
            else (),
            coverage=Coverage(
                evaluated=twice, total=len(counts), reason="" if twice == len(counts) else "read by one rater only"
            ),
        )  # fmt: skip

    def _record_finding(self, readings: Readings, u: int) -> Finding:
        row = readings.counts[u]
        said = ", ".join(f"{readings.classes[c]!r} {int(row[c])}×" for c in np.argsort(-row, kind="stable") if row[c])
        pairs = float(record_agreement(readings.counts[[u]])[0])
        return Finding(
            code=self.code, severity=self.severity, where=Location(record=str(readings.records[u])), score=1 - pairs,
            message=f"the readers are split: {said}; adjudicate, or keep the soft label",
            evidence={"readings": int(row.sum()), "agreement_fraction": pairs},
        )  # fmt: skip

    def _definition_finding(self, readings: Readings, split: npt.NDArray[np.float64], total: float) -> Finding | None:
        if len(readings.classes) < 3 or total == 0:
            return None
        a, b = np.unravel_index(int(np.triu(split).argmax()), split.shape)
        share = float(split[a, b] / total)
        if share < self.min_pair_fraction:
            return None
        first, second = readings.classes[int(a)], readings.classes[int(b)]
        return Finding(
            code=self.code, severity=self.severity, where=Location(), subject=f"{first} / {second}", score=share,
            message=(
                f"{share:.0%} of the disagreements are between {first!r} and {second!r}: the definition of the label may be "
                "what is disputed"
            ),
            evidence={"class_a": first, "class_b": second, "fraction": share},
        )  # fmt: skip


def _class_pairs(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Disagreeing pairs of readings by their two classes, each record counted once; symmetric, 0 on the diagonal."""
    n = counts.sum(axis=1)
    weight = np.where(n >= 2, 1 / np.maximum(n * (n - 1) / 2, 1), 0)
    split = counts.T @ (counts * weight[:, None])
    np.fill_diagonal(split, 0)
    return np.asarray(split)


def _pair_table(readings: Readings, split: npt.NDArray[np.float64]) -> Table:
    total = max(float(split.sum()) / 2, 1e-300)
    top = np.sort(np.argsort(-split.sum(axis=1), kind="stable")[:MAX_DRAWN])
    top = top[split[top].sum(axis=1) > 0]
    cells = [(int(a), int(b)) for a in top for b in top if a != b]
    return Table(
        name="class_pairs", title="Between which classes the readings are split",
        columns=(
            Column(name="class_a", kind="class", values=[readings.classes[a] for a, _ in cells], title="Class"),
            Column(name="class_b", kind="class", values=[readings.classes[b] for _, b in cells], title="Or"),
            Column(
                name="fraction", kind="fraction", values=[min(float(split[a, b] / total), 1.0) for a, b in cells],
                title="Of all disagreements",
            ),
        ),
    )  # fmt: skip


def _sorted(table: Table, order: npt.NDArray[np.intp]) -> Table:
    """The rows of a table in another order; rows that `order` does not name are left out."""
    columns = tuple(Column(name=c.name, kind=c.kind, values=[c.values[i] for i in order], title=c.title) for c in table.columns)
    return Table(name=table.name, title="Records, the most disputed first", columns=columns)
