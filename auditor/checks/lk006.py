"""LK006: what lies outside the body, or around the middle, gives the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.feature import feature_needs
from auditor.features.zones import COLUMNS as CELLS
from auditor.features.zones import SIDE
from auditor.features.zones import depth as depth_of
from auditor.statistics.derived import ask_about, drawn, sure_of
from auditor.statistics.multiplicity import holm
from auditor.statistics.question import Question
from auditor.statistics.targets import rows_of, subset, sufficient
from auditor.statistics.told import coverage_of, independence_note, intervals_chart
from auditor.statistics.zonal import Reached, reach
from auditor.values.dataset import Dataset
from auditor.values.fields import Field
from auditor.values.results import Chart, Column, Finding, Location, Severity, Table, Verdict

_WHOLE = "whole picture"
_BORDER = "border"
_AROUND = "centre masked"
_OUTSIDE = "outside the body"
_BORDER_CELLS = 2
_AROUND_CELLS = 4
_MARKS = "outside.area_fraction"

_SAYS = {
    _BORDER: "the border alone (the outer seventh on every side)",
    _AROUND: "the picture with its middle blacked out (the inner three sevenths of either side)",
    _OUTSIDE: "what lies outside the body alone (background, markers, labels)",
}
_REMEDY = {
    _BORDER: "crop to the region of interest in all records alike (what stands at the border is lost)",
    _AROUND: "crop or mask to the organ in all records alike (signs outside it are lost)",
    _OUTSIDE: "black out everything outside the body in all records alike (side markers are lost)",
}


@dataclass(frozen=True, kw_only=True)
class _Zone:
    """One part of the picture: its columns, the records that have it, and what it reaches for each class."""

    name: str
    columns: int
    records: int
    names: tuple[str, ...]
    reached: Sequence[Reached]


@dataclass(frozen=True, kw_only=True)
class OutsideBody(Check):
    """What lies outside the body, or around the middle, gives the class.

    ## What it does

    Trains the same small probe on four inputs, in folds that never part a patient: the whole picture (its brightness on a
    14 × 14 grid), the picture with its middle blacked out, its border alone (the outer seventh), and what lies outside a body
    mask (brightness and marks in the four quarters; Otsu's threshold, the largest object is the body; only pictures that have
    such an outside). Reports the class that each part tells best, with the AUC of the whole picture beside it, when the test
    (patients and images exchanged, Holm over parts and classes) is significant and the AUC is at least `min_auc`.

    ## Why is this bad?

    Where the border says as much as the whole picture, a model need never look at the organ: with the lungs blacked out, nets
    told COVID-19 as well as before. Markers, collimation, padding, cropping and rulers do that. So may posture, body size
    and bedside equipment, which go with disease for honest reasons. No test on pixels can tell which: this warns, shows,
    and never blocks.

    ## How to fix

    Look at the borders of both classes. Crop or mask all records alike to the region of interest (what is outside is lost),
    balance or match what differs between the classes (the prevalence changes), collect the missing combinations, or waive the
    finding with a reason. Report a border-only model beside the result either way.

    ## Options

    * `min_auc` (0.70): smallest AUC of a part that is reported.
    * `max_p` (0.05): largest p-value after correction for all parts and classes.
    * `max_records` (8000): whole patients up to about this many records are used.
    * `min_records` (20), `min_patients` (10): what a class needs, on either side.
    * `folds` (5), `seed` (0).

    ## References

    Maguolo & Nanni 2021, Information Fusion 76:1 (lungs blacked out). DeGrave et al. 2021, Nature Machine Intelligence 3:610.
    Otsu 1979, IEEE SMC 9:62. Nadeau & Bengio 2003, Machine Learning 52:239.
    """

    code: ClassVar[str] = "LK006"
    name: ClassVar[str] = "outside-body"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = feature_needs("outside", "zones")

    min_auc: float = 0.70
    max_p: float = 0.05
    max_records: int = 8000
    min_records: int = 20
    min_patients: int = 10
    folds: int = 5
    seed: int = 0

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every part. Raises SkipCheck: no label, one class, no picture read, too few records."""
        cells = [f"zones.{name}" for name in CELLS]
        whole_set, dataset = dataset, drawn(dataset, records=self.max_records, seed=self.seed, needs=self.needs)
        if dataset.labels.task != "none" and not set(cells) <= set(dataset.features.columns):
            raise SkipCheck("there are no pixel features: no image was read")
        question = self._question(dataset, cells)
        rows = np.flatnonzero(question.targets.known.any(axis=1))
        zones = self._zones(dataset, question, rows, cells)
        whole = {one.target: one.auc for one in zones[0].reached}
        parts = [(zone, one) for zone in zones[1:] for one in zone.reached]
        adjusted = holm(np.array([one.p for _, one in parts]))
        told: dict[str, tuple[_Zone, Reached, float]] = {}
        for (zone, one), p in zip(parts, adjusted, strict=True):
            better = zone.name not in told or one.auc > told[zone.name][1].auc
            if p <= self.max_p and one.auc >= self.min_auc and one.low > 0.5 and better:
                told[zone.name] = (zone, one, float(p))
        table = _zones_table(zones, adjusted)
        unseen = dataset.size - question.labelled
        reasons = [f"{unseen:,} records have no pixels or no label"] if unseen else []
        return Verdict(
            summary=self._summary(zones, told, whole, question),
            metrics={
                "parts_tested": len(zones) - 1,
                "parts_told": len(told),
                **{f"{zone.name.replace(' ', '_')}_auc": _best(zone) for zone in zones},
                "records_used": len(rows),
                "rows_assumed_independent": question.clusters.independent,
            },
            findings=tuple(self._finding(*entry, whole, question, len(parts)) for entry in told.values()),
            tables=(table,),
            charts=(self._chart(zones),),
            coverage=coverage_of(whole_set, question, reasons),
        )

    def _question(self, dataset: Dataset, cells: Sequence[str]) -> Question:
        frame = pd.DataFrame({_MARKS: np.zeros(dataset.size)}, index=dataset.records.index)
        if dataset.labels.task == "none":
            seen = np.zeros(dataset.size, np.bool_)
        else:
            seen = np.isfinite(dataset.features[cells[0]].to_numpy(dtype=np.float32))
            if not seen.any():
                raise SkipCheck("there are no pixel features: no image was read")
        fields = {_MARKS: Field(name=_MARKS, kind="acquisition", survives_decoding=True)}
        return ask_about(dataset, frame, fields, cases=self.min_records, holders=self.min_patients, seen=seen, pixels=True)

    def _zones(
        self, dataset: Dataset, question: Question, rows: npt.NDArray[np.int64], cells: Sequence[str]
    ) -> tuple[_Zone, ...]:
        """The whole picture first."""
        grid = dataset.features[list(cells)].to_numpy(dtype=np.float32)[rows]
        depth = np.array([depth_of(name) for name in CELLS])
        zones = [
            self._zone(name, grid[:, depth < most], question, rows)
            for name, most in ((_WHOLE, SIDE), (_AROUND, _AROUND_CELLS), (_BORDER, _BORDER_CELLS))
        ]
        marks = [c for c in dataset.features.columns if str(c).startswith("outside.") and c != _MARKS]
        if marks:
            values = dataset.features[marks].to_numpy(dtype=np.float32)[rows]
            has = np.isfinite(values).any(axis=1)
            if has.any():
                zones.append(self._zone(_OUTSIDE, values[has], question, rows[has]))
        return tuple(zone for i, zone in enumerate(zones) if zone.reached or i == 0)

    def _zone(self, name: str, values: npt.NDArray[np.float32], question: Question, rows: npt.NDArray[np.int64]) -> _Zone:
        targets = rows_of(question.targets, rows)
        clusters = np.unique(question.clusters.index[rows], return_inverse=True)[1].astype(np.int64)
        enough = sufficient(targets, clusters, cases=self.min_records, holders=self.min_patients)
        kept = subset(targets, enough)
        reached = reach(values, kept, clusters, folds=self.folds, seed=self.seed) if enough.any() else ()
        place = np.flatnonzero(enough)
        reached = [Reached(target=int(place[one.target]), auc=one.auc, low=one.low, high=one.high, p=one.p) for one in reached]
        return _Zone(
            name=name, columns=values.shape[1], records=len(rows), names=question.targets.names, reached=tuple(reached)
        )

    def _finding(self, zone: _Zone, one: Reached, p: float, whole: dict[int, float], question: Question, tests: int) -> Finding:
        name = question.targets.names[one.target]
        beside = f", the whole picture {whole[one.target]:.2f}" if one.target in whole else ""
        message = (
            f"{_SAYS[zone.name]} tells {name} from the rest: AUC {one.auc:.2f} ({one.low:.2f}–{one.high:.2f}){beside}"
            f"{independence_note(question)}; anatomy or artefact, no test on pixels can tell: compare the classes by eye, then "
            f"{_REMEDY[zone.name]}, balance what differs (the prevalence changes), or waive it with a reason"
        )
        return Finding(
            code=self.code,
            severity=Severity.WARNING if sure_of(one.auc, one.target, question, tests) else Severity.INFO,
            message=message[0].upper() + message[1:],
            where=Location(),
            subject=zone.name,
            score=one.auc,
            evidence={
                "part": zone.name,
                "class": name,
                "auc": round(one.auc, 4),
                "low": round(one.low, 4),
                "high": round(one.high, 4),
                "p": p,
                "whole_auc": round(whole[one.target], 4) if one.target in whole else None,
                "records": zone.records,
                "patients": question.clusters.count if question.clusters.usable else None,
            },
        )

    def _summary(
        self,
        zones: Sequence[_Zone],
        told: dict[str, tuple[_Zone, Reached, float]],
        whole: dict[int, float],
        question: Question,
    ) -> str:
        note = question.clusters.sentence
        if not told:
            tested = ", ".join(f"{zone.name} {_best(zone) or 0.5:.2f}" for zone in zones)
            return (
                f"No part of the picture outside its middle tells a class (best AUC: {tested}; gate {self.min_auc:.2f}).{note}"
            )
        zone, one, _ = max(told.values(), key=lambda entry: entry[1].auc)
        text = f"{_SAYS[zone.name]} tells {question.targets.names[one.target]} from the rest: AUC {one.auc:.2f}"
        return f"{text[0].upper()}{text[1:]}, the whole picture {whole.get(one.target, 0.5):.2f}.{note}"

    def _chart(self, zones: Sequence[_Zone]) -> Chart:
        """The class that any part tells best, part by part."""
        best = max((one for zone in zones for one in zone.reached), key=lambda one: one.auc, default=None)
        rows = [(zone, one) for zone in zones for one in zone.reached if best is not None and one.target == best.target]
        name = zones[0].names[best.target] if best is not None else ""
        table = Table(
            name="parts",
            title=f"What each part of the picture reaches for {name}",
            columns=(
                Column(name="part", kind="text", title="Part", values=[zone.name for zone, _ in rows]),
                Column(name="auc", kind="fraction", title="AUC", values=[one.auc for _, one in rows]),
                Column(name="low", kind="fraction", title="from", values=[one.low for _, one in rows]),
                Column(name="high", kind="fraction", title="to", values=[one.high for _, one in rows]),
            ),
        )
        return intervals_chart(
            table,
            {"warning": self.min_auc},
            title=f"How well each part of the picture tells {name} (AUC, 95 % interval)",
            name="parts",
            label="part",
        )


def _best(zone: _Zone) -> float | None:
    return round(max(one.auc for one in zone.reached), 4) if zone.reached else None


def _zones_table(zones: Sequence[_Zone], adjusted: npt.NDArray[np.float64]) -> Table:
    rows = [(zone, one) for zone in zones for one in zone.reached]
    p: list[float | None] = [None] * len(zones[0].reached)
    p += [float(value) for value in adjusted]
    return Table(
        name="zones",
        title="What each part of the picture reaches, by class",
        columns=(
            Column(name="part", kind="text", title="Part", values=[zone.name for zone, _ in rows]),
            Column(name="class", kind="class", title="Class", values=[zone.names[one.target] for zone, one in rows]),
            Column(name="auc", kind="fraction", title="AUC", values=[one.auc for _, one in rows]),
            Column(name="low", kind="fraction", title="from", values=[one.low for _, one in rows]),
            Column(name="high", kind="fraction", title="to", values=[one.high for _, one in rows]),
            Column(name="p", kind="number", title="p, adjusted", values=p),
            Column(name="records", kind="integer", title="Records", values=[zone.records for zone, _ in rows]),
        ),
    )
