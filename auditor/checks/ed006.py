"""ED006: the released label is not what the readers say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.labels.fraction import fraction
from auditor.evidence.raters.consensus import Consensus, consensus
from auditor.evidence.raters.readings import Readings, collect_readings, finding_sets
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from auditor.values.results import Cell, Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class LabelAgainstConsensus(Check):
    """The released label is not what the readers say.

    ## What it does

    Compares the released label of every record with its readings. Where `min_raters` readers or more agree unanimously on
    another label, it is an error. Where they do not all agree but their consensus (by the method that `medaudit consensus`
    chooses, mostly the model of Dawid and Skene) is surer than `min_confidence`, it is a warning. Of sets of findings, every
    finding that both the label and the readings speak about is compared on its own. Grades that lie within `max_grades`
    are the same.

    ## Why is this bad?

    Either the label was copied wrongly, or somebody overruled all readers and did not say so. A model that reads the image as
    well as the readers do counts as wrong on such a record.

    ## How to fix

    Look the record up: a mix-up of files, a shifted column, or a later diagnosis (biopsy, follow-up). Correct the label, or
    write down what the released label rests on. `medaudit consensus` gives the consensus of all records.

    ## Options

    * `min_raters`: so many readings of a record are needed (2).
    * `min_confidence`: surer than this, a consensus that is not unanimous is reported (.9).
    * `max_grades`: grades may differ by so many (0).
    * `max_findings`: so many records are listed as findings (50); the table has them all.

    ## References

    * Northcutt, Athalye & Mueller: Pervasive label errors in test sets destabilize benchmarks. NeurIPS 2021.
    """

    code: ClassVar[str] = "ED006"
    name: ClassVar[str] = "label-against-consensus"
    severity: ClassVar[Severity] = Severity.ERROR

    min_raters: int = 2
    min_confidence: float = 0.9
    max_grades: int = 0
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Compare; raises SkipCheck without readings, without a released label, or where both use other names."""
        readings = collect_readings(dataset)
        labels = dataset.labels
        if labels.task not in ("single", "ordinal", "multi"):
            raise SkipCheck("there is no released label to compare the readings with")
        rows = (
            self._several(dataset, readings) if labels.task == "multi" or readings.several else self._single(dataset, readings)
        )
        judged, differs, unanimous, released, said, confidence, twice = rows
        place = np.flatnonzero(differs & (unanimous | (confidence >= self.min_confidence)))
        order = place[np.lexsort((-confidence[place], ~unanimous[place]))]
        names = [str(readings.records[u]) for u in order]
        n = readings.counts.sum(axis=1).astype(np.int64)
        findings = []
        hidden = len(order) - self.max_findings
        for rank, u in enumerate(order[: self.max_findings]):
            more = f" ({hidden:,} more such records are in the table)" if rank == 0 and hidden > 0 else ""
            who = f"all {n[u]} readers say" if unanimous[u] else f"the consensus of {n[u]} readers is"
            sure = "" if unanimous[u] else f" (confidence {confidence[u]:.0%})"
            evidence: dict[str, Cell] = {"readings": int(n[u]), "released": released[u], "consensus": said[u]}
            findings.append(
                Finding(
                    code=self.code, severity=Severity.ERROR if unanimous[u] else Severity.WARNING,
                    where=Location(record=names[rank], field=labels.origin or None), score=float(confidence[u]),
                    message=f"released as {released[u]!r}, but {who} {said[u]!r}{sure}: look the record up{more}",
                    evidence=evidence,
                )
            )  # fmt: skip
        against = fraction(differs[judged], readings.cluster[judged])
        errors = int((differs & unanimous).sum())
        table = Table(
            name="against", title="Released labels against the readers",
            columns=(
                Column(name="record", kind="record", values=names, title="Record"),
                Column(name="released", kind="class", values=[released[u] for u in order], title="Released label"),
                Column(name="consensus", kind="class", values=[said[u] for u in order], title="Readers"),
                Column(name="readings", kind="integer", values=n[order].tolist(), title="Readings"),
                Column(name="confidence", kind="fraction", values=confidence[order].clip(0, 1).tolist(), title="Confidence"),
                Column(name="unanimous", kind="boolean", values=unanimous[order].tolist(), title="Unanimous"),
            ),
        )  # fmt: skip
        matrix = _matrix([released[u] for u in order], [said[u] for u in order])
        return Verdict(
            summary=(
                f"{errors:,} released labels differ from unanimous readers, {len(order) - errors:,} from a consensus surer "
                f"than {self.min_confidence:.0%}; {int(judged.sum()):,} records were compared."
            ),
            metrics={
                "records_compared": int(judged.sum()), "against_unanimous": errors, "against_consensus": len(order) - errors,
                "different_fraction": against.value, "different_fraction_low": against.low,
                "different_fraction_high": against.high,
            },
            findings=tuple(findings),
            tables=(table, matrix),
            charts=(
                Chart(
                    name="released_against_read", title="Released label against the readers", kind="matrix", table=matrix,
                    label="released", group="consensus", value="records",
                ),
            )
            if matrix.length
            else (),
            coverage=Coverage(
                evaluated=int(judged.sum()), total=len(readings.records),
                reason="" if judged.all() else f"{twice} fewer than {self.min_raters} readings, or no released label",
            ),
        )  # fmt: skip

    def _single(
        self, dataset: Dataset, readings: Readings
    ) -> tuple[Flags, Flags, Flags, list[str], list[str], npt.NDArray[np.float64], str]:
        truth = dataset.labels.values.reindex(readings.records)
        if not set(readings.classes) & set(dataset.labels.classes):
            raise SkipCheck("released labels and readings use different names: none of the classes is the same")
        found = _decided(readings, readings.label, len(readings.classes))
        named = np.array(readings.classes, dtype=object)[found.label]
        enough = readings.counts.sum(axis=1) >= self.min_raters
        judged = enough & truth.notna().to_numpy()
        differs = judged & (truth.to_numpy(dtype=object) != named)
        if self.max_grades and dataset.labels.task == "ordinal":
            order = pd.Index(dataset.labels.classes)
            apart = np.abs(order.get_indexer(pd.Index(truth.fillna(""))) - order.get_indexer(pd.Index(named)))
            differs &= apart > self.max_grades
        # A model of the readers may doubt them all: then nothing is unanimous that the released label could contradict.
        unanimous = ((readings.counts > 0).sum(axis=1) == 1) & (readings.counts.argmax(axis=1) == found.label)
        released = [str(v) for v in truth.to_numpy(dtype=object)]
        return judged, differs, unanimous, released, [str(v) for v in named], found.confidence, "read by"

    def _several(
        self, dataset: Dataset, readings: Readings
    ) -> tuple[Flags, Flags, Flags, list[str], list[str], npt.NDArray[np.float64], str]:
        """Finding by finding: a record differs where one finding does; it is unanimous where one that differs is."""
        names, members = finding_sets(readings.classes)
        states = _states(dataset)
        common = [name for name in names if name in states.columns]
        if not common:
            raise SkipCheck("released labels and readings use different names: none of the findings is the same")
        given = states.reindex(readings.records)
        size = len(readings.records)
        enough = readings.counts.sum(axis=1) >= self.min_raters
        differs, unanimous, judged = (np.zeros(size, dtype=bool) for _ in range(3))
        confidence = np.zeros(size)
        released: list[list[str]] = [[] for _ in range(size)]
        said: list[list[str]] = [[] for _ in range(size)]
        for name in common:
            label = members[readings.label, names.index(name)].astype(np.int64)
            found = _decided(readings, label, 2)
            state = given[name].to_numpy(dtype=np.float64)
            known = enough & ((state == State.POSITIVE) | (state == State.NEGATIVE))
            named = np.bincount(readings.unit, label, minlength=size)
            whole = named / np.maximum(readings.counts.sum(axis=1), 1) == found.label
            apart = known & (found.label != (state == State.POSITIVE))
            judged |= known
            new = apart & (whole & ~unanimous | (whole == unanimous) & (found.confidence > confidence))
            confidence = np.where(new, found.confidence, confidence)
            unanimous |= apart & whole
            differs |= apart
            for u in np.flatnonzero(apart):
                released[u].append(name if state[u] == State.POSITIVE else f"no {name}")
                said[u].append(name if found.label[u] == 1 else f"no {name}")
        joined = [", ".join(v) for v in released], [", ".join(v) for v in said]
        return judged, differs, unanimous, *joined, confidence, "read by"


def _states(dataset: Dataset) -> pd.DataFrame:
    """Released findings: `State` per record and class."""
    if dataset.labels.states is not None:
        return dataset.labels.states
    frame = {
        name: np.where(dataset.labels.values.isna(), State.NOT_ASSESSED, (dataset.labels.values == name).to_numpy(dtype=int))
        for name in dataset.labels.classes
    }
    return pd.DataFrame(frame, index=dataset.records.index)


def _decided(readings: Readings, label: npt.NDArray[np.int64], classes: int) -> Consensus:
    return consensus(
        readings.unit, readings.rater, label, units=len(readings.records), raters=len(readings.raters), classes=classes
    )


def _matrix(released: list[str], said: list[str]) -> Table:
    counted = Counter(zip(released, said, strict=True))
    pairs = [(a, b, k) for (a, b), k in sorted(counted.items())]
    return Table(
        name="pairs", title="Released label against the readers",
        columns=(
            Column(name="released", kind="class", values=[a for a, _, _ in pairs], title="Released"),
            Column(name="consensus", kind="class", values=[b for _, b, _ in pairs], title="Readers"),
            Column(name="records", kind="integer", values=[k for *_, k in pairs], title="Records"),
        ),
    )  # fmt: skip
