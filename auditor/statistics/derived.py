"""Columns that a check makes itself (pixel properties, words of a path, dates): asked like the metadata, shown like them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.statistics.clusters import clusters_of, draw_patients
from auditor.statistics.contingency import Contingency, contingency_of
from auditor.statistics.guessed import patients_of
from auditor.statistics.intervals import detectable_auc
from auditor.statistics.question import Question, ask
from auditor.statistics.screening import Measured, Screening, closer_interval, screen
from auditor.statistics.targets import Targets, subset, sufficient, targets_of
from auditor.values.dataset import Dataset
from auditor.values.fields import Field
from auditor.values.results import Cell, Chart, Column, Coverage, Table


@dataclass(frozen=True, kw_only=True)
class Gate:
    """When a column is said to tell the class: false discovery rate at most `max_q` and AUC at least `min_auc`."""

    min_auc: float
    max_q: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Told:
    """One column and what became of it: `low`–`high` is the 95 % interval over patients, `told` whether it passes the gate."""

    measured: Measured
    low: float
    high: float
    told: bool

    @property
    def name(self) -> str:
        """Name of the column."""
        return self.measured.coded.name


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All columns of one question, strongest first."""

    question: Question
    screening: Screening
    rows: tuple[Told, ...]
    gate: Gate

    @property
    def told(self) -> tuple[Told, ...]:
        """Those that tell the class."""
        return tuple(row for row in self.rows if row.told)

    def target(self, row: Told) -> str:
        """The class that the column tells best."""
        return self.question.targets.names[row.measured.target]

    @property
    def detectable(self) -> float:
        """Smallest AUC that would have been seen, for the class with most patients on its smaller side."""
        sides = self.screening.sides[int(np.argmax(self.screening.sides.min(axis=1)))]
        return max(self.gate.min_auc, detectable_auc(int(sides[0]), int(sides[1]), tests=max(1, len(self.rows))))


def ask_about(
    dataset: Dataset,
    frame: pd.DataFrame,
    fields: Mapping[str, Field],
    *,
    cases: int,
    holders: int,
    seen: npt.NDArray[np.bool_] | None = None,
) -> Question:
    """The question "can the classes be told from these columns?", over the records `seen` (None = all).

    Raises:
        SkipCheck: no label, one class, too few records, no column.
    """
    strata = [n for name in dataset.design.strata for n in (name, f"table.{name}") if n in dataset.metadata.columns]
    both = pd.concat([dataset.metadata[[n for n in strata if n not in frame.columns]], frame], axis=1)
    question = ask(
        replace(dataset, metadata=both, fields={**dataset.fields, **fields}),
        wanted=lambda field: field.name in fields,
        cases=cases,
        holders=holders,
        clusters=patients_of(dataset),
    )
    if seen is None or seen.all():
        return question
    targets = question.targets
    limited = Targets(names=targets.names, positive=targets.positive & seen[:, None], known=targets.known & seen[:, None])
    enough = sufficient(limited, question.clusters.index, cases=cases, holders=holders)
    if not enough.any():
        raise SkipCheck(
            f"too few records that can be looked at: a class needs at least {cases} records of {holders} patients with it, "
            "and as many without it"
        )
    few = tuple(name for name, keep in zip(targets.names, enough, strict=True) if not keep)
    kept = subset(limited, enough)
    return replace(question, targets=kept, few=(*question.few, *few), labelled=int(kept.known.any(axis=1).sum()))


def drawn(dataset: Dataset, *, records: int, seed: int, pixels: bool = False) -> Dataset:
    """Records, labels and metadata of whole patients, about `records` of them; the dataset itself when it is not larger.

    Pixel features come along only when `pixels` asks for them: of a million records they are the bulk. Every patient with a
    rare class is kept; drawing looks at labels alone, so tests stay valid.
    """
    if dataset.size <= records or dataset.labels.task == "none":
        return dataset
    clusters = clusters_of(dataset.records["patient"] if "patient" in dataset.records.columns else None, dataset.size)
    rows = draw_patients(clusters, targets_of(dataset.labels), records=records, rare=records // 40, seed=seed)
    states = dataset.labels.states
    labels = replace(
        dataset.labels,
        values=dataset.labels.values.iloc[rows],
        states=None if states is None else states.iloc[rows],
    )
    index = dataset.records.index[rows]
    return replace(
        dataset,
        records=dataset.records.iloc[rows],
        labels=labels,
        metadata=dataset.metadata.iloc[rows],
        features=dataset.features.iloc[rows] if pixels and len(dataset.features) == dataset.size else pd.DataFrame(),
        texts=dataset.texts.reindex(index) if len(dataset.texts) == dataset.size else dataset.texts,
    )


def answer(
    columns: Iterable[pd.Series], question: Question, gate: Gate, *, draws: int, test_records: int, folds: int, seed: int
) -> Answer:
    """Measure and test every column; those that pass get a bootstrap interval. Declared strata must be passed within, too."""
    screening = screen(columns, question, folds=folds, draws=draws, test_records=test_records, seed=seed)
    rows = []
    for one in screening.measured:
        told = one.q <= gate.max_q and one.auc >= gate.min_auc and one.low > 0.5
        if told and one.inside_q is not None and one.inside_auc is not None:
            told = one.inside_q <= gate.max_q and one.inside_auc >= gate.min_auc
        low, high = one.low, one.high
        if told:
            low, high = closer_interval(one, question, screening, resamples=400, seed=seed)
        rows.append(Told(measured=one, low=low, high=high, told=told and low > 0.5))
    rows.sort(key=lambda row: (-row.measured.auc, row.name))
    return Answer(question=question, screening=screening, rows=tuple(rows), gate=gate)


def contingency(found: Answer, row: Told, field: Field) -> Contingency:
    """Counts of the column's values for the class that it tells best."""
    return contingency_of(row.measured.coded, field, found.question.targets, row.measured.target, found.question.clusters)


def fields_table(found: Answer, titles: Mapping[str, str], *, name: str, title: str) -> Table:
    """Every column asked: what it is, the class it tells best, AUC with interval, p, q, verdict."""
    rows = found.rows
    columns = [
        Column(name="field", kind="text", title="Field", values=[row.name for row in rows]),
        Column(name="what", kind="text", title="What it is", values=[titles[row.name] for row in rows]),
        Column(name="class", kind="class", title="Class told best", values=[found.target(row) for row in rows]),
        Column(name="auc", kind="fraction", title="AUC", values=[row.measured.auc for row in rows]),
        Column(name="low", kind="fraction", title="from", values=[row.low for row in rows]),
        Column(name="high", kind="fraction", title="to", values=[row.high for row in rows]),
        Column(name="p", kind="number", title="p", values=[row.measured.p for row in rows]),
        Column(name="q", kind="number", title="q", values=[row.measured.q for row in rows]),
        Column(name="verdict", kind="text", title="Verdict", values=["told" if row.told else "passed" for row in rows]),
    ]
    if found.question.strata is not None:
        within = [row.measured.inside_auc for row in rows]
        columns.append(Column(name="within_auc", kind="fraction", title="AUC within strata", values=within))
    return Table(name=name, title=title, columns=tuple(columns))


def intervals_chart(table: Table, gate: Gate, *, title: str, label: str = "what") -> Chart:
    """AUC with its interval against the gate."""
    return Chart(
        name=f"{table.name}:intervals",
        title=title,
        kind="intervals",
        table=table,
        label=label,
        value="auc",
        low="low",
        high="high",
        reference={f"warning {gate.min_auc:.2f}": gate.min_auc},
    )


def evidence_of(found: Answer, row: Told) -> dict[str, Cell]:
    """The figures behind a finding."""
    one = row.measured
    figures: dict[str, Cell] = {
        "class": found.target(row),
        "auc": round(one.auc, 4),
        "low": round(row.low, 4),
        "high": round(row.high, 4),
        "macro_auc": round(one.macro, 4),
        "p": one.p,
        "q": one.q,
        "patients": found.question.clusters.count if found.question.clusters.usable else None,
    }
    if one.inside_auc is not None:
        figures["within_auc"] = round(one.inside_auc, 4)
    return figures


def figures_in_words(found: Answer, row: Told) -> str:
    """`tells benign from the rest: AUC 0.86 (0.84–0.88), within the declared strata 0.81`."""
    text = f"tells {found.target(row)} from the rest: AUC {row.measured.auc:.2f} ({row.low:.2f}–{row.high:.2f})"
    if row.measured.inside_auc is not None:
        text += f", within the declared strata {row.measured.inside_auc:.2f}"
    return text


def independence_note(question: Question) -> str:
    """`; no usable patient ids, rows assumed independent` (or which groups were guessed), or nothing."""
    return f"; {question.clusters.note}" if question.clusters.note else ""


def coverage_of(dataset: Dataset, question: Question, reasons: Sequence[str] = ()) -> Coverage:
    """Labelled records that were looked at, and why the rest was not."""
    said = list(reasons)
    asked = len(question.clusters.index)
    if asked < dataset.size:
        said.insert(0, f"whole patients drawn up to {asked:,} records")
    if question.labelled < dataset.size and not said:
        said.append(f"{dataset.size - question.labelled:,} records have no label")
    if question.few:
        said.append(f"{len(question.few)} classes have too few records or patients")
    return Coverage(evaluated=question.labelled, total=dataset.size, reason="; ".join(said))
