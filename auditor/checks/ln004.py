"""LN004: records that two classes fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from auditor.check import Check, Need
from auditor.evidence.labels.fraction import fraction
from auditor.evidence.labels.label_noise import judge_labels, judged_records
from auditor.values.dataset import Dataset
from auditor.values.judgements import JudgedTask
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class AmbiguousRecords(Check):
    """Records that two classes fit: ambiguous, not wrong.

    ## What it does

    Lists records that LN002 does not flag, whose given class is one of the model's two best, and whose two best are nearly
    equal: they differ by at most `max_margin` and hold at least `min_together` of the probability. Of a multi-label dataset the
    classes are judged one by one. Nothing here is called an error.

    ## Why is this bad?

    It is not, in itself. But whoever cleans by "the model disagrees" removes these first: the hard cases that a clinician needs
    help with. And a single label hides that two experts would differ.

    ## How to fix

    Do not relabel or drop them. Ask two or three experts and keep their shares as a soft label; report results with and without
    them.

    ## Options

    * `max_margin`: the two best classes differ by so much at most (0.15).
    * `min_together`: they hold so much of the probability at least (0.7).
    * `max_noise_fraction`: as in LN001 (0.01).

    ## References

    * Peterson et al.: Human uncertainty makes classification more robust. ICCV 2019 (soft labels).
    * Swayamdipta et al.: Dataset cartography. EMNLP 2020 (ambiguous against hard to learn).
    """

    code: ClassVar[str] = "LN004"
    name: ClassVar[str] = "ambiguous-records"
    severity: ClassVar[Severity] = Severity.INFO
    needs: ClassVar[frozenset[Need]] = frozenset({"predictions"})

    max_margin: float = 0.15
    min_together: float = 0.7
    max_noise_fraction: float = 0.01

    def run(self, dataset: Dataset) -> Verdict:
        """List; raises SkipCheck without labels or predictions."""
        tasks = judge_labels(dataset, tolerance=self.max_noise_fraction)
        ambiguous = np.zeros(dataset.size, dtype=np.bool_)
        judged = judged_records(tasks, dataset.size)
        parts = []
        for task in tasks:
            here, other, margin = self._ambiguous(task)
            chosen = here[task.label_of]
            rows = task.records[chosen]
            ambiguous[rows] = True
            labels = task.label_of[chosen]
            names = np.array(task.classes, dtype=object)
            parts.append((rows, names[task.codes[labels]], names[other[labels]], margin[labels]))
        share = fraction(ambiguous[judged])
        rows, given, other_class, gap = (np.concatenate([part[i] for part in parts]) for i in range(4))
        order = np.lexsort((rows, gap))
        index = dataset.records.index.to_numpy(dtype=object)
        table = Table(
            name="ambiguous", title="Records that two classes fit, closest first",
            columns=(
                Column(name="record", kind="record", values=index[rows[order]].tolist(), title="Record"),
                Column(name="given", kind="class", values=given[order].tolist(), title="Given"),
                Column(name="other", kind="class", values=other_class[order].tolist(), title="Fits as well"),
                Column(name="margin", kind="fraction", values=gap[order].round(4).tolist(), title="Apart by"),
            ),
        )  # fmt: skip
        finding = Finding(
            code=self.code, severity=self.severity, where=Location(field=dataset.labels.origin or None), score=share.value,
            message=(
                f"{int(ambiguous.sum()):,} records ({share.value:.1%}) fit two classes almost equally; they are no errors: "
                "keep them, and ask for soft labels"
            ),
            evidence={"ambiguous_records": int(ambiguous.sum()), "ambiguous_fraction": share.value},
        )  # fmt: skip
        return Verdict(
            summary=(
                f"{int(ambiguous.sum()):,} of {int(judged.sum()):,} records fit two classes almost equally ({share.value:.1%})."
            ),
            metrics={
                "ambiguous_records": int(ambiguous.sum()),
                "ambiguous_fraction": share.value,
                "ambiguous_fraction_low": share.low,
                "ambiguous_fraction_high": share.high,
            },
            findings=(finding,) if ambiguous.any() else (),
            tables=(table,) if ambiguous.any() else (),
            coverage=Coverage(
                evaluated=int(judged.sum()),
                total=dataset.size,
                reason="" if judged.all() else "no label, or no prediction",
            ),
        )

    def _ambiguous(self, task: JudgedTask) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Per judged label: whether two classes fit, which other one, and by how much the two best are apart."""
        p = task.probabilities
        rows = np.arange(len(p))
        best = p.argmax(axis=1)
        rest = p.copy()
        rest[rows, best] = -1
        second = rest.argmax(axis=1)
        top, next_ = p[rows, best].astype(np.float64), p[rows, second].astype(np.float64)
        among = (task.codes == best) | (task.codes == second)
        close = (top - next_ <= self.max_margin) & (top + next_ >= self.min_together)
        other = np.where(task.codes == best, second, best)
        return among & close & ~task.estimate.flagged, other, np.clip(top - next_, 0, 1)
