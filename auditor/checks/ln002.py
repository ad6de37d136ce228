"""LN002: which labels to look at first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.labels.label_noise import judge_labels
from auditor.evidence.labels.residuals import JudgedNumbers, judge_numbers
from auditor.values.dataset import Dataset
from auditor.values.judgements import JudgedTask
from auditor.values.labels import State
from auditor.values.results import Cell, Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict

BINS = 20
MOST_DOUBTFUL = 10
"""So many labels are named where no cut-off can be told."""


@dataclass(frozen=True, kw_only=True)
class SuspectLabels(Check):
    """Labels that are probably wrong.

    ## What it does

    Ranks all records by how suspicious their label is, and flags the set with the highest expected F1: neither many wrong
    labels left out, nor many right ones to look through. The score is 0 to 1, low = look here first; it joins the sharpened
    self-confidence of an out-of-fold model with the probability, under the noise between classes that LN001 estimated, that
    the label is right. The table `label_scores` holds every record. Of a multi-label dataset a record has the score of its
    worst class. Where LN001 cannot tell how many labels are wrong, the ranking is shown all the same, as not evaluated, and a
    note names the ten labels that fit least.

    Ordinal grades: the flagged set is the same, but a label that is likely to be several grades off comes before one that may
    be its neighbour, and the suggestion is the median grade. Continuous labels: the score is the probability of a residual at
    least as large, if the label is right; flagged at a false discovery rate of .1.

    ## Why is this bad?

    A wrong label teaches a model the wrong thing and spoils the test that should notice it.

    ## How to fix

    Review in ranked order: that is up to four times as effective as at random. Judge without looking at the suggestion: it is
    the model's, and wrong in a good part of the flagged records. Never overwrite labels with it unseen.

    ## Options

    * `max_findings`: so many records are listed as findings (20); the table has them all.
    * `max_noise_fraction`: as in LN001: without evidence of more noise than this, at most 1 % is flagged and nothing is listed.

    ## References

    * Northcutt, Jiang & Chuang: Confident learning. JAIR 70, 2021.
    * Bernhardt et al.: Active label cleaning for improved dataset quality. Nature Communications 2022.
    * Kuan & Mueller: Model-agnostic label quality scoring to detect real-world label errors. ICML DataPerf 2022.
    """

    code: ClassVar[str] = "LN002"
    name: ClassVar[str] = "suspect-labels"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"predictions"})

    max_findings: int = 20
    max_noise_fraction: float = 0.01

    def run(self, dataset: Dataset) -> Verdict:
        """Rank; raises SkipCheck without labels or predictions, and with the ranking where no cut-off can be told."""
        if dataset.labels.task == "continuous":
            return self._numbers(dataset)
        tasks = judge_labels(dataset, tolerance=self.max_noise_fraction)
        scores = _scores(dataset, tasks)
        flagged = int(scores["flagged"].sum())
        verdicts = {task.estimate.verdict for task in tasks}
        silent = "noise" not in verdicts or flagged == 0
        findings = () if silent else self._findings(dataset, scores, flagged)
        judged = int(scores["score"].notna().sum())
        expected = float(np.sum([t.estimate.suspicion[t.estimate.flagged].sum(dtype=np.float64) for t in tasks]))
        table = _table(scores)
        verdict = Verdict(
            summary=(
                f"No evidence of label noise; the {flagged:,} most doubtful of {judged:,} labels are marked."
                if verdicts == {"no evidence"}
                else f"{flagged:,} of {judged:,} labels are worth a second look."
            ),
            metrics={
                "flagged_records": flagged,
                "flagged_fraction": flagged / judged,
                "expected_wrong_flags": expected,
                "judged_records": judged,
            },
            findings=findings,
            tables=(table,),
            charts=(_histogram(scores),),
            coverage=Coverage(
                evaluated=judged, total=dataset.size, reason="" if judged == dataset.size else "no label, or no prediction"
            ),
        )
        if "cannot tell" in verdicts and "noise" not in verdicts:
            reason = next(task.estimate.reason for task in tasks if task.estimate.verdict == "cannot tell")
            verdict = replace(verdict, findings=_least_fitting(dataset, scores))
            raise SkipCheck(f"how many labels are wrong cannot be told, so no cut-off follows: {reason}", verdict=verdict)
        return verdict

    def _numbers(self, dataset: Dataset) -> Verdict:
        """The ranking of a continuous label."""
        found = judge_numbers(dataset, tolerance=self.max_noise_fraction)
        scores = _number_scores(dataset, found)
        flagged, judged = int(scores["flagged"].sum()), len(found.records)
        verdict = Verdict(
            summary=f"{flagged:,} of {judged:,} numbers are worth a second look.",
            metrics={
                "flagged_records": flagged, "flagged_fraction": flagged / judged, "judged_records": judged,
                "visible_error": found.visible,
            },
            findings=self._findings(dataset, scores, flagged) if flagged else (),
            tables=(_table(scores),),
            charts=(_histogram(scores),),
            coverage=Coverage(
                evaluated=judged, total=dataset.size, reason="" if judged == dataset.size else "no label, or no prediction"
            ),
        )  # fmt: skip
        if found.verdict == "cannot tell":
            raise SkipCheck(f"which labels are wrong cannot be told: {found.reason}", verdict=replace(verdict, findings=()))
        return verdict

    def _findings(self, dataset: Dataset, scores: pd.DataFrame, flagged: int) -> tuple[Finding, ...]:
        listed = min(flagged, self.max_findings)
        more = f"; the first {listed:,} are listed, all are in the table label_scores" if listed < flagged else ""
        field = dataset.labels.origin or None
        found = [
            Finding(
                code=self.code, severity=self.severity, where=Location(field=field), score=flagged / dataset.size,
                message=f"{flagged:,} labels are worth a second look, lowest score first{more}",
                evidence={"flagged_records": flagged, "listed_records": listed},
            )
        ]  # fmt: skip
        grades = {c: i for i, c in enumerate(dataset.labels.classes)} if dataset.labels.task == "ordinal" else None
        worst = scores[scores["flagged"]].sort_values("score", kind="stable").head(listed)
        places = dataset.records.loc[worst.index, ["path", "line"]]
        for (record, row), path, line in zip(worst.iterrows(), places["path"], places["line"], strict=True):
            evidence: dict[str, Cell] = {"given": row["given"], "suggested": row["suggested"]}
            apart = ""
            if grades is not None:
                evidence["grades_apart"] = abs(grades[row["suggested"]] - grades[row["given"]])
                apart = f", {evidence['grades_apart']} grade{'s' if evidence['grades_apart'] != 1 else ''} apart"
            found.append(
                Finding(
                    code=self.code, severity=self.severity, score=1 - float(row["score"]), evidence=evidence,
                    message=f"labelled {row['given']!r}, looks like {row['suggested']!r} to the model{apart}; look at it again",
                    where=Location(
                        path=None if pd.isna(path) else str(path), line=int(line) or None, record=str(record), field=field
                    ),
                )
            )  # fmt: skip
        return tuple(found)


def _least_fitting(dataset: Dataset, scores: pd.DataFrame) -> tuple[Finding, ...]:
    """A note of the labels that fit least, where no cut-off can be told: whoever looks at ten wants these ten."""
    least = scores.dropna(subset=["score", "suggested"])
    least = least[least["given"].astype("str") != least["suggested"].astype("str")].nsmallest(
        MOST_DOUBTFUL, "score", keep="first"
    )
    if least.empty:
        return ()
    told = ", ".join(f"{row.Index} ({row.given!r}, looks like {row.suggested!r})" for row in least.itertuples())
    return (
        Finding(
            code=SuspectLabels.code,
            severity=Severity.INFO,
            message=(
                f"how many labels are wrong cannot be told; the {len(least)} that fit least, of which any may be right: "
                f"{told}. Look at these first, or review a random sample"
            ),
            where=Location(field=dataset.labels.origin or None),
            subject="most doubtful",
            evidence={"records": len(least)},
        ),
    )


def _scores(dataset: Dataset, tasks: tuple[JudgedTask, ...]) -> pd.DataFrame:
    """Every record: given, suggested (text, missing = None), score (NaN where not judged), flagged."""
    n = dataset.size
    score = np.full(n, np.nan)
    flagged = np.zeros(n, dtype=np.bool_)
    codes, names = pd.factorize(dataset.labels.values)
    # One text per label, not per record; a record without label has the code −1, which is the last.
    given = np.array([*names, None], dtype=object)[codes]
    suggested = np.full(n, None, dtype=object)
    if tasks[0].name:
        suggested = _switched(dataset, tasks)
    else:
        classes = np.array(tasks[0].classes, dtype=object)
        suggested[tasks[0].records] = classes[tasks[0].estimate.suggested[tasks[0].label_of]]
    for task in tasks:
        if task.label_of is task.records:
            np.fmin(score, task.estimate.score, out=score)
            flagged |= task.estimate.flagged
        else:
            score[task.records] = np.fmin(score[task.records], task.estimate.score[task.label_of])
            flagged[task.records] |= task.estimate.flagged[task.label_of]
    return pd.DataFrame(
        {"given": pd.Series(given, index=dataset.records.index, dtype=object),
         "suggested": pd.Series(suggested, index=dataset.records.index, dtype=object), "score": score, "flagged": flagged},
        index=dataset.records.index,
    )  # fmt: skip


def _number_scores(dataset: Dataset, found: JudgedNumbers) -> pd.DataFrame:
    """The same of a continuous label; numbers as text."""
    n = dataset.size
    values = dataset.labels.values.to_numpy(dtype=np.float64)
    given = np.array([None if value != value else str(value) for value in values.tolist()], dtype=object)
    score, flagged = np.full(n, np.nan), np.zeros(n, dtype=np.bool_)
    suggested = np.full(n, None, dtype=object)
    suggested[found.records] = np.array([f"{value:.4g}" for value in found.predicted.tolist()], dtype=object)[found.label_of]
    score[found.records], flagged[found.records] = found.score[found.label_of], found.flagged[found.label_of]
    return pd.DataFrame(
        {"given": pd.Series(given, index=dataset.records.index, dtype=object),
         "suggested": pd.Series(suggested, index=dataset.records.index, dtype=object), "score": score, "flagged": flagged},
        index=dataset.records.index,
    )  # fmt: skip


def _switched(dataset: Dataset, tasks: tuple[JudgedTask, ...]) -> npt.NDArray[np.object_]:
    """Multi-label: the positive classes after every flagged one is switched, joined by `|`; only where something was judged."""
    assert dataset.labels.states is not None
    positive = dataset.labels.states.to_numpy() == State.POSITIVE
    judged = np.zeros(dataset.size, dtype=np.bool_)
    for task in tasks:
        judged[task.records] = True
        switched = task.records[task.estimate.flagged[task.label_of]]
        positive[switched, dataset.labels.classes.index(task.name)] ^= True
    patterns, which = _distinct(positive)
    names = np.array(
        ["|".join(c for c, yes in zip(dataset.labels.classes, pattern, strict=True) if yes) for pattern in patterns],
        dtype=object,
    )
    texts = names[which.reshape(-1)]
    texts[~judged] = None
    return np.asarray(texts, dtype=object)


def _distinct(rows: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """The different rows, and which of them each row is. Eight columns to a byte: sorting bytes is many times faster."""
    packed = np.packbits(rows, axis=1)
    if packed.shape[1] > 8:
        found, which = np.unique(rows, axis=0, return_inverse=True)
        return found, which.reshape(-1)
    wide = np.zeros((len(rows), 8), np.uint8)
    wide[:, : packed.shape[1]] = packed
    _, first, which = np.unique(wide.view(np.uint64).ravel(), return_index=True, return_inverse=True)
    return rows[first], which


def _table(scores: pd.DataFrame) -> Table:
    score: list[Cell] = scores["score"].round(6).tolist()
    if scores["score"].isna().any():
        score = [None if value != value else value for value in score]
    return Table(
        name="label_scores", title="Every label and how far it is to be trusted (low = look here first)",
        columns=(
            Column(name="record", kind="record", values=scores.index.tolist(), title="Record"),
            Column(name="given", kind="class", values=scores["given"].tolist(), title="Given label"),
            Column(name="suggested", kind="class", values=scores["suggested"].tolist(), title="Model says"),
            Column(name="score", kind="fraction", values=score, title="Score"),
            Column(name="flagged", kind="boolean", values=scores["flagged"].tolist(), title="Flagged"),
        ),
    )  # fmt: skip


def _histogram(scores: pd.DataFrame) -> Chart:
    judged = scores.dropna(subset=["score"])
    place = np.minimum((judged["score"].to_numpy() * BINS).astype(np.int64), BINS - 1)
    flagged = judged["flagged"].to_numpy(dtype=np.bool_)
    starts = (np.arange(BINS) / BINS).round(2).tolist()
    counts = [np.bincount(place[part], minlength=BINS).tolist() for part in (~flagged, flagged)]
    table = Table(
        name="score_histogram", title="Scores of all labels",
        columns=(
            Column(name="score_from", kind="number", values=starts * 2, title="Score from"),
            Column(name="records", kind="integer", values=counts[0] + counts[1], title="Records"),
            Column(name="group", kind="text", values=["not flagged"] * BINS + ["flagged"] * BINS, title="Flag"),
        ),
    )  # fmt: skip
    return Chart(
        name="score_histogram", title="Scores of all labels (low = suspicious)", kind="histogram", table=table,
        label="score_from", value="records", group="group",
    )  # fmt: skip
