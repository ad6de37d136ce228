"""The habits of readers as tables: how they compare, what each names too often and calls what, and who dissents together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.evidence.raters.habits import Copy, Leaning
from auditor.evidence.raters.models import DawidSkene
from auditor.evidence.raters.raters import RaterTest
from auditor.evidence.raters.readings import Readings
from auditor.evidence.raters.tables import number, numbers
from auditor.statistics.wilson import share_interval
from auditor.values.results import Column, Table

Flags = npt.NDArray[np.bool_]
MAX_CELLS = 5_000
"""Cells that a table of readers and classes shows at most."""


def usual_mistake(readings: Readings, fitted: DawidSkene, r: int) -> str:
    """The most frequent wrong answer, weighed by how often its class occurs."""
    wrong = fitted.confusion[r] * fitted.prevalence[:, None]
    np.fill_diagonal(wrong, 0)
    true, given = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return f"most often {readings.classes[int(true)]!r} is called {readings.classes[int(given)]!r}"


def rater_table(
    readings: Readings, test: RaterTest, fitted: DawidSkene, enough: Flags, quality: npt.NDArray[np.float64] | None
) -> Table:
    """A row per reader: readings, agreement, accuracy by the model of Dawid and Skene, and the most frequent mistake."""
    spans = [
        share_interval(float(a), float(n)) if n > 0 else (float("nan"), float("nan"))
        for a, n in zip(np.nan_to_num(test.agreement), test.readings, strict=True)
    ]
    by_model = (
        ()
        if quality is None
        else (Column(name="quality", kind="fraction", values=numbers(quality), title="Quality with the model (cleanlab)"),)
    )
    mistakes = [usual_mistake(readings, fitted, r) for r in range(len(readings.raters))]
    return Table(
        name="raters", title="Readers against the others who read the same records",
        columns=(
            Column(name="rater", kind="text", values=[str(r) for r in readings.raters], title="Rater"),
            Column(name="readings", kind="integer", values=test.readings.tolist(), title="Shared readings"),
            Column(name="agreement", kind="fraction", values=numbers(test.agreement), title="Agreement with the others"),
            Column(name="low", kind="fraction", values=[number(low) for low, _ in spans], title="95 % from"),
            Column(name="high", kind="fraction", values=[number(high) for _, high in spans], title="to"),
            Column(name="accuracy", kind="fraction", values=numbers(fitted.accuracy.clip(0, 1)), title="Accuracy, Dawid-Skene"),
            Column(name="mistake", kind="text", values=mistakes, title="Most frequent mistake"),
            Column(name="judged", kind="boolean", values=enough.tolist(), title="Judged"),
            *by_model,
        ),
    )  # fmt: skip


def _cells(shape: tuple[int, int], rank: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row and column of the cells of a table, the MAX_CELLS of highest rank, in order of rows."""
    chosen = np.sort(np.argsort(-rank.ravel(), kind="stable")[:MAX_CELLS])
    return chosen // shape[1], chosen % shape[1]


def leaning_table(readings: Readings, leaning: Leaning, leans: Flags) -> Table:
    """A row per reader and class, those of the largest difference."""
    shape = (len(readings.raters), len(readings.classes))
    r, c = _cells(shape, np.abs(leaning.own - leaning.others))
    return Table(
        name="leaning", title="How often each reader names a class, against the others on the same records",
        columns=(
            Column(name="rater", kind="text", values=[str(readings.raters[i]) for i in r], title="Rater"),
            Column(name="class", kind="class", values=[readings.classes[i] for i in c], title="Class"),
            Column(name="own", kind="fraction", values=leaning.own[r, c].clip(0, 1).tolist(), title="Of own readings"),
            Column(name="others", kind="fraction", values=leaning.others[r, c].clip(0, 1).tolist(), title="Of the others'"),
            Column(name="q", kind="number", values=leaning.q[r, c].tolist(), title="p over all"),
            Column(name="flagged", kind="boolean", values=leans[r, c].tolist(), title="Leans"),
        ),
    )  # fmt: skip


def confusion_table(readings: Readings, fitted: DawidSkene) -> Table:
    """Rows of the confusion matrices; only where they fit into MAX_CELLS."""
    raters, classes, _ = fitted.confusion.shape
    kept = raters if raters * classes * classes <= MAX_CELLS else 0
    r, true, given = (axis.ravel() for axis in np.indices((kept, classes, classes)))
    shares = fitted.confusion[r, true, given].clip(0, 1)
    return Table(
        name="confusion", title="What each reader calls what (Dawid-Skene)",
        columns=(
            Column(name="rater", kind="text", values=[str(readings.raters[i]) for i in r], title="Rater"),
            Column(name="true", kind="class", values=[readings.classes[i] for i in true], title="Is"),
            Column(name="given", kind="class", values=[readings.classes[i] for i in given], title="Is called"),
            Column(name="fraction", kind="fraction", values=numbers(shares), title="Share"),
        ),
    )  # fmt: skip


def copy_table(readings: Readings, copies: list[Copy]) -> Table:
    """A row per pair that dissents together."""
    return Table(
        name="copies", title="Readers who dissent together",
        columns=(
            Column(name="rater_a", kind="text", values=[str(readings.raters[c.first]) for c in copies], title="Rater"),
            Column(name="rater_b", kind="text", values=[str(readings.raters[c.second]) for c in copies], title="With"),
            Column(name="dissents", kind="integer", values=[c.dissents for c in copies], title="Dissents of either"),
            Column(name="shared", kind="fraction", values=[min(c.matched, 1.0) for c in copies], title="Shared"),
            Column(name="expected", kind="fraction", values=[min(c.expected, 1.0) for c in copies], title="Expected"),
            Column(name="q", kind="number", values=[c.q for c in copies], title="p over all pairs"),
        ),
    )  # fmt: skip
