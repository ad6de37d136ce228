"""ED002: a reader leans to a class, grades harshly, copies, never varies, or is often wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.raters.agreement import count_readings, similarity_matrix
from auditor.evidence.raters.consensus import model_quality
from auditor.evidence.raters.habit_tables import Flags, confusion_table, copy_table, leaning_table, rater_table, usual_mistake
from auditor.evidence.raters.habits import (
    Copy,
    Leaning,
    class_leaning,
    constant_raters,
    copied_dissents,
    grade_leaning,
    told_apart,
    without_copies,
)
from auditor.evidence.raters.models import DawidSkene, dawid_skene
from auditor.evidence.raters.pairs import set_similarity
from auditor.evidence.raters.raters import RaterTest, compare_raters
from auditor.evidence.raters.readings import Readings, class_values, collect_readings, finding_sets
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Chart, Coverage, Finding, Location, Severity, Verdict

ALIKE = 0.97
"""Two readers who agree in so many pairs may be one: of three readings nobody can tell whether they copied."""
PAIR = ". Ask first whether the two others read on their own: had one copied, this reader would look as wrong"


@dataclass(frozen=True, kw_only=True)
class BiasedRater(Check):
    """A reader leans to a class, grades harshly or mildly, copies, never varies, or is often wrong.

    ## What it does

    Compares every reader with the others who read the same records, so that hard records blame nobody. It asks five questions,
    each with Holm's correction over all readers: does the reader name a class more or less often than the others; grade higher
    or lower (grades with an order); agree less than the others do among themselves (needs three readings of a record); always
    give the same label while others vary; and do two readers dissent from the majority together where no third one does? The
    table shows accuracy and the most frequent mistake by the model of Dawid and Skene, and, where a model predicted the records
    out of fold, the quality of each reader by cleanlab. All of it is about readings, not people:
    the one who differs from the others may be the one who is right.

    ## Why is this bad?

    A reader's habit becomes the label's habit: a model learns it as if it were anatomy, and where readers and hospitals go
    together it looks like a difference between hospitals. Two readings of which one was copied are one reading.

    ## How to fix

    Show the reader the records in question; agree on the definition of the class that is read differently. Weigh readings by
    a model of the readers (`medaudit consensus --method dawid-skene`). Count a copied reading once; leave constant ones out.

    ## Options

    * `min_lean`: by how much a reader's share of a class must differ from the others' (.1).
    * `min_grades`: the same for grades, in standard deviations of all grades (.25).
    * `min_deficit`: by how much agreement must fall short of the others' (.05).
    * `min_copied`: share of a pair's dissents that both share to be called copies (.7).
    * `min_readings`: readers with fewer shared readings are not judged (20).
    * `max_p`: significance over all readers (.05).
    * `max_findings`: so many findings of one kind are listed (20); the tables have them all.

    ## References

    * Dawid & Skene: Maximum likelihood estimation of observer error-rates. Applied Statistics 1979.
    * Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 1979.
    """

    code: ClassVar[str] = "ED002"
    name: ClassVar[str] = "biased-rater"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"predictions"})

    min_lean: float = 0.1
    min_grades: float = 0.25
    min_deficit: float = 0.05
    min_copied: float = 0.7
    min_readings: int = 20
    max_p: float = 0.05
    max_findings: int = 20

    def run(self, dataset: Dataset) -> Verdict:
        """Judge the readers; raises SkipCheck without readings, or when all read too little."""
        readings = collect_readings(dataset)
        counts, unit, rater, label = readings.counts, readings.unit, readings.rater, readings.label
        raters = len(readings.raters)
        shared = np.bincount(rater, counts.sum(axis=1)[unit] >= 2, minlength=raters)
        enough = shared >= self.min_readings
        if not enough.any():
            raise SkipCheck(f"no reader shares {self.min_readings} readings with another: too few to judge anybody")
        similarity = (
            set_similarity(finding_sets(readings.classes)[1])
            if readings.several
            else similarity_matrix(counts, "ordinal" if readings.ordinal else "nominal")
        )
        copies = copied_dissents(unit, rater, label, counts, raters=raters, min_share=self.min_copied, max_p=self.max_p)
        kept = without_copies(rater, copies)

        def _counts(own: Flags) -> npt.NDArray[np.float64]:
            return count_readings(unit[own], label[own], units=len(counts), classes=len(readings.classes))

        test = compare_raters(unit[kept], rater[kept], label[kept], _counts(kept), similarity, raters=raters)
        poor = enough & (test.q <= self.max_p) & (np.nan_to_num(test.deficit) >= self.min_deficit)
        leaning, leans = told_apart(
            lambda own: class_leaning(unit[own], rater[own], label[own], _counts(own), raters=raters),
            lambda found: enough[:, None] & (found.q <= self.max_p) & (np.abs(found.own - found.others) >= self.min_lean),
            unit, rater, kept, raters,
        )  # fmt: skip
        values = class_values(readings.classes, ordinal=readings.ordinal) if readings.ordinal else None
        grades, deviation = None, 1.0
        harsh = np.zeros(raters, dtype=bool)
        if values is not None:
            deviation = max(float(values[label].std()), 1e-9)
            given = values[label]
            least = self.min_grades * deviation
            grades, harsh = told_apart(
                lambda own: grade_leaning(unit[own], rater[own], given[own], units=len(counts), raters=raters),
                lambda found: enough & (found.q <= self.max_p) & (np.abs(found.own - found.others) >= least),
                unit, rater, kept, raters,
            )  # fmt: skip
            leans &= ~harsh[:, None]
        constant = constant_raters(unit, rater, label, counts, raters=raters, least=self.min_readings) <= self.max_p
        leans &= ~constant[:, None]
        fitted = dawid_skene(unit, rater, label, units=len(counts), raters=raters, classes=len(readings.classes))
        findings = [
            *self._poor(readings, test, fitted, poor, _against_two(readings)),
            *self._leaning(readings, leaning, leans),
            *([] if grades is None else self._grading(readings, grades, harsh)),
            *self._constant(readings, constant),
            *self._copies(readings, copies),
        ]
        table = rater_table(readings, test, fitted, enough, model_quality(dataset, readings))
        tables = [table, leaning_table(readings, leaning, leans), confusion_table(readings, fitted)]
        if copies:
            tables.append(copy_table(readings, copies))
        counted: dict[str, Cell] = {
            "raters": raters, "raters_judged": int(enough.sum()), "unreliable_raters": int(poor.sum()),
            "leaning_raters": int(leans.any(axis=1).sum()), "harsh_or_lenient_raters": int(harsh.sum()),
            "constant_raters": int(constant.sum()), "copying_pairs": len(copies),
        }  # fmt: skip
        return Verdict(
            summary=_summary(counted, self.min_lean),
            metrics=counted,
            findings=tuple(findings),
            tables=tuple(t for t in tables if t.length),
            charts=(
                Chart(
                    name="raters", title="Agreement of each reader with the others", kind="intervals", table=table,
                    label="rater", value="agreement", low="low", high="high",
                ),
            ),
            coverage=Coverage(
                evaluated=int(enough.sum()), total=raters, unit="raters",
                reason="" if enough.all() else f"fewer than {self.min_readings} readings shared with others",
            ),
        )  # fmt: skip

    def _made(self, subject: str, message: str, score: float, evidence: dict[str, Cell]) -> Finding:
        return Finding(
            code=self.code, severity=self.severity, where=Location(), subject=subject, message=message, score=score,
            evidence=evidence,
        )  # fmt: skip

    def _poor(self, readings: Readings, test: RaterTest, fitted: DawidSkene, poor: Flags, alone: Flags) -> list[Finding]:
        order = [int(r) for r in np.argsort(-np.nan_to_num(test.deficit), kind="stable") if poor[r]]
        return [
            self._made(
                f"unreliable {readings.raters[r]}",
                f"rater {readings.raters[r]} is right in {fitted.accuracy[r]:.0%} of the records (Dawid-Skene) and agrees "
                f"with the others in {test.agreement[r]:.0%} of pairs where these agree in {test.others[r]:.0%} "
                f"(p = {test.q[r]:.1g} over all raters); {usual_mistake(readings, fitted, r)}: weigh these readings less"
                + (PAIR if alone[r] and test.others[r] >= ALIKE else ""),
                float(fitted.accuracy[r]),
                {"rater": str(readings.raters[r]), "readings": int(test.readings[r]), "q": float(test.q[r])},
            )
            for r in order[: self.max_findings]
        ]

    def _leaning(self, readings: Readings, leaning: Leaning, leans: Flags) -> list[Finding]:
        excess = np.where(leans, np.abs(leaning.own - leaning.others), 0)
        # One finding per rater: the class of the largest difference; the table has the others.
        worst = excess.argmax(axis=1)
        order = [int(r) for r in np.argsort(-excess.max(axis=1), kind="stable") if leans[r].any()]
        return [
            self._made(
                f"leaning {readings.raters[r]}",
                f"rater {readings.raters[r]} names {readings.classes[worst[r]]!r} in {leaning.own[r, worst[r]]:.0%} of the "
                f"records, the others in {leaning.others[r, worst[r]]:.0%} of the same records "
                f"(p = {leaning.q[r, worst[r]]:.1g} over all raters and classes): agree on what the class means",
                float(leaning.own[r, worst[r]] - leaning.others[r, worst[r]]),
                {
                    "rater": str(readings.raters[r]), "class": readings.classes[worst[r]],
                    "own_fraction": float(leaning.own[r, worst[r]]), "others_fraction": float(leaning.others[r, worst[r]]),
                },
            )
            for r in order[: self.max_findings]
        ]  # fmt: skip

    def _grading(self, readings: Readings, grades: Leaning, harsh: Flags) -> list[Finding]:
        difference = grades.own - grades.others
        order = [int(r) for r in np.argsort(-np.abs(difference), kind="stable") if harsh[r]]
        return [
            self._made(
                f"grades {readings.raters[r]}",
                f"rater {readings.raters[r]} grades {abs(difference[r]):.2f} {'higher' if difference[r] > 0 else 'lower'} "
                f"than the others on the same records (p = {grades.q[r]:.1g} over all raters): calibrate the grades together",
                float(difference[r]),
                {"rater": str(readings.raters[r]), "difference": float(difference[r]), "q": float(grades.q[r])},
            )
            for r in order[: self.max_findings]
        ]

    def _constant(self, readings: Readings, constant: Flags) -> list[Finding]:
        found = []
        for r in np.flatnonzero(constant)[: self.max_findings]:
            said = readings.classes[int(readings.label[readings.rater == r][0])]
            times = int((readings.rater == r).sum())
            found.append(
                self._made(
                    f"constant {readings.raters[r]}",
                    f"rater {readings.raters[r]} says {said!r} in all {times:,} readings, while the others vary on the same "
                    "records: leave these readings out until somebody has looked at them",
                    1.0,
                    {"rater": str(readings.raters[r]), "readings": times, "class": said},
                )
            )
        return found

    def _copies(self, readings: Readings, copies: list[Copy]) -> list[Finding]:
        ordered = sorted(copies, key=lambda c: (-c.matched, c.first, c.second))
        return [
            self._made(
                f"copies {readings.raters[c.first]} / {readings.raters[c.second]}",
                f"raters {readings.raters[c.first]} and {readings.raters[c.second]} share {c.matched:.0%} of their dissents "
                f"from the majority; {c.expected:.0%} are expected (p = {c.q:.1g} over all pairs): count a copy once",
                c.matched,
                {"rater_a": str(readings.raters[c.first]), "rater_b": str(readings.raters[c.second]), "dissents": c.dissents},
            )
            for c in ordered[: self.max_findings]
        ]


def _against_two(readings: Readings) -> Flags:
    """Readers none of whose records had more than three readings: against two others, copies are the majority."""
    most = np.zeros(len(readings.raters))
    np.maximum.at(most, readings.rater, readings.counts.sum(axis=1)[readings.unit])
    return most <= 3


def _summary(counted: dict[str, Cell], min_lean: float) -> str:
    names = {
        "unreliable_raters": "are often wrong", "leaning_raters": "lean to a class",
        "harsh_or_lenient_raters": "grade harshly or mildly", "constant_raters": "never vary",
    }  # fmt: skip
    parts = [f"{counted[key]} {words}" for key, words in names.items() if counted[key]]
    if counted["copying_pairs"]:
        parts.append(f"{counted['copying_pairs']} pairs dissent together")
    judged = f"of {counted['raters_judged']} raters judged"
    if not parts:
        return f"None {judged} leans to a class by {min_lean:.0%} or more, stands apart, copies, or never varies."
    return f"{judged.capitalize()}, {'; '.join(parts)}."
