"""LK004: a column repeats the label, or can only exist after the diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.leakage.column_check import ColumnCheck
from auditor.statistics.after_diagnosis import says_after, says_how, says_label
from auditor.statistics.contingency import contingency_table
from auditor.statistics.derived import Answer, Told, drawn
from auditor.statistics.question import label_columns
from auditor.statistics.told import contingency, coverage_of, evidence_of, figures_in_words, independence_note, intervals_chart
from auditor.values.dataset import Dataset
from auditor.values.fields import Field, describe, spoken
from auditor.values.results import Column, Finding, Severity, Table, Verdict

Suspicion = Literal["twin", "unsure", "source", "after", "filled", "stratum", ""]
_FILLED = "filled:"
_WORDS: dict[Suspicion, str] = {
    "twin": "repeats the label",
    "unsure": "may repeat the label",
    "source": "goes with the source",
    "after": "known only after the diagnosis",
    "filled": "filled in for one class",
    "stratum": "how the label was made",
    "": "",
}


@dataclass(frozen=True, kw_only=True)
class LabelTwin(ColumnCheck):
    """A column repeats the label, or can only exist after the diagnosis.

    ## What it does

    Looks at every column of the table that is not the label itself, in folds that never part a patient, and reports:

    * twins, whose values tell a class with an AUC of at least `twin_auc` (`benign_malignant` beside `target`) and an interval
      that begins at `twin_low` or above; in too few patients for that, a column only may be one;
    * columns whose name speaks of what follows a diagnosis (treatment, histology, stage, outcome, report) and that tell a
      class with `min_auc`;
    * columns that are filled in for one class (at least `filled_fraction` of its records) and hardly for the rest (at most
      `empty_fraction`).

    A column that parts the classes and says where records come from (paper, site, device) repeats no label: both classes come
    from different sources, which LK001 and LK007 warn of. Columns that say how the label was made (`dx_type`) are a stratum of
    the labels, not a leak: they are listed, never reported. So are columns that `[design] strata` declares.

    ## Why is this bad?

    Nobody has these columns when a new patient comes. A model or a selection that uses them looks perfect and cannot be used.
    Twins also hide in tables that are joined later, and give wrong importance to whatever stands beside them. A twin that
    no model reads does no harm.

    ## How to fix

    Drop the column from the inputs, or say that no model reads it (`[design] inputs`): then it is information. If two columns
    are the same label in two codings, keep one, and let `[roles] label` name it. For columns filled in for one class only,
    collect the missing values, or drop the column (what it holds is lost for both classes). Or waive with a reason.

    ## Options

    * `twin_auc` (0.98), `twin_low` (0.9): from this AUC, and this lower end of its interval, on a column repeats the label.
    * `min_auc` (0.60), `max_q` (0.05): when a column known only after the diagnosis tells a class.
    * `filled_fraction` (0.8), `empty_fraction` (0.05): when a column is filled in for one class.
    * `min_records` (10), `min_patients` (3): what a class needs, on either side.
    * `max_records` (100000): whole patients up to about this many records are used.
    * `draws` (2000), `test_records` (30000), `folds` (5), `seed` (0): as in LK001.

    ## References

    Kaufman et al. 2012, ACM TKDD 6:15 (leakage in data mining). Kapoor & Narayanan 2023, Patterns 4:100804. Tschandl et al.
    2018, Scientific Data 5:180161 (`dx_type`).
    """

    code: ClassVar[str] = "LK004"
    name: ClassVar[str] = "label-twin"
    severity: ClassVar[Severity] = Severity.WARNING

    twin_auc: float = 0.98
    twin_low: float = 0.9
    filled_fraction: float = 0.8
    empty_fraction: float = 0.05
    max_records: int = 100_000

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every column. Raises SkipCheck: no label, one class, no further column in the table."""
        whole, dataset = dataset, drawn(dataset, records=self.max_records, seed=self.seed)
        strata = {name for s in dataset.design.strata for name in (s, f"table.{s}")}
        source = label_columns(dataset)
        names = [str(n) for n in dataset.metadata.columns if str(n).startswith(("table.", "name."))]
        strata_like = [n for n in names if n not in source and (n in strata or says_how(n))]
        names = [n for n in names if n not in source and n not in strata_like]
        if dataset.labels.task != "none" and not names:
            raise SkipCheck("the table has no column beside the label and the roles")
        frame = pd.DataFrame({name: dataset.metadata[name] for name in names}, index=dataset.records.index)
        for name in names:
            empty = frame[name].isna().to_numpy()
            if 0 < empty.sum() < len(empty):
                frame[_FILLED + name] = (~empty).astype(np.float64)
        known = {str(name): dataset.fields.get(name) or describe(name) for name in names}
        fields = {str(n): known.get(str(n)) or Field(name=str(n), kind="clinical") for n in frame.columns}
        found = self.answered(dataset, frame, fields)
        question = found.question
        suspicions = {row.name: self._suspicion(found, row, fields[row.name]) for row in found.rows}
        # Where being filled in is all that tells, that is the reason to give; else the column itself.
        filled = {row.name.removeprefix(_FILLED) for row in found.rows if suspicions[row.name] == "filled"}
        told = [row for row in found.told if suspicions[row.name] and row.name not in filled]
        findings = tuple(self._finding(found, row, suspicions[row.name], known[row.name.removeprefix(_FILLED)]) for row in told)
        shown = [contingency(found, row, fields[row.name]) for row in told]
        table = _table(found, suspicions, strata_like)
        note = question.clusters.sentence
        aside = f" {len(strata_like)} say how the label was made or are declared strata." if strata_like else ""
        summary = (
            f"{findings[0].message.split(';')[0]}. {len(findings)} such columns."
            if findings
            else f"None of {len(names)} columns repeats the label or speaks of what follows the diagnosis."
        )
        return Verdict(
            summary=f"{summary}{aside}{note}",
            metrics={
                "columns_tested": len(names),
                "columns_reported": len(findings),
                "label_strata": len(strata_like),
                "rows_assumed_independent": question.clusters.independent,
            },
            findings=findings,
            tables=(table, contingency_table(shown)) if shown else (table,),
            charts=(intervals_chart(table, {"warning": self.min_auc}, label="field",
                                    title="How well each column tells its best class (AUC, 95 % interval)"),),
            coverage=coverage_of(whole, question),
        )  # fmt: skip

    def _suspicion(self, found: Answer, row: Told, field: Field) -> Suspicion:
        if not row.told:
            return ""
        if row.name.startswith(_FILLED):
            target = row.measured.target
            positive, known = found.question.targets.positive[:, target], found.question.targets.known[:, target]
            # Codes of 0 and 1 in their order: the larger is "filled in".
            filled = row.measured.coded.codes == 1
            shares = float(filled[positive].mean()), float(filled[known & ~positive].mean())
            return "filled" if max(shares) >= self.filled_fraction and min(shares) <= self.empty_fraction else ""
        if row.measured.auc >= self.twin_auc:
            if field.kind != "clinical" and not says_label(row.name):
                return "source"
            return "twin" if row.low >= self.twin_low else "unsure"
        return "after" if says_after(row.name) else ""

    def _finding(self, found: Answer, row: Told, suspicion: Suspicion, field: Field) -> Finding:
        name = found.target(row)
        column = field.name.partition(".")[2] or field.name
        if suspicion == "twin":
            message = f"column {column} repeats the label; it {figures_in_words(found, row)}"
            remedy = "drop it from the inputs; if it is the label in another coding, name the one to use under [roles] label"
        elif suspicion == "unsure":
            message = f"column {column} may repeat the label, or only so few records make it seem so; it "
            message += figures_in_words(found, row)
            remedy = (
                "drop it from the inputs if it is the label in another coding; if it says where records come from, collect "
            )
            remedy += "both classes from each source"
        elif suspicion == "source":
            message = f"column {column} parts the classes, which come from different sources or machines; it "
            message += figures_in_words(found, row)
            remedy = "collect both classes from each of them, or test on one that training never saw"
        elif suspicion == "after":
            message = f"column {column} is by its name known only after the diagnosis, and {figures_in_words(found, row)}"
            remedy = "drop it from the inputs: nobody has it when a new patient comes"
        else:
            target = row.measured.target
            positive = found.question.targets.positive[:, target]
            side = name if float((row.measured.coded.codes[positive] == 1).mean()) >= 0.5 else f"all but {name}"
            message = (
                f"column {column} is filled in for {side} and hardly for the rest: that alone {figures_in_words(found, row)}"
            )
            remedy = "collect the missing values, or drop the column from the inputs (what it holds is lost for all)"
        read = field.is_input
        message += independence_note(found.question)
        message += f"; {remedy}, or waive it with a reason" if read else "; not an input"
        return self.finding_of(
            row,
            message,
            {"suspicion": _WORDS[suspicion], **evidence_of(found, row)},
            # Sources are LK001's and LK007's to warn of.
            severity=Severity.WARNING if read and suspicion != "source" else Severity.INFO,
            field=field.name,
            subject=suspicion,
        )


def _table(found: Answer, suspicions: dict[str, Suspicion], strata: list[str]) -> Table:
    rows = found.rows
    blank: list[float | None] = [None] * len(strata)
    return Table(
        name="columns",
        title="Every column of the table beside the label",
        columns=(
            Column(name="field", kind="text", title="Field",
                   values=[f"{spoken(r.name.removeprefix(_FILLED))} filled in" if r.name.startswith(_FILLED) else r.name
                           for r in rows] + strata),
            Column(name="class", kind="class", title="Class told best",
                   values=[found.target(row) for row in rows] + [None] * len(strata)),
            Column(name="auc", kind="fraction", title="AUC", values=[*[row.measured.auc for row in rows], *blank]),
            Column(name="low", kind="fraction", title="from", values=[*[row.low for row in rows], *blank]),
            Column(name="high", kind="fraction", title="to", values=[*[row.high for row in rows], *blank]),
            Column(name="q", kind="number", title="q", values=[*[row.measured.q for row in rows], *blank]),
            Column(name="verdict", kind="text", title="Verdict",
                   values=[_WORDS[suspicions[row.name]] or "passed" for row in rows] + [_WORDS["stratum"]] * len(strata)),
        ),
    )  # fmt: skip
