"""Columns that a check makes itself (pixel properties, words of a path, dates): asked like the metadata, shown like them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.statistics.clusters import Clusters, clusters_of, draw_patients
from auditor.statistics.guessed import patients_of
from auditor.statistics.hidden import PICTURES_PER_PATIENT, holds
from auditor.statistics.intervals import detectable_auc
from auditor.statistics.question import Question, ask
from auditor.statistics.screening import Measured, Screening, closer_interval, screen
from auditor.statistics.targets import Targets, subset, sufficient, targets_of
from auditor.values.dataset import Dataset
from auditor.values.fields import Field


@dataclass(frozen=True, kw_only=True)
class Gate:
    """When a column is said to tell the class: false discovery rate at most `max_q` and AUC at least `min_auc`."""

    min_auc: float
    max_q: float = 0.05

    def lets(self, one: Measured, *, within: bool = True) -> bool:
        """Significant, large enough, and its interval leaves .5; in the declared strata too, where `within` asks for that."""
        told = one.q <= self.max_q and one.auc >= self.min_auc and one.low > 0.5
        if told and within and one.inside_q is not None and one.inside_auc is not None:
            told = one.inside_q <= self.max_q and one.inside_auc >= self.min_auc
        return told


@dataclass(frozen=True, kw_only=True)
class Told:
    """One column and what became of it.

    Args:
        low, high: 95 % interval over patients.
        told: it passes the gate.
        sure: it would, too, if so many images were one patient's as must be allowed for where ids are not usable.
    """

    measured: Measured
    low: float
    high: float
    told: bool
    sure: bool = True

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
    pixels: bool = False,
) -> Question:
    """The question "can the classes be told from these columns?", over the records `seen` (None = all).

    Args:
        pixels: the columns are read from pictures, which those of one patient always share: where nothing tells patients apart,
            `PICTURES_PER_PATIENT` pictures may be one's.

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
        clusters=allowing(patients_of(dataset)) if pixels else patients_of(dataset),
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


def allowing(clusters: Clusters) -> Clusters:
    """Patients who may have `PICTURES_PER_PATIENT` pictures where nothing, or equal rows alone, tell them apart."""
    if clusters.usable or clusters.guessed not in ("", "equal rows"):
        return clusters
    return replace(clusters, images=max(clusters.images, PICTURES_PER_PATIENT))


def sure_of(auc: float, target: int, question: Question, tests: int) -> bool:
    """Whether it tells the class of index `target` even if so many images are one patient's as must be allowed for."""
    if question.clusters.images <= 1:
        return True
    positive, known = question.targets.positive[:, target], question.targets.known[:, target]
    cases, others = int(positive.sum()), int((known & ~positive).sum())
    return holds(auc, cases, others, images=question.clusters.images, tests=tests)


def drawn(dataset: Dataset, *, records: int, seed: int, needs: Collection[str] = ()) -> Dataset:
    """Records, labels and metadata of whole patients, about `records` of them; the dataset itself when it is not larger.

    Of pixel features those come along that are among `needs` (`features.NAME`): of a million records they are the bulk. Every
    patient with a rare class is kept; drawing looks at labels alone, so tests stay valid.
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
    wanted = [f"features.{str(name).partition('.')[0]}" in needs for name in dataset.features.columns]
    return replace(
        dataset,
        records=dataset.records.iloc[rows],
        labels=labels,
        metadata=dataset.metadata.iloc[rows],
        features=dataset.features.loc[:, wanted].iloc[rows]
        if any(wanted) and len(dataset.features) == dataset.size
        else pd.DataFrame(),
        texts=dataset.texts.reindex(index) if len(dataset.texts) == dataset.size else dataset.texts,
    )


def answer(
    columns: Iterable[pd.Series], question: Question, gate: Gate, *, draws: int, test_records: int, folds: int, seed: int
) -> Answer:
    """Measure and test every column; those that pass get a bootstrap interval. Declared strata must be passed within, too."""
    screening = screen(columns, question, folds=folds, draws=draws, test_records=test_records, seed=seed)
    rows = []
    for one in screening.measured:
        told = gate.lets(one)
        low, high = one.low, one.high
        if told:
            low, high = closer_interval(one, question, screening, resamples=400, seed=seed)
        sure = sure_of(one.auc, one.target, question, len(screening.measured))
        rows.append(Told(measured=one, low=low, high=high, told=told and low > 0.5, sure=sure))
    rows.sort(key=lambda row: (-row.measured.auc, row.name))
    return Answer(question=question, screening=screening, rows=tuple(rows), gate=gate)
