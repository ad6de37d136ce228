"""Did it help? Two arms on records that no correction touched, and the verdict in words.

The unit is the patient; both arms have the same seeds. The main metric decides: balanced accuracy (single), macro AUC (multi),
quadratic κ (ordinal), mean absolute error (continuous), Dice (masks). *Improved*: its 95 % interval lies above 0; *harmed*:
below 0; *not worse*: above −margin; else *cannot tell*. Where neither arm is above a predictor that never looked at an image,
the verdict is *neither learnt the task*: their difference is that of two sets of dice. Masks below such a predictor in Dice are
compared where one of them is above it in a metric that flatters none, and only where both metrics say the same. The other
metrics are judged alike, but only called improved when their p-value, adjusted over all metrics (Holm), is below .05.
Differences are turned so that more is better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from auditor.statistics.multiplicity import holm
from auditor.values.corrections import ComparisonVerdict, Evaluation, Measured
from auditor.values.results import Chart, Table
from trainers.grading.evaluation_tables import calibration_chart, class_table, difference_chart, tests_table, trivial_table
from trainers.grading.floor import floor_of
from trainers.grading.grade import Graded, grade
from trainers.grading.paired import Draws, Interval, draw, draw_seeds, interval
from trainers.grading.wording import (
    LEAST_PATIENTS,
    agree,
    count,
    disagreement,
    floor_notes,
    judge,
    lowered,
    notes,
    number,
    signed,
    summary,
)
from trainers.metrics.panel import Doubles, Metric
from trainers.values.task import Array, LearningTask

Patients = Sequence[object] | Array
Seeds = Sequence[Array] | Array


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric of one arm with its 95 % interval, in the metric's own direction."""

    metric: str
    title: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The arm that was chosen, why, and per arm the gain over the baseline with its standard error."""

    arm: str
    reason: str
    gains: Mapping[str, float]
    errors: Mapping[str, float]


def compare_arms(
    truth: Array,
    before: Seeds,
    after: Seeds,
    *,
    patients: Patients,
    task: str | LearningTask,
    classes: Sequence[str] = (),
    arm: str,
    baseline: str = "none",
    margin: float = 0.01,
    resamples: int = 2000,
    seed: int = 0,
    self_graded: bool = False,
    unit: str = "patient",
) -> Evaluation:
    """Compare two arms on the evaluation records.

    Args:
        truth: as in `trainers.grading.grade.grade`.
        before, after: predictions of the baseline and of the arm: per seed, the same seeds in the same order.
        patients: id per record; None = a patient of its own.
        task: what was learnt, or the name of its kind.
        classes: names, where the task is only named.
        arm, baseline: names of the two.
        margin: a loss smaller than this counts as none; a fraction, for errors in units a share of their range.
        resamples: of patients and seeds.
        seed: of the resampling.
        self_graded: the truth was chosen by a model.
        unit: what `patients` are, in one word; `picture` where no patient is known.

    Raises:
        ValueError: shapes or numbers of seeds that do not fit.
    """
    graded = grade(truth, [list(before), list(after)], patients=patients, task=task, classes=classes, unit=unit)
    seeds = len(graded.arms[0])
    if graded.patients == 0:
        return _nothing(arm, baseline, seeds, margin, self_graded)
    one, two = draw(graded.arms, patients=graded.patients, resamples=resamples, seed=seed)
    shares = draw_seeds(seeds, resamples=resamples, seed=seed)
    measured = _measured(graded, one, two, shares, margin)
    class_intervals = tuple(
        interval(
            two.classes_plain[:, c] - one.classes_plain[:, c],
            two.classes[:, :, c] - one.classes[:, :, c],
            shares,
            patients=graded.patients,
        )
        for c in range(len(graded.classes))
    )
    main = next((m for m in measured if m.metric == graded.metrics[0].name), None)
    floor = floor_of(graded, one, two, shares, resamples=resamples, seed=seed) if main else None
    if main and floor is None:  # where no trivial predictor can be measured, nothing is shown to be above it
        main = replace(main, verdict="cannot tell")
        measured = [main if m.metric == main.metric else m for m in measured]
    sight = next((i for i, m in enumerate(graded.metrics) if m.name == graded.task.unflattered), None)
    seen, doubt = None, ""
    if main and floor is not None and not any(floor.learnt) and graded.patients >= LEAST_PATIENTS:
        if sight is not None:
            seen = floor_of(graded, one, two, shares, resamples=resamples, seed=seed, metric_index=sight)
        other = next((m for m in measured if m.metric == graded.task.unflattered), None)
        if seen is None or other is None or not any(seen.learnt):
            main = replace(main, verdict="neither learnt the task")
        elif not agree(main.verdict, judge(other.low, other.high, margin * seen.metric.margin_unit)):
            doubt = disagreement(floor, other)
            main = replace(main, verdict="cannot tell")
            measured = [main if m.metric == main.metric else m for m in measured]
    verdict: ComparisonVerdict = main.verdict if main else "cannot tell"
    harmed = [(n, i) for n, i in zip(graded.classes, class_intervals, strict=True) if i.high < 0]
    charts: list[Chart] = [difference_chart(graded, measured, margin)]
    calibration = calibration_chart(graded, (baseline, arm))
    tests = tests_table(graded)
    tables: list[Table] = []
    if graded.classes:
        plain = (one.classes_plain.mean(axis=0), two.classes_plain.mean(axis=0))
        tables.append(class_table(graded, *plain, class_intervals))
    both = {baseline: one.metrics_plain.mean(axis=0), arm: two.metrics_plain.mean(axis=0)}
    tables.append(trivial_table(graded, both, seed=seed))
    if verdict == "neither learnt the task":  # no metric of an arm that learnt nothing is better or worse for a reason
        measured = [replace(m, verdict="cannot tell") for m in measured]
    return Evaluation(
        arm=arm,
        baseline=baseline,
        verdict=verdict,
        summary=summary(
            graded, main, harmed, seeds=seeds, margin=margin, self_graded=self_graded,
            floor=floor if verdict == "neither learnt the task" else None, floored=floor is not None, doubt=doubt,
        ),
        metrics=tuple(sorted(measured, key=lambda m: m is not main)),
        records=len(graded.index),
        patients=graded.patients,
        unit=unit,
        seeds=seeds,
        margin=margin,
        self_graded=self_graded,
        tables=tuple(tables + ([tests] if tests else [])),
        charts=tuple(charts + ([calibration] if calibration else [])),
        notes=(*notes(graded, seeds, harmed), *(floor_notes(graded, floor, seen, (baseline, arm)) if floor else ())),
    )  # fmt: skip


def score(
    truth: Array,
    predictions: Seeds,
    *,
    patients: Patients,
    task: str | LearningTask,
    classes: Sequence[str] = (),
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[Score, ...]:
    """All metrics of one arm with intervals over patients and seeds; the main one first. Arguments as in `compare_arms`."""
    graded = grade(truth, [list(predictions)], patients=patients, task=task, classes=classes)
    if graded.patients == 0:
        return ()
    (drawn,) = draw(graded.arms, patients=graded.patients, resamples=resamples, seed=seed)
    shares = draw_seeds(len(graded.arms[0]), resamples=resamples, seed=seed)
    found = []
    for i, metric in enumerate(graded.metrics):
        span = interval(drawn.metrics_plain[:, i], drawn.metrics[:, :, i], shares, patients=graded.patients)
        low, high = np.clip([span.low, span.high], metric.least, metric.most)
        found.append(Score(metric=metric.name, title=metric.title, value=span.value, low=float(low), high=float(high)))
    return tuple(found)


def choose_best(
    truth: Array,
    arms: Mapping[str, Seeds],
    *,
    baseline: str,
    patients: Patients,
    task: str | LearningTask,
    classes: Sequence[str] = (),
    resamples: int = 1000,
    seed: int = 0,
) -> Choice:
    """The arm with the best main metric, unless its gain over the baseline is within one standard error: then the baseline.

    For trusted validation records. `arms` maps a name to predictions per seed and holds the baseline; of equals the first wins.

    Raises:
        ValueError: the baseline is not among the arms, or shapes do not fit.
    """
    if baseline not in arms:
        raise ValueError(f"the baseline {baseline!r} is not among the arms")
    names = list(arms)
    graded = grade(truth, [list(arms[n]) for n in names], patients=patients, task=task, classes=classes)
    if graded.patients < 2 or len(names) == 1:
        reason = "no other arm was tried" if len(names) == 1 else "the validation part has fewer than two patients"
        return Choice(arm=baseline, reason=f"{baseline}: {reason}", gains={}, errors={})
    drawn = dict(zip(names, draw(graded.arms, patients=graded.patients, resamples=resamples, seed=seed), strict=True))
    shares = draw_seeds(len(graded.arms[0]), resamples=resamples, seed=seed)
    metric, base = graded.metrics[0], drawn[baseline]
    gains, errors = {}, {}
    for name in names:
        if name != baseline:
            span = _difference(metric, 0, base, drawn[name], shares, graded.patients)
            gains[name], errors[name] = span.value, span.error
    known = [n for n in gains if np.isfinite(gains[n]) and np.isfinite(errors[n])]
    best = max(known, key=lambda n: gains[n]) if known else None
    where = f"on validation ({count(graded.patients, 'patient')})"
    title = lowered(metric.title)
    if best is None:
        return Choice(arm=baseline, reason=f"{baseline}: {title} cannot be measured {where}", gains=gains, errors=errors)
    size = f"{best} gains {signed(gains[best])} in {title}, standard error {number(errors[best])}"
    if gains[best] > errors[best]:
        return Choice(arm=best, reason=f"{size}, {where}", gains=gains, errors=errors)
    return Choice(arm=baseline, reason=f"{size}, {where}: within one standard error", gains=gains, errors=errors)


def _measured(graded: Graded, one: Draws, two: Draws, shares: Doubles, margin: float) -> list[Measured]:
    spans = [_difference(metric, i, one, two, shares, graded.patients) for i, metric in enumerate(graded.metrics)]
    usable = [i for i, span in enumerate(spans) if np.isfinite(span.value) and np.isfinite(span.low)]
    adjusted = dict(zip(usable, holm(np.array([spans[i].p for i in usable])).tolist(), strict=True))
    made = []
    for i in usable:
        metric, span, p = graded.metrics[i], spans[i], adjusted[i]
        verdict = judge(span.low, span.high, margin * metric.margin_unit)
        if i > 0 and verdict == "improved" and p >= 0.05:
            verdict = "not worse"
        if graded.patients < LEAST_PATIENTS:
            verdict = "cannot tell"
        made.append(
            Measured(
                metric=metric.name,
                title=metric.title,
                before=float(one.metrics_plain[:, i].mean()),
                after=float(two.metrics_plain[:, i].mean()),
                difference=span.value,
                low=span.low,
                high=span.high,
                p=p,
                verdict=verdict,
            )
        )
    return made


def _difference(metric: Metric, i: int, one: Draws, two: Draws, shares: Doubles, patients: int) -> Interval:
    plain = metric.sign * (two.metrics_plain[:, i] - one.metrics_plain[:, i])
    drawn = metric.sign * (two.metrics[:, :, i] - one.metrics[:, :, i])
    span = interval(plain, drawn, shares, patients=patients)
    # two seeds that differ make a t with one degree of freedom: no difference can be larger than the range of the metric
    widest = metric.most - metric.least
    return replace(span, low=max(span.low, -widest), high=min(span.high, widest)) if np.isfinite(span.low) else span


def _nothing(arm: str, baseline: str, seeds: int, margin: float, self_graded: bool) -> Evaluation:
    return Evaluation(
        arm=arm,
        baseline=baseline,
        verdict="cannot tell",
        summary="cannot tell: no evaluation record has a known truth and a prediction",
        metrics=(),
        records=0,
        patients=0,
        seeds=seeds,
        margin=margin,
        self_graded=self_graded,
    )
