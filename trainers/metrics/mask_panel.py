"""Dice, Matthews correlation per pixel and Hausdorff distance of masks, as sums per patient (`trainers.metrics.panel.Panel`).

Conventions: Dice is a mean over images, per class, then over classes; an image where a class is neither drawn nor predicted
does not count for it. MCC pools the pixels of all images. Hausdorff is the 95th percentile in pixels; where a class is drawn
or predicted alone, it is the diagonal of the image.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.evidence.raters.overlap import hausdorff95
from trainers.metrics.panel import Doubles, Longs, Metric, Panel, binary_mcc, class_mean, patient_sums, ratio

Maps = npt.NDArray[np.int64]

UNKNOWN = 255
"""Pixel value of a mask: nobody says what is here."""


def mask_metrics(shape: tuple[int, ...]) -> tuple[Metric, ...]:
    """Metrics of `mask_panel` for images of this shape (pixels)."""
    longest = diagonal(shape)
    return (
        Metric(name="dice", title="Dice"),
        Metric(name="pixel_mcc", title="Matthews correlation per pixel", least=-1.0),
        Metric(
            name="hausdorff95_px",
            title="Hausdorff distance 95 % (px)",
            more_is_better=False,
            margin_unit=longest,
            most=longest,
        ),
    )


def diagonal(shape: tuple[int, ...]) -> float:
    """Of an image, in pixels."""
    return float(np.sqrt(np.sum(np.square(shape, dtype=np.float64))))


def class_maps(predicted: npt.NDArray[np.generic], dimensions: int) -> Maps:
    """Class per pixel (records, *shape) from such a map, or from probabilities (records, classes, *shape).

    One output is that of the only foreground class, predicted above .5; several are all classes with the background first.
    """
    if predicted.ndim == 1 + dimensions:
        return np.asarray(predicted).astype(np.int64)
    if predicted.shape[1] == 1:
        return (predicted[:, 0].astype(np.float64) > 0.5).astype(np.int64)
    return np.asarray(predicted.argmax(axis=1), np.int64)


def mask_panel(truth: Maps, predicted: Maps, foreground: int, patients: Longs, count: int) -> Panel:
    """Of masks. Metrics: `mask_metrics`; per class: Dice.

    Args:
        truth, predicted: class per pixel, 0 = background, (records, *shape); pixels whose truth is 255 are not known and
            count nowhere.
        foreground: number of classes without the background.
        patients, count: as in `trainers.metrics.label_panels.single_panel`.
    """
    axes = tuple(range(1, truth.ndim))
    longest = diagonal(truth.shape[1:])
    known = truth != UNKNOWN
    pixels = known.sum(axis=axes).astype(np.float64)
    columns: list[Doubles] = []
    for c in range(1, foreground + 1):
        one, two = truth == c, (predicted == c) & known
        tp, drawn, found = ((m).sum(axis=axes).astype(np.float64) for m in (one & two, one, two))
        fp, fn = found - tp, drawn - tp
        tn = pixels - tp - fp - fn
        seen = (drawn + found) > 0
        dice = np.where(seen, 2 * tp / np.where(seen, drawn + found, 1.0), 0.0)
        far = np.zeros(len(truth))
        for i in np.flatnonzero(seen):
            far[i] = _distance(one[i], two[i]) if drawn[i] and found[i] else longest
        columns += [tp, fp, fn, tn, dice, far, seen.astype(np.float64)]
    sums = patient_sums(patients, columns, count)

    def read(sums: Doubles, _: Doubles) -> tuple[Doubles, Doubles]:
        tp, fp, fn, tn, dice, far, seen = (sums[:, i::7] for i in range(7))
        there = seen > 0
        dice, far = ratio(dice, seen), ratio(far, seen)
        mcc = np.where(there, binary_mcc(tp, fp, fn, tn), np.nan)
        return np.column_stack([class_mean(dice), class_mean(mcc), class_mean(far)]), dice

    return Panel(sums=sums, read=read)


def _distance(one: npt.NDArray[np.bool_], two: npt.NDArray[np.bool_]) -> float:
    """Hausdorff 95 of two masks that are not empty; only the part of the image around both is looked at."""
    either = one | two
    window = []
    for axis in range(either.ndim):
        hit = np.flatnonzero(either.any(axis=tuple(a for a in range(either.ndim) if a != axis)))
        # One pixel more, so that the cut does not look like the frame of the image.
        window.append(slice(max(0, hit[0] - 1), hit[-1] + 2))
    return hausdorff95(one[tuple(window)], two[tuple(window)])
