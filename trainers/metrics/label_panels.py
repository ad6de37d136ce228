"""One arm of one seed as sums per patient: a panel of metrics for labels, findings, grades and numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

import numpy as np

from trainers.metrics.panel import (
    Doubles,
    Longs,
    Metric,
    Panel,
    Ranks,
    bin_sums,
    binary_mcc,
    calibration_bins,
    calibration_error,
    class_mean,
    matthews,
    patient_sums,
    quadratic_kappa,
    rank_pairs,
    ratio,
    tally,
)

SINGLE = (
    Metric(name="balanced_accuracy", title="Balanced accuracy"),
    Metric(name="macro_auc", title="AUC, mean over classes"),
    Metric(name="mcc", title="Matthews correlation", least=-1.0),
    Metric(name="accuracy", title="Accuracy"),
    Metric(name="brier_score", title="Brier score", more_is_better=False),
    Metric(name="calibration_error", title="Calibration error", more_is_better=False),
)
MULTI = (
    Metric(name="macro_auc", title="AUC, mean over findings"),
    Metric(name="balanced_accuracy", title="Balanced accuracy, mean over findings"),
    Metric(name="mcc", title="Matthews correlation, mean over findings", least=-1.0),
    Metric(name="brier_score", title="Brier score", more_is_better=False),
    Metric(name="calibration_error", title="Calibration error", more_is_better=False),
)


def ordinal_metrics(grades: int) -> tuple[Metric, ...]:
    """Metrics of `ordinal_panel`."""
    span = float(max(1, grades - 1))
    return (
        Metric(name="quadratic_kappa", title="Quadratic weighted κ", least=-1.0),
        Metric(name="grade_error", title="Mean error in grades", more_is_better=False, margin_unit=span, most=span),
        *SINGLE,
    )


def continuous_metrics(truth: Doubles) -> tuple[Metric, ...]:
    """Metrics of `continuous_panel`; a margin of 1 is one standard deviation of the truth."""
    spread = (float(truth.std()) if len(truth) else 0.0) or 1.0
    return (
        Metric(name="mean_absolute_error", title="Mean absolute error", more_is_better=False, margin_unit=spread, most=inf),
        Metric(name="r2", title="Explained variance R²", least=-inf),
    )


def single_panel(truth: Longs, probabilities: Doubles, patients: Longs, count: int) -> Panel:
    """Of one class per record. Metrics: `SINGLE`; per class: recall.

    Args:
        truth: class number per record, (records,).
        probabilities: (records, classes); the predicted class is the likeliest.
        patients: patient number per record, 0 … count − 1.
        count: of patients.
    """
    sums, read, ranks = _single(truth, probabilities, probabilities.argmax(axis=1), patients, count)
    return Panel(sums=sums, read=read, ranks=ranks)


def ordinal_panel(truth: Longs, probabilities: Doubles, patients: Longs, count: int) -> Panel:
    """Of grades. Metrics: `ordinal_metrics`; per class: recall.

    The predicted grade is the median of the predicted distribution, the grade of least expected absolute error.
    """
    classes = probabilities.shape[1]
    predicted = np.minimum((np.cumsum(probabilities, axis=1) < 0.5 - 1e-12).sum(axis=1), classes - 1)
    sums, inner, ranks = _single(truth, probabilities, predicted, patients, count)
    apart = (truth - predicted).astype(np.float64)
    own = patient_sums(patients, (np.abs(apart), apart**2), count)

    def read(sums: Doubles, auc: Doubles) -> tuple[Doubles, Doubles]:
        metrics, per_class = inner(sums[:, 2:], auc)
        support, guessed = sums[:, 2 : 2 + classes], sums[:, 2 + 2 * classes : 2 + 3 * classes]
        kappa = quadratic_kappa(sums[:, 1], support, guessed)
        return np.column_stack([kappa, ratio(sums[:, 0], support.sum(axis=1)), metrics]), per_class

    return Panel(sums=np.concatenate([own, sums], axis=1), read=read, ranks=ranks)


def multi_panel(truth: Doubles, probabilities: Doubles, patients: Longs, count: int) -> Panel:
    """Of several findings per record. Metrics: `MULTI`; per class: AUC.

    Args:
        truth: 0, 1 or NaN = not known, (records, classes); unknown cells count nowhere.
        probabilities: (records, classes); a finding is predicted from .5.
        patients, count: as in `single_panel`.
    """
    classes = truth.shape[1]
    row, column = np.nonzero(np.isfinite(truth))
    p, y = probabilities[row, column], truth[row, column] > 0.5
    cell = (2 * y + (p >= 0.5)) * classes + column
    bins = calibration_bins(p)
    parts = [
        tally(patients[row], cell, count, 4 * classes),
        patient_sums(patients[row], ((p - y) ** 2,), count),
        bin_sums(patients[row], bins, p, y, count),
    ]
    ranks = []
    for c in range(classes):
        known = np.flatnonzero(np.isfinite(truth[:, c]))
        ranks.append(rank_pairs(probabilities[known, c], truth[known, c] > 0.5, patients[known], count))

    def read(sums: Doubles, auc: Doubles) -> tuple[Doubles, Doubles]:
        tn, fp, fn, tp = (sums[:, i * classes : (i + 1) * classes] for i in range(4))
        total = sums[:, : 4 * classes].sum(axis=1)
        balanced = (ratio(tp, tp + fn) + ratio(tn, tn + fp)) / 2
        mcc = np.where(np.isnan(balanced), np.nan, binary_mcc(tp, fp, fn, tn))
        brier, error = ratio(sums[:, 4 * classes], total), calibration_error(sums[:, 4 * classes + 1 :])
        return np.column_stack([class_mean(auc), class_mean(balanced), class_mean(mcc), brier, error]), auc

    return Panel(sums=np.concatenate(parts, axis=1), read=read, ranks=tuple(ranks))


def continuous_panel(truth: Doubles, predicted: Doubles, patients: Longs, count: int) -> Panel:
    """Of a number. Metrics: `continuous_metrics`; nothing per class. `truth` and `predicted` are (records,)."""
    # Centred first: the sum of squares of large numbers would lose the small differences between them.
    y = truth - truth.mean() if len(truth) else truth
    columns = (np.ones(len(y)), np.abs(truth - predicted), (truth - predicted) ** 2, y, y**2)
    sums = patient_sums(patients, columns, count)

    def read(sums: Doubles, _: Doubles) -> tuple[Doubles, Doubles]:
        n, absolute, squared, total, squares = sums.T
        around = squares - total**2 / np.maximum(n, 1)
        r2 = 1 - ratio(squared, np.where(around > 1e-12 * np.maximum(squares, 1e-300), around, 0.0))
        return np.column_stack([ratio(absolute, n), r2]), np.empty((len(n), 0))

    return Panel(sums=sums, read=read)


def _single(
    truth: Longs, probabilities: Doubles, predicted: Longs, patients: Longs, count: int
) -> tuple[Doubles, Callable[[Doubles, Doubles], tuple[Doubles, Doubles]], tuple[Ranks, ...]]:
    classes = probabilities.shape[1]
    right = truth == predicted
    wanted = np.eye(classes)[truth]
    confidence = probabilities[np.arange(len(truth)), predicted]
    parts: Sequence[Doubles] = [
        tally(patients, truth, count, classes),
        tally(patients[right], truth[right], count, classes),
        tally(patients, predicted, count, classes),
        patient_sums(patients, (((probabilities - wanted) ** 2).sum(axis=1) / 2,), count),
        bin_sums(patients, calibration_bins(confidence), confidence, right, count),
    ]
    # With two classes both AUC are one: that of the second class stands for both.
    asked = [1, 1] if classes == 2 else list(range(classes))
    made = {c: rank_pairs(probabilities[:, c], truth == c, patients, count) for c in set(asked)}

    def read(sums: Doubles, auc: Doubles) -> tuple[Doubles, Doubles]:
        support, hits, guessed = (sums[:, i * classes : (i + 1) * classes] for i in range(3))
        total, correct = support.sum(axis=1), hits.sum(axis=1)
        recall = ratio(hits, support)
        brier, error = ratio(sums[:, 3 * classes], total), calibration_error(sums[:, 3 * classes + 1 :])
        mcc = matthews(correct, support, guessed)
        return np.column_stack([class_mean(recall), class_mean(auc), mcc, ratio(correct, total), brier, error]), recall

    return np.concatenate(parts, axis=1), read, tuple(made[c] for c in sorted(set(asked)))
