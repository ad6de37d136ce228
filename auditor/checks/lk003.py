"""LK003: the label stands in the path, the file name or a text of the header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.leakage.column_check import ColumnCheck
from auditor.evidence.leakage.corners import Pure, pure_fields
from auditor.evidence.leakage.path_words import (
    MOST_DISTINCT,
    WAY,
    file_names,
    folder_levels,
    is_class_folder,
    letter_places,
    name_of_class,
    number_places,
    presences,
    share_of,
    ways_of_writing,
)
from auditor.statistics.derived import Answer, Gate, Told, ask_about, drawn
from auditor.statistics.question import Question
from auditor.statistics.told import coverage_of, evidence_of, figures_in_words, independence_note, intervals_chart
from auditor.values.dataset import Dataset
from auditor.values.fields import Field, spoken
from auditor.values.results import Cell, Column, Finding, Location, Severity, Table, Verdict

_NAME, _TEXT = "file name", "header text"
_FAMILIES = ("dicom.", "container.", "nifti.")


@dataclass(frozen=True, kw_only=True)
class _Place:
    """One column asked: a word in a source, or a number at one place of the file name."""

    source: str
    word: str
    column: pd.Series


@dataclass(frozen=True, kw_only=True)
class LabelInText(ColumnCheck):
    """The label stands in the path, the file name or a text of the header.

    ## What it does

    Cuts folders, file names, free texts of the headers (PNG, EXIF and TIFF texts, JPEG comments, DICOM descriptions) and
    technical header fields into words, and asks of each word how well its presence tells every class; so too of numbers at
    one place of the file name that take few values, of short letters that it begins or ends with (`A-1234`), and of the way in
    which it is written (`IMG-0012`, `img_0012`: names of one source are made by one program). AUC,
    interval and test are those of LK001. Reported are words that are the class's own name (when nine in ten records with the
    word are of the class), and any other word with an AUC of at least `min_auc`. The class folder is the label and is left
    out, as is the file name where the label was read from it. Folders, too small for that, which hold one class alone (exact
    test over patients) are told as well. One finding per source; words that could identify a person are not shown, a record
    that has them is.

    ## Why is this bad?

    A name such as `malignant_012.png`, or a series description `tumour follow-up`, tells the reader, the annotator and every
    script the answer. It unblinds readings; a loader that sorts or joins by name brings it into the split; a language model
    that reads the header needs no picture. It also shows that the classes were put together from different sources.

    ## How to fix

    Rename the files with numbers drawn at random, and keep the old names in a table (they can no longer be matched by eye).
    Remove or replace the header text. If the word stands for a source, balance the sources between the classes (the
    prevalence changes) or collect the missing combinations. Or waive with a reason.

    ## Options

    * `min_auc` (0.60): smallest AUC of a word that is not the class's name.
    * `max_q` (0.05): false discovery rate over the words.
    * `min_share` (0.9): share of the class among the records that have its own name.
    * `max_records` (100000): whole patients up to about this many records are used.
    * `min_records` (10), `min_patients` (3): what a class needs, on either side; and records that a word needs.
    * `draws` (2000), `test_records` (30000), `folds` (5), `seed` (0): as in LK001.

    ## References

    Kaufman et al. 2012, ACM TKDD 6:15 (leakage in data mining). Benjamini & Hochberg 1995, JRSS B 57:289.
    """

    code: ClassVar[str] = "LK003"
    name: ClassVar[str] = "label-in-text"
    severity: ClassVar[Severity] = Severity.WARNING

    min_share: float = 0.9
    max_records: int = 100_000

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every word. Raises SkipCheck: no label, one class, no path and no text."""
        if dataset.labels.task == "none":
            raise SkipCheck("there is no label: name its column with --label")
        sample = drawn(dataset, records=self.max_records, seed=self.seed)
        if not sample.records["path"].notna().any() and not _has_texts(sample):
            raise SkipCheck("there is neither a path nor a header text to look at")
        places, notes = self._places(sample)
        if not places:
            return self._nothing(dataset, sample, notes)
        fields = {name: Field(name=name, kind="encoding", identifying=True) for name in places}
        frame = pd.DataFrame({name: place.column for name, place in places.items()}, index=sample.records.index)
        found = self.answered(sample, frame, fields, gate=Gate(min_auc=min(0.52, self.min_auc), max_q=self.max_q))
        question = found.question
        own = {row.name for row in found.told if self._is_own(sample, places[row.name])}
        told = [row for row in found.told if row.measured.auc >= self.min_auc or row.name in own]
        groups: dict[str, list[Told]] = {}
        for row in sorted(told, key=lambda r: (r.name not in own, -r.measured.auc)):
            groups.setdefault(places[row.name].source, []).append(row)
        silent = [
            (row.measured.coded, fields[row.name])
            for row in found.rows
            if not places[row.name].word and places[row.name].source not in groups and places[row.name].source != _NAME
        ]
        pure = pure_fields(silent, question)
        findings = (
            *(self._finding(found, source, rows, own) for source, rows in groups.items()),
            *(self._of_pure(one, places[one.field.name].source, question) for one in pure),
        )
        table = self._table(found, {row.name for row in told}, places, sample.labels.classes)
        note = question.clusters.sentence
        aside = f" {'; '.join(notes)}." if notes else ""
        summary = (
            f"{findings[0].message.split(';')[0]}."
            if findings
            else f"None of {len(found.rows)} words in paths, names and header texts tells a class."
            if found.rows
            else "Paths, names and header texts hold no word that only some records have."
        )
        return Verdict(
            summary=f"{summary}{aside}{note}",
            metrics={
                "words_tested": len(found.rows),
                "words_told": len(told),
                "sources_told": len(groups),
                "rows_assumed_independent": question.clusters.independent,
            },
            findings=findings,
            tables=(table,),
            charts=(
                intervals_chart(
                    table,
                    {"warning": self.min_auc},
                    title="How well each word tells its best class (AUC, 95 % interval)",
                    name="intervals",
                    label="word",
                    group="source",
                ),
            ),
            coverage=coverage_of(dataset, question, notes),
        )

    def _nothing(self, dataset: Dataset, sample: Dataset, notes: Sequence[str]) -> Verdict:
        """No word that some records have and others have not. The question is asked all the same: it may not apply."""
        blank = pd.DataFrame({"path.words": np.zeros(sample.size)}, index=sample.records.index)
        field = Field(name="path.words", kind="encoding")
        question = ask_about(sample, blank, {field.name: field}, cases=self.min_records, holders=self.min_patients)
        aside = f" {'; '.join(notes)}." if notes else ""
        return Verdict(
            summary=f"Paths, names and header texts hold no word that only some records have.{aside}",
            metrics={"words_tested": 0, "words_told": 0},
            coverage=coverage_of(dataset, question, notes),
        )

    def _places(self, dataset: Dataset) -> tuple[dict[str, _Place], list[str]]:
        """Every word and number to ask for, and what was left out."""
        own = frozenset().union(*(name_of_class(name) for name in dataset.labels.classes))
        paths = dataset.records["path"].astype("string")
        notes: list[str] = []
        places: dict[str, _Place] = {}
        texts: list[tuple[str, pd.Series]] = []
        named = bool(paths.notna().any())
        for number, level in enumerate(folder_levels(paths) if named else (), start=1):
            if is_class_folder(level, dataset.labels.values, read_from="folder" in dataset.labels.origin):
                notes.append(f"folder {number} is the class folder")
            else:
                texts.append((f"folder {number}", level))
                if 2 <= level.nunique(dropna=False) <= MOST_DISTINCT:
                    places[f"folder {number}: whole name"] = _Place(source=f"folder {number}", word="", column=level)
        names = file_names(paths) if named else paths
        if dataset.labels.origin == "file name":
            notes.append("the label was read from the file name")
        elif names.notna().any():
            texts.append((_NAME, names))
        if _has_texts(dataset):
            texts.append((_TEXT, dataset.texts))
        for name in dataset.metadata.columns:
            text = dataset.metadata[name].dtype.kind not in "biufc"
            if str(name).startswith(_FAMILIES) and text and not dataset.fields[str(name)].identifying:
                texts.append((str(name), dataset.metadata[name]))
        for source, column in texts:
            for one in presences(source, column, least=self.min_records, keep=own):
                # Technical fields are LK001's; only the class's own name is looked for in them.
                if source.startswith(_FAMILIES) and one.word not in own:
                    continue
                values = pd.Series(one.has.astype(np.float64), index=column.index)
                places[f"{source}: {one.word}"] = _Place(source=source, word=one.word, column=values)
        if dataset.labels.origin != "file name":
            for column in (*number_places(names), *letter_places(names), *ways_of_writing(names)):
                places[f"{_NAME}: {column.name}"] = _Place(source=_NAME, word="", column=column)
        return places, notes

    def _is_own(self, dataset: Dataset, place: _Place) -> bool:
        """The word is a class's own name, and mostly stands where that class is."""
        if not place.word:
            return False
        has = place.column.to_numpy(dtype=np.float64) > 0
        return any(
            place.word in name_of_class(name) and share_of(has, dataset.labels, name) >= self.min_share
            for name in dataset.labels.classes
        )

    def _finding(self, found: Answer, source: str, rows: list[Told], own: set[str]) -> Finding:
        best = rows[0]
        where = source if not source.startswith(_FAMILIES) else f"{spoken(source)} ({source})"
        figures = figures_in_words(found, best)
        if best.name in own:
            message = f"the name of the class stands in the {where} and {figures}"
        else:
            said = best.name.partition(": ")[2]
            kind = f"the {said}" if said.startswith(("number ", "letters ", "whole name", WAY)) else "a word"
            message = f"{kind} in the {where} {figures}" if kind != "the whole name" else f"the name of {where} {figures}"
        if len(rows) > 1:
            message += f"; {len(rows)} words there tell a class"
        remedy = (
            "remove or replace the text in all records"
            if source == _TEXT or source.startswith(_FAMILIES)
            else "rename files and folders with numbers drawn at random and keep the old names in a table"
        )
        message += (
            f"{independence_note(found.question)}; {remedy}, balance the sources that the words stand for (the prevalence "
        )
        message += "changes), or waive it with a reason"
        told: dict[str, Cell] = {"source": source, "own_name": best.name in own, "words_told": len(rows)}
        return self.finding_of(best, message, {**told, **evidence_of(found, best)}, field=source)

    def _of_pure(self, pure: Pure, source: str, question: Question) -> Finding:
        """Folders of one class alone, too small for an AUC over everything."""
        count, value = len(pure.values), pure.values[0]
        unit = "patients" if question.clusters.usable else "records"
        which = f"{'one' if count == 1 else count} of the folders at level {source.removeprefix('folder ')}"
        message = (
            f"{which} {'holds' if count == 1 else 'hold'} {pure.patients:,} {unit}, every one of them {pure.target}, of which "
            f"there are {value.base_rate:.0%} overall{independence_note(question)}; collect the other classes from the same "
            "source, or waive it with a reason"
        )
        return Finding(
            code=self.code,
            severity=Severity.WARNING,
            message=message[0].upper() + message[1:],
            where=Location(field=source),
            subject="one class",
            score=value.lift,
            evidence={"source": source, "class": pure.target, "folders": count, "lift": round(value.lift, 2), "q": pure.q},
        )

    def _table(self, found: Answer, told: set[str], places: dict[str, _Place], classes: Sequence[str]) -> Table:
        rows = found.rows[:500]
        examples, counts, words = [], [], []
        for number, row in enumerate(rows, start=1):
            place = places[row.name]
            own = bool(place.word) and any(place.word in name_of_class(c) for c in classes)
            words.append(place.word if own else row.name.partition(": ")[2] if not place.word else f"word {number}")
            has = np.flatnonzero(place.column.to_numpy(dtype=np.float64) > 0) if place.word else np.empty(0, np.int64)
            counts.append(len(has) if place.word else int(place.column.notna().sum()))
            examples.append(str(place.column.index[int(has[0])]) if len(has) else None)
        return Table(
            name="words",
            title="Words tested, strongest first",
            columns=(
                Column(name="source", kind="text", title="Where", values=[places[row.name].source for row in rows]),
                Column(name="word", kind="text", title="Word", values=words),
                Column(name="class", kind="class", title="Class told best", values=[found.target(row) for row in rows]),
                Column(name="records", kind="integer", title="Records that have it", values=counts),
                Column(name="auc", kind="fraction", title="AUC", values=[row.measured.auc for row in rows]),
                Column(name="low", kind="fraction", title="from", values=[row.low for row in rows]),
                Column(name="high", kind="fraction", title="to", values=[row.high for row in rows]),
                Column(name="q", kind="number", title="q", values=[row.measured.q for row in rows]),
                Column(name="verdict", kind="text", title="Verdict",
                       values=["told" if row.name in told else "passed" for row in rows]),
                Column(name="example", kind="record", title="A record that has it", values=examples),
            ),
        )  # fmt: skip


def _has_texts(dataset: Dataset) -> bool:
    return len(dataset.texts) == dataset.size and bool(dataset.texts.notna().any())
