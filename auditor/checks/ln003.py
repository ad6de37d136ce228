"""LN003: two classes that are mixed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.labels.label_noise import judge_labels
from auditor.statistics.distributions import binom
from auditor.values.dataset import Dataset
from auditor.values.results import Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class ConfusedClasses(Check):
    """Two classes are mixed up more than others.

    ## What it does

    Counts, among the labels that LN002 flags, which class was given and which one the model names instead, and compares every
    ordered pair with an even spread of the flags over all pairs (each by the size of its given class): a pair is reported when
    it has at least `min_labels` flags, `min_ratio` times as many as expected, and chance explains that in less than 1 % over
    all pairs (binomial tail, Holm's correction for the number of pairs). Where readers are known, their contradictions on one
    record are counted beside it.

    ## Why is this bad?

    Mistakes that go from one class to its neighbour do not average out: the model learns a shifted border, and the two classes'
    sensitivities cannot be believed. Often the definition of the two is unclear, not the readers' care.

    ## How to fix

    Write down where the border between the two classes lies, and have the flagged records of the pair read again by two
    people. If they cannot agree, merge the classes or keep soft labels.

    ## Options

    * `min_labels`: so many flags a pair has at least (5).
    * `min_ratio`: so many times as many as an even spread would give (3.0).
    * `max_noise_fraction`: as in LN001 (0.01).

    ## References

    * Northcutt, Jiang & Chuang: Confident learning. JAIR 70, 2021 (class-conditional noise).
    * Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 1979.
    """

    code: ClassVar[str] = "LN003"
    name: ClassVar[str] = "confused-classes"
    severity: ClassVar[Severity] = Severity.INFO
    needs: ClassVar[frozenset[Need]] = frozenset({"predictions"})

    min_labels: int = 5
    min_ratio: float = 3.0
    max_noise_fraction: float = 0.01

    def run(self, dataset: Dataset) -> Verdict:
        """Count pairs; raises SkipCheck without labels or predictions, or with fewer than three exclusive classes."""
        if dataset.labels.task not in ("single", "ordinal") or len(dataset.labels.classes) < 3:
            raise SkipCheck("pairs can only be compared with three or more classes that exclude each other")
        (task,) = judge_labels(dataset, tolerance=self.max_noise_fraction)
        if task.estimate.verdict == "no evidence":
            return self._verdict(dataset, np.zeros((0, 0), dtype=np.int64), np.zeros((0, 0)), (), len(task.records))
        k = len(task.classes)
        flagged = task.estimate.flagged
        given, named = task.codes[flagged].astype(np.int64), task.estimate.suggested[flagged]
        counts = np.bincount(given * k + named, minlength=k * k).reshape(k, k)
        sizes = np.bincount(task.codes, minlength=k).astype(np.float64)
        possible = sizes[:, None] * (sizes[None, :] > 0)
        np.fill_diagonal(possible, 0)
        share = possible / max(possible.sum(), 1)
        expected = counts.sum() * share
        p = binom.sf(counts - 1, max(int(counts.sum()), 1), share)
        worth = (counts >= self.min_labels) & (counts >= self.min_ratio * expected)
        pairs = np.argwhere(worth & (p * max(int((possible > 0).sum()), 1) < 0.01))
        found = sorted(((int(a), int(b)) for a, b in pairs), key=lambda pair: -int(counts[pair]))
        return self._verdict(dataset, counts, expected, tuple(found), len(task.records), task.classes)

    def _verdict(
        self,
        dataset: Dataset,
        counts: npt.NDArray[np.int64],
        expected: npt.NDArray[np.float64],
        pairs: tuple[tuple[int, int], ...],
        judged: int,
        classes: tuple[str, ...] = (),
    ) -> Verdict:
        read = _contradictions(dataset)
        findings = tuple(
            Finding(
                code=self.code, severity=self.severity, where=Location(field=dataset.labels.origin or None),
                subject=f"{classes[a]} → {classes[b]}", score=float(counts[a, b]),
                message=(
                    f"{counts[a, b]:,} labels {classes[a]!r} look like {classes[b]!r} to the model, {expected[a, b]:.1f} "
                    "would be expected if labels were mixed up evenly; write down where the border between the two classes lies"
                ),
                evidence={
                    "given": classes[a], "looks_like": classes[b], "labels": int(counts[a, b]),
                    "expected_labels": round(float(expected[a, b]), 2),
                    "records_readers_contradict": read.get(frozenset((classes[a], classes[b])), 0),
                },
            )
            for a, b in pairs
        )  # fmt: skip
        cells = np.argwhere(counts > 0)
        table = Table(
            name="pairs", title="Flagged labels by given class and by what the model names",
            columns=(
                Column(name="given", kind="class", values=[classes[a] for a, _ in cells], title="Given"),
                Column(name="looks_like", kind="class", values=[classes[b] for _, b in cells], title="Looks like"),
                Column(name="labels", kind="integer", values=[int(counts[a, b]) for a, b in cells], title="Flagged labels"),
                Column(
                    name="expected_labels", kind="number", title="Expected if even",
                    values=[round(float(expected[a, b]), 2) for a, b in cells],
                ),
                Column(
                    name="read_both_ways", kind="integer", title="Records that readers contradict",
                    values=[read.get(frozenset((classes[a], classes[b])), 0) for a, b in cells],
                ),
            ),
        )  # fmt: skip
        chart = Chart(
            name="pairs", title="Which class is flagged as which", kind="matrix", table=table,
            label="given", group="looks_like", value="labels",
        )  # fmt: skip
        return Verdict(
            summary=f"{len(findings):,} pairs of classes are mixed up more than others."
            if findings
            else f"No pair of classes stands out ({self.min_labels} flags and {self.min_ratio:g} times an even spread would).",
            metrics={"confused_pairs": len(findings), "flagged_labels": int(counts.sum())},
            findings=findings,
            tables=(table,) if len(cells) else (),
            charts=(chart,) if len(cells) else (),
            coverage=Coverage(
                evaluated=judged, total=dataset.size, reason="" if judged == dataset.size else "no label, or no prediction"
            ),
        )


def _contradictions(dataset: Dataset) -> dict[frozenset[str], int]:
    """Records that were read as both of two classes, by pair."""
    readings = dataset.annotations
    if readings.empty:
        return {}
    distinct = readings[["record", "label"]].dropna().drop_duplicates()
    both = distinct.merge(distinct, on="record")
    both = both[both["label_x"] < both["label_y"]]
    counts = both.groupby(["label_x", "label_y"]).size().reset_index(name="records")
    pairs = zip(counts["label_x"], counts["label_y"], counts["records"], strict=True)
    return {frozenset((str(a), str(b))): int(n) for a, b, n in pairs}
