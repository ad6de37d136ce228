"""What stands beside the verdict: per class, trivial predictors, calibration, the classical paired tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from auditor.statistics.multiplicity import holm
from auditor.values.corrections import Measured
from auditor.values.results import Cell, Chart, Column, ColumnKind, Table
from trainers.grading.grade import Graded
from trainers.grading.paired import Interval, delong, mcnemar
from trainers.metrics.panel import Doubles, calibration_bins
from trainers.values.effort import Spent


def cell(value: float) -> Cell:
    """A number of a table; None where it is not defined."""
    return float(value) if np.isfinite(value) else None


def difference_chart(graded: Graded, measured: Sequence[Measured], margin: float) -> Chart:
    """The intervals of all metrics on one axis: differences as shares of each metric's range, right of 0 is better."""
    unit = {m.name: m.margin_unit for m in graded.metrics}
    rows = [(m.title, *(cell(v / unit[m.metric]) for v in (m.difference, m.low, m.high))) for m in measured]
    named: tuple[tuple[str, ColumnKind, str], ...] = (
        ("metric", "text", "Metric"),
        ("difference", "number", "Difference"),
        ("low", "number", "95 % from"),
        ("high", "number", "to"),
    )
    title = "Difference between after and before; right of 0 is better"
    if any(u != 1 for u in unit.values()):
        title += " (errors in units as shares of their range)"
    return Chart(
        name="differences",
        title=title,
        kind="intervals",
        table=_table("differences", title, named, rows),
        label="metric",
        value="difference",
        low="low",
        high="high",
        reference={"no change": 0.0, "margin": -margin},
    )


def difference_table(name: str, title: str, measured: Sequence[Measured], *, before: str, after: str) -> Table:
    """All metrics of two arms, called `before` and `after`, with their intervals."""
    rows = [(m.title, cell(m.before), cell(m.after), cell(m.difference), cell(m.low), cell(m.high)) for m in measured]
    named: tuple[tuple[str, ColumnKind, str], ...] = (
        ("metric", "text", "Metric"),
        ("before", "number", before),
        ("after", "number", after),
        ("difference", "number", "Difference"),
        ("low", "number", "95 % from"),
        ("high", "number", "to"),
    )
    return _table(name, title, named, rows)


def spent_table(taken: Sequence[Spent]) -> Table:
    """What training took, arm by arm: a gain may come from more computing alone."""
    named: tuple[tuple[str, ColumnKind, str], ...] = (
        ("arm", "text", "Arm"),
        ("samples", "integer", "Samples seen by its networks"),
        ("seconds", "number", "Seconds of training"),
    )
    rows = [(one.name, one.samples, round(one.seconds, 1)) for one in taken]
    return _table("training", "What training took, all seeds together", named, rows)


def class_table(graded: Graded, before: Doubles, after: Doubles, differences: Sequence[Interval]) -> Table:
    """Per class: records, before, after, difference with its interval; `before` and `after` are (classes,)."""
    records = graded.task.class_records(graded.truth)
    rows = [
        (name, records[c], cell(before[c]), cell(after[c]), *(cell(v) for v in (d.value, d.low, d.high)))
        for c, (name, d) in enumerate(zip(graded.classes, differences, strict=True))
    ]
    named: tuple[tuple[str, ColumnKind, str], ...] = (
        ("class", "class", "Class"),
        ("records", "integer", "Records"),
        ("before", "fraction", "Before"),
        ("after", "fraction", "After"),
        ("difference", "number", "Difference"),
        ("low", "number", "95 % from"),
        ("high", "number", "to"),
    )
    return _table("per_class", f"{graded.class_metric[0].upper()}{graded.class_metric[1:]} per class", named, rows)


def trivial_table(graded: Graded, arms: Mapping[str, Doubles], *, seed: int) -> Table:
    """Both arms beside predictors that never looked at an image; `arms` maps a name to metrics (metrics,)."""
    lines = dict(arms)
    for name, prediction in graded.task.trivial(graded.truth, np.random.default_rng([seed, 2])).items():
        lines[name] = graded.panel(prediction).plain()[0]
    named: list[tuple[str, ColumnKind, str]] = [("predictor", "text", "Predictor")]
    named += [(m.name, "number", m.title) for m in graded.metrics]
    rows = [(name, *(cell(v) for v in values)) for name, values in lines.items()]
    return _table("trivial_predictors", "Beside predictors that never looked at an image", named, rows)


def calibration_chart(graded: Graded, names: Sequence[str]) -> Chart | None:
    """How often the arms (named in order) are right where they are so sure; None where there are no probabilities."""
    if not graded.task.probabilistic or len(graded.index) == 0:
        return None
    rows: list[tuple[Cell, ...]] = [("perfect", 0.0, 0.0, None), ("perfect", 1.0, 1.0, None)]
    for name, arm in zip(names, graded.predictions, strict=True):
        pairs = [graded.task.confidence(graded.truth, p) for p in arm]
        sure, right = (np.concatenate([pair[i] for pair in pairs]) for i in (0, 1))
        bins = calibration_bins(sure)
        for b in np.unique(bins):
            inside = bins == b
            rows.append((name, float(sure[inside].mean()), float(right[inside].mean()), int(inside.sum())))
    named: tuple[tuple[str, ColumnKind, str], ...] = (
        ("arm", "text", "Arm"),
        ("confidence", "fraction", "Mean confidence"),
        ("right", "fraction", "Share that is right"),
        ("predictions", "integer", "Predictions"),
    )
    title = "Calibration: how often right against how sure"
    table = _table("calibration", title, named, rows)
    return Chart(
        name="calibration", title=title, kind="lines", table=table, label="confidence", value="right", group="arm"
    )  # fmt: skip


def tests_table(graded: Graded) -> Table | None:
    """McNemar and DeLong on probabilities averaged over seeds; None unless each patient has one image."""
    if not graded.one_image_each or not graded.task.probabilistic:
        return None
    before, after = (np.mean(np.stack([p.astype(np.float64) for p in arm]), axis=0) for arm in graded.predictions)
    rows: list[tuple[str, str, float, float, float]] = []
    one_each = graded.truth.ndim == 1  # one class per record, which is right or wrong
    if one_each:
        lost, won, p = mcnemar(_right(graded, before), _right(graded, after))
        rows.append(("McNemar, exact (records right in one arm alone)", "", lost, won, p))
    for c in range(1 if len(graded.classes) == 2 and one_each else 0, len(graded.classes)):
        column = graded.task.against_rest(graded.truth, c)
        known = np.isfinite(column)
        one, two, p = delong(column[known] > 0.5, before[known, c], after[known, c])
        if np.isfinite(p):
            rows.append(("DeLong (AUC)", graded.classes[c], one, two, p))
    adjusted = holm(np.array([row[-1] for row in rows]))
    named: tuple[tuple[str, ColumnKind, str], ...] = (
        ("test", "text", "Test"),
        ("class", "class", "Class"),
        ("before", "number", "Before"),
        ("after", "number", "After"),
        ("p", "number", "p"),
        ("p_adjusted", "number", "p, adjusted (Holm)"),
    )
    full = [(*row, float(q)) for row, q in zip(rows, adjusted, strict=True)]
    return _table("paired_tests", "Paired tests, one image per patient; probabilities averaged over seeds", named, full)


def _right(graded: Graded, probabilities: Doubles) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray(probabilities.argmax(axis=1) == graded.truth)


def _table(name: str, title: str, named: Sequence[tuple[str, ColumnKind, str]], rows: Sequence[Sequence[Cell]]) -> Table:
    columns = [
        Column(name=key, kind=kind, values=tuple(row[i] for row in rows), title=heading)
        for i, (key, kind, heading) in enumerate(named)
    ]
    return Table(name=name, title=title, columns=tuple(columns))
