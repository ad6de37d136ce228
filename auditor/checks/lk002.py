"""LK002: the label can be told from all metadata together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from auditor.check import Check, SkipCheck
from auditor.evidence.leakage.together import ClassModel, Sample, bytes_follow, classes_to_model, draw_sample, model_of
from auditor.statistics.clusters import draw_patients
from auditor.statistics.derived import allowing, sure_of
from auditor.statistics.question import Question, ask
from auditor.statistics.told import intervals_chart
from auditor.values.dataset import Dataset
from auditor.values.fields import BYTES, follows_picture, spoken
from auditor.values.results import Cell, Column, Coverage, Finding, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class MetadataModel(Check):
    """The label can be told from all metadata together.

    ## What it does

    Trains boosted trees on all encoding, acquisition and provenance fields at once, in folds that never part a patient, for the
    classes that single fields or pairs of fields tell best. Pairs that interact (as in XOR, where neither field alone says
    anything) are screened for in each training part and given to the trees as further columns. Reports the out-of-fold AUC
    with an interval over patients beside that of the best single field, and the fields whose shuffling costs most. The
    p-value exchanges patients and images within patients, allows for the folds' common training data, and is multiplied by
    the number of classes. Clinical fields, and columns that no model reads, take no part. Of columns that `[design] strata`
    declares, cases are compared with others of their own stratum only: what the design explains is no leak. The size of files
    follows what they show where no way of writing varies and no loss is hidden: there it takes no part beside two other
    fields, and beside one or none it is information.

    ## Why is this bad?

    Several harmless-looking fields can identify a hospital, a device or a conversion together, and so the class. What a
    small model can read from the headers, a network can often read from the pixels.

    ## How to fix

    Look at the culprits first: harmonise encoding fields, balance or match acquisition and provenance fields, or collect the
    missing combinations. Train and test across sites, so that the shortcut earns nothing.

    ## Options

    * `min_auc` (0.60): smallest AUC that is reported.
    * `max_p` (0.05): largest p-value, after correction for the number of classes.
    * `max_classes` (3): classes that are modelled, those told best first.
    * `max_records` (15000): whole patients up to about this many records are used.
    * `min_records` (20), `min_patients` (10): what a class needs, on either side.
    * `folds` (5), `seed` (0).

    ## References

    Ke et al. 2017, NeurIPS (gradient boosting on histograms). Nadeau & Bengio 2003, Machine Learning 52:239.
    Breiman 2001, Machine Learning 45:5 (permutation importance). Obuchowski 1997, Biometrics 53:567.
    """

    code: ClassVar[str] = "LK002"
    name: ClassVar[str] = "metadata-model"
    severity: ClassVar[Severity] = Severity.WARNING

    min_auc: float = 0.60
    max_p: float = 0.05
    max_classes: int = 3
    max_records: int = 15_000
    min_records: int = 20
    min_patients: int = 10
    folds: int = 5
    seed: int = 0

    def run(self, dataset: Dataset) -> Verdict:
        """Judge all fields together. Raises SkipCheck: no label, one class, too few records, fewer than two fields."""
        question = ask(
            dataset,
            wanted=lambda f: f.kind != "clinical" and (f.is_input or f.survives_decoding),
            cases=self.min_records,
            holders=self.min_patients,
        )
        rows = draw_patients(question.clusters, question.targets, records=self.max_records, rare=200, seed=self.seed)
        constant = _all_constant(dataset, question)
        if constant:
            return constant
        sample = draw_sample(dataset, question, rows, folds=self.folds, seed=self.seed)
        models = (
            model_of(sample, target, folds=self.folds, seed=self.seed, tells=self._tells)
            for target in classes_to_model(sample, self.max_classes)
        )
        found = [one for one in models if np.isfinite(one.combined.auc)]
        if not found:
            raise SkipCheck("no part of the data holds records with and without a class: nothing can be compared")
        sizes = [field for field in sample.coded if field.name in BYTES]
        alone = bool(sizes) and len(sample.coded) - len(sizes) < 2 and bytes_follow(dataset, question, sample.coded)
        findings = tuple(self._finding(one, sample, question, bytes_alone=alone) for one in found if self._is_told(one))
        table = _models_table(found, sample)
        tables = (table, *(_culprits_table(one, sample) for one in found[:1] if self._is_told(one)))
        best = max(found, key=lambda one: one.combined.auc)
        note = question.clusters.sentence
        name = sample.targets.names[best.target]
        verb = "tell" if findings else "do not tell"
        metrics: dict[str, Cell] = {
            "auc": round(best.combined.auc, 4),
            "low": round(best.low, 4),
            "high": round(best.high, 4),
            "best_single_auc": round(best.single_auc, 4),
            "p": best.p,
            "fields": len(sample.coded),
            "classes_modelled": len(found),
            "records_used": len(rows),
            "rows_assumed_independent": question.clusters.independent,
        }
        return Verdict(
            summary=f"{len(sample.coded)} metadata fields together {verb} {name} from the rest: AUC {best.combined.auc:.2f} "
            f"({best.low:.2f}–{best.high:.2f}), the best single field {best.single_auc:.2f}.{note}",
            metrics=metrics,
            findings=findings,
            tables=tables,
            charts=(
                intervals_chart(
                    table,
                    {"warning": self.min_auc},
                    title="All metadata together, by class (AUC, 95 % interval)",
                    name="models",
                    label="class",
                ),
            ),
            coverage=Coverage(
                evaluated=len(rows),
                total=dataset.size,
                reason="" if len(rows) == dataset.size else f"whole patients drawn up to {self.max_records:,} records",
            ),
        )

    def _is_told(self, one: ClassModel) -> bool:
        return self._tells(one.combined.auc, one.p)

    def _tells(self, auc: float, p: float) -> bool:
        return p <= self.max_p and auc >= self.min_auc

    def _finding(self, one: ClassModel, sample: Sample, question: Question, *, bytes_alone: bool) -> Finding:
        """What one class is told by.

        Args:
            bytes_alone: hardly anything but the size of the files varies, which follows what they show.
        """
        name = sample.targets.names[one.target]
        culprits = [spoken(sample.coded[f].name) for f, _ in _culprits(one)[:3]]
        message = (
            f"{len(sample.coded)} metadata fields together tell {name} from the rest: AUC {one.combined.auc:.2f} "
            f"({one.low:.2f}–{one.high:.2f}), the best single field {one.single_auc:.2f}"
        )
        if culprits:
            message += f"; most of it comes from {', '.join(culprits)}"
        if one.combined.pairs and one.combined.auc > one.single_auc + 0.02:
            first, second, _ = one.combined.pairs[0]
            message += f"; {spoken(sample.coded[first].name)} and {spoken(sample.coded[second].name)} act together"
        if sample.strata is not None:
            message += "; within the declared strata"
        if not question.clusters.usable:
            message += f"; {question.clusters.note}"
        if bytes_alone:
            message += "; all files are written alike, so their size follows what is shown: for information"
        else:
            message += "; harmonise or balance these fields before training, and test across their values"
        if any(follows_picture(field.name) for field in sample.coded):
            question = replace(question, clusters=allowing(question.clusters))
        sure = sure_of(one.combined.auc, one.target, question, len(sample.targets.names))
        return Finding(
            code=self.code,
            severity=Severity.WARNING if sure and not bytes_alone else Severity.INFO,
            message=message,
            subject=name,
            score=one.combined.auc,
            evidence={
                "class": name,
                "auc": round(one.combined.auc, 4),
                "low": round(one.low, 4),
                "high": round(one.high, 4),
                "p": one.p,
                "best_single_auc": round(one.single_auc, 4),
                "best_single_field": sample.coded[one.single].name,
                "culprits": ", ".join(sample.coded[f].name for f, _ in _culprits(one)[:5]),
                "interacting": "; ".join(
                    f"{sample.coded[a].name} × {sample.coded[b].name}" for a, b, _ in one.combined.pairs[:3]
                ),
            },
        )


def _all_constant(dataset: Dataset, question: Question) -> Verdict | None:
    """The verdict where every field holds one value: together, too, they tell nothing. None where one varies, or none is there.

    So files that were written alike answer the question, which is not left open.
    """
    declared = {name for stratum in question.stratum_names for name in (stratum, f"table.{stratum}")}
    names = [field.name for field in question.fields if field.name not in declared]
    if any(dataset.metadata[name].nunique(dropna=False) > 1 for name in names) or not names:
        return None
    return Verdict(
        summary=f"All {len(names):,} metadata fields hold one value: together they tell no class",
        metrics={"fields": 0, "fields_constant": len(names), "rows_assumed_independent": question.clusters.independent},
        coverage=Coverage(evaluated=question.labelled, total=dataset.size),
    )


def _culprits(one: ClassModel) -> list[tuple[int, float]]:
    """Fields by the AUC that shuffling them costs, those that cost at least .005."""
    order = np.argsort(-one.combined.importance, kind="stable")
    return [(int(f), float(one.combined.importance[f])) for f in order if one.combined.importance[f] >= 0.005]


def _models_table(found: Sequence[ClassModel], sample: Sample) -> Table:
    return Table(
        name="models",
        title="All metadata together, by class",
        columns=(
            Column(name="class", kind="class", title="Class", values=[sample.targets.names[one.target] for one in found]),
            Column(name="auc", kind="fraction", title="AUC", values=[one.combined.auc for one in found]),
            Column(name="low", kind="fraction", title="from", values=[one.low for one in found]),
            Column(name="high", kind="fraction", title="to", values=[one.high for one in found]),
            Column(name="p", kind="number", title="p", values=[one.p for one in found]),
            Column(
                name="best_single_auc", kind="fraction", title="Best single field", values=[one.single_auc for one in found]
            ),
            Column(name="best_single", kind="text", title="which is", values=[sample.coded[one.single].name for one in found]),
        ),
    )


def _culprits_table(one: ClassModel, sample: Sample) -> Table:
    rows = _culprits(one)
    return Table(
        name="culprits",
        title=f"What tells {sample.targets.names[one.target]}: AUC lost when a field is shuffled",
        columns=(
            Column(name="field", kind="text", title="Field", values=[sample.coded[f].name for f, _ in rows]),
            Column(name="auc_loss", kind="number", title="AUC lost", values=[loss for _, loss in rows]),
        ),
    )
