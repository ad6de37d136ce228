"""Truth and predictions of any task in one form: one panel of metrics per arm and seed, over the records that can be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.statistics.clusters import clusters_of
from trainers.metrics import label_panels, mask_panel
from trainers.metrics.panel import Doubles, Longs, Metric, Panel

Kind = Literal["single", "multi", "ordinal", "continuous", "segmentation"]
Array = npt.NDArray[np.generic]


@dataclass(frozen=True, kw_only=True)
class Graded:
    """Arms that were graded on the same records.

    Args:
        kind: of the task.
        metrics: what the panels hold; the first is the main one.
        arms: one panel per seed, for each arm.
        classes: names of the values per class; empty where there are none.
        class_metric: what the value per class is, in words.
        truth: of the records kept; the form of `grade`.
        predictions: per arm, per seed, of the records kept; probabilities (records, classes), a
            number (records,) or class maps (records, *shape).
        index: patient number per record kept.
        patients: how many.
        dropped: records without a known truth or without a prediction.
        absent: classes without a record here (of findings: without both answers).
        unit: what `patients` counts, where no patient is known.
    """

    kind: Kind
    metrics: tuple[Metric, ...]
    arms: tuple[tuple[Panel, ...], ...]
    classes: tuple[str, ...]
    class_metric: str
    truth: Array
    predictions: tuple[tuple[Array, ...], ...]
    index: Longs
    patients: int
    dropped: int
    absent: tuple[str, ...]
    unit: str = "patient"

    @property
    def one_image_each(self) -> bool:
        """Records are independent: each patient has one."""
        return self.patients == len(self.index)

    def panel(self, prediction: Array) -> Panel:
        """Another prediction on the same records, in the form of `predictions`."""
        return _panel(self.kind, self.truth, prediction, self.classes, self.index, self.patients)


def grade(
    truth: Array,
    arms: Sequence[Sequence[Array]],
    *,
    patients: Sequence[object] | Array,
    kind: Kind,
    classes: Sequence[str],
    unit: str = "patient",
) -> Graded:
    """Grade arms, each a prediction per seed.

    Args:
        truth: class number (records,), −1 = not known (single, ordinal); 0, 1 or NaN (records, classes) (multi); a number or
            NaN (records,) (continuous); class per pixel (records, *shape) (segmentation).
        arms: per arm and seed: probabilities (records, classes); for ordinal also the probabilities of being above each grade
            (records, classes − 1); the number (records,) or (records, 1); for masks probabilities (records, outputs, *shape) or
            class maps (records, *shape). A record with NaN in any of them is left out of all.
        patients: id per record; None = a patient of its own.
        kind: of the task.
        classes: names; of masks with or without the background.
        unit: what `patients` are, in one word.

    Raises:
        ValueError: shapes or numbers of seeds that do not fit.
    """
    truth = np.asarray(truth)
    if len({len(arm) for arm in arms}) != 1 or len(arms[0]) == 0:
        raise ValueError("each arm needs predictions of the same seeds, of one at least")
    if any(len(p) != len(truth) for arm in arms for p in arm) or len(patients) != len(truth):
        raise ValueError("truth, predictions and patients differ in their number of records")
    made = [[_prepared(kind, np.asarray(p), truth, len(classes)) for p in arm] for arm in arms]
    kept = _known(kind, truth)
    for arm in made:
        for p in arm:
            kept &= np.isfinite(p).reshape(len(p), -1).all(axis=1)
    truth = truth[kept].astype(np.float64 if kind in ("multi", "continuous") else np.int64)
    clusters = clusters_of(pd.Series(np.asarray(patients, dtype=object)[kept]), int(kept.sum()))
    predictions = tuple(tuple(p[kept] for p in arm) for arm in made)
    names = _names(kind, classes)
    return Graded(
        kind=kind,
        metrics=_metrics(kind, truth, len(names)),
        arms=tuple(tuple(_panel(kind, truth, p, names, clusters.index, clusters.count) for p in arm) for arm in predictions),
        classes=names,
        class_metric={"multi": "AUC", "segmentation": "Dice"}.get(kind, "recall"),
        truth=truth,
        predictions=predictions,
        index=clusters.index,
        patients=clusters.count,
        dropped=int((~kept).sum()),
        unit=unit,
        absent=_absent(kind, truth, names),
    )


def _prepared(kind: Kind, prediction: Array, truth: Array, classes: int) -> Array:
    if kind == "segmentation":
        maps = mask_panel.class_maps(prediction, truth.ndim - 1)
        if maps.shape != truth.shape:
            raise ValueError("masks and predictions differ in shape")
        return maps
    values = prediction.astype(np.float64)
    if kind == "continuous":
        return values.reshape(len(values), -1)[:, 0]
    if kind == "ordinal" and values.ndim == 2 and values.shape[1] == classes - 1:
        ends = np.ones((len(values), 1))
        # Above grade k can be no more likely than above k − 1, whatever the network says.
        above = np.concatenate([ends, np.minimum.accumulate(values, axis=1), 0 * ends], axis=1)
        return np.asarray(above[:, :-1] - above[:, 1:])
    if values.ndim != 2 or values.shape[1] != classes:
        raise ValueError("predictions need one column per class")
    return values


def _known(kind: Kind, truth: Array) -> npt.NDArray[np.bool_]:
    if kind in ("single", "ordinal"):
        return np.asarray(truth.astype(np.int64) >= 0)
    if kind == "segmentation":
        return np.asarray((truth != mask_panel.UNKNOWN).reshape(len(truth), -1).any(axis=1))
    return np.asarray(np.isfinite(truth.astype(np.float64)).reshape(len(truth), -1).any(axis=1))


def _names(kind: Kind, classes: Sequence[str]) -> tuple[str, ...]:
    if kind == "continuous":
        return ()
    if kind != "segmentation":
        return tuple(classes)
    # The background is no object: its Dice would flatter.
    return tuple(classes[1:]) if len(classes) > 1 else tuple(classes)


def _metrics(kind: Kind, truth: Array, classes: int) -> tuple[Metric, ...]:
    if kind == "continuous":
        return label_panels.continuous_metrics(truth.astype(np.float64))
    if kind == "ordinal":
        return label_panels.ordinal_metrics(classes)
    if kind == "segmentation":
        return mask_panel.mask_metrics(truth.shape[1:])
    return label_panels.SINGLE if kind == "single" else label_panels.MULTI


def _panel(kind: Kind, truth: Array, prediction: Array, classes: Sequence[str], index: Longs, patients: int) -> Panel:
    if kind == "segmentation":
        return mask_panel.mask_panel(
            truth.astype(np.int64), prediction.astype(np.int64), len(classes), patients=index, count=patients
        )
    values: Doubles = prediction.astype(np.float64)
    if kind == "multi":
        return label_panels.multi_panel(truth.astype(np.float64), values, index, patients)
    if kind == "continuous":
        return label_panels.continuous_panel(truth.astype(np.float64), values, index, patients)
    build = label_panels.single_panel if kind == "single" else label_panels.ordinal_panel
    return build(truth.astype(np.int64), values, index, patients)


def _absent(kind: Kind, truth: Array, names: Sequence[str]) -> tuple[str, ...]:
    if kind == "multi":
        return tuple(n for c, n in enumerate(names) if not {0.0, 1.0} <= set(truth[:, c].tolist()))
    first = 1 if kind == "segmentation" else 0
    there = set(np.unique(truth).tolist())
    return tuple(n for c, n in enumerate(names, first) if c not in there)
