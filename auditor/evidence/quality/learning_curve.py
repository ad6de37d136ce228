"""Does more of this data still help: the built-in probe on nested parts of the patients, and two curves through its results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from threadpoolctl import threadpool_limits

from auditor.check import SkipCheck
from auditor.prediction.folds import fold_groups
from auditor.prediction.predict import COLOURS, ENCODING, MODULES
from auditor.prediction.probe import fit_probe
from auditor.values.dataset import Dataset

Floats = npt.NDArray[np.float64]

PARTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4)
"""Of the groups; the last quarter is the test."""
MOST = 4_000
LEAST_RECORDS = 200
LEAST_PER_CLASS = 20
DRAWS = 60


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What twice the data would add to the balanced accuracy, with a 95 % interval over draws and both curves."""

    gain: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Measured points first (`measured` of them), then the forecast at 1, 1.5 and 2 times the largest part.

    `harmful` are steps whose interval lies below zero: (size, step, low, high).
    """

    sizes: tuple[int, ...]
    series: tuple[str, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    measured: int
    forecast: Forecast
    harmful: tuple[tuple[int, float, float, float], ...]


def learning_curve(dataset: Dataset, *, repeats: int, seed: int) -> Curve:
    """Measure and fit. At most 4,000 records are used; groups (patients, identical pictures) stay whole.

    Raises:
        SkipCheck: no single label, no pixels, or too few records.
    """
    sizes, scores = _measure(dataset, repeats, seed)
    rng = np.random.default_rng(seed)
    ahead = sizes[-1] * np.array([1.0, 1.5, 2.0])
    drawn = np.stack([scores[rng.integers(0, len(scores), len(scores))].mean(axis=0) for _ in range(DRAWS)])
    curves = np.stack([predict_curve(sizes, mean, ahead) for mean in drawn])  # draws × 2 fits × points
    centre = predict_curve(sizes, scores.mean(axis=0), ahead)
    gains = curves[:, :, 2] - curves[:, :, 0]
    forecast = Forecast(
        gain=float((centre[:, 2] - centre[:, 0]).mean()),
        low=float(np.percentile(gains.min(axis=1), 2.5)),
        high=float(np.percentile(gains.max(axis=1), 97.5)),
    )
    inside = np.percentile(drawn, (2.5, 97.5), axis=0)
    outside = np.percentile(curves.reshape(-1, len(ahead)), (2.5, 97.5), axis=0)
    steps = np.diff(drawn, axis=1)
    harmful = []
    for i in range(steps.shape[1]):
        low, high = (float(v) for v in np.percentile(steps[:, i], (2.5, 97.5)))
        if high < 0:
            harmful.append((int(sizes[i + 1]), float(np.diff(scores.mean(axis=0))[i]), low, high))
    return Curve(
        sizes=(*(int(s) for s in sizes), *(int(a) for a in ahead)),
        series=("measured",) * len(sizes) + ("forecast",) * len(ahead),
        values=clip(np.concatenate([scores.mean(axis=0), centre.mean(axis=0)])),
        low=clip(np.concatenate([inside[0], outside[0]])),
        high=clip(np.concatenate([inside[1], outside[1]])),
        measured=len(sizes),
        forecast=forecast,
        harmful=tuple(harmful),
    )


def clip(values: Floats) -> tuple[float, ...]:
    """Between 0 and 1."""
    return tuple(float(v) for v in np.clip(values, 0, 1))


def predict_curve(sizes: Floats, scores: Floats, ahead: Floats) -> Floats:
    """Values at `ahead` by a power law a − b·n^−c and by a plateau a − b·exp(−n/τ); shape (2, points).

    Both rise or are flat (b ≥ 0), end at most at 1, and are fitted by least squares with larger parts weighing more.
    """
    weight = np.sqrt(sizes / sizes.max())
    scale = float(sizes.max())
    top, spread = float(scores.max()), max(float(scores.max() - scores.min()), 1e-3)

    def power(p: Floats, n: Floats) -> Floats:
        return np.asarray(p[0] - p[1] * (n / scale) ** -p[2])

    def plateau(p: Floats, n: Floats) -> Floats:
        return np.asarray(p[0] - p[1] * np.exp(-n / scale / p[2]))

    found = []
    for curve, low, high, start in (
        (power, (0.0, 0.0, 0.1), (1.0, 1.0, 2.0), (min(top + spread / 4, 1.0), spread / 4, 0.5)),
        (plateau, (0.0, 0.0, 0.02), (1.0, 1.0, 2.0), (min(top, 1.0), spread, 0.3)),
    ):
        inside = np.clip(start, np.array(low) + 1e-6, np.array(high) - 1e-6)
        fit = least_squares(lambda p, c=curve: weight * (c(p, sizes) - scores), inside, bounds=(low, high), max_nfev=200)
        found.append(curve(fit.x, ahead))
    return np.stack(found)


def _measure(dataset: Dataset, repeats: int, seed: int) -> tuple[Floats, Floats]:
    """Mean training sizes (parts,), and balanced accuracy (repeats, parts)."""
    features, codes, groups = _usable(dataset)
    classes = int(codes.max()) + 1
    targets = (codes[:, None] == np.arange(classes)).astype(np.float32)
    known = np.ones(targets.shape, dtype=np.bool_)
    rng = np.random.default_rng(seed)
    count = int(groups.max()) + 1
    sizes, scores = np.zeros((repeats, len(PARTS))), np.zeros((repeats, len(PARTS)))
    with threadpool_limits(limits=1, user_api="blas"):
        for repeat in range(repeats):
            rank = rng.permutation(count)[groups] / count
            test = rank >= PARTS[-1]
            for i, part in enumerate(PARTS):
                train = np.flatnonzero(rank < part)
                probe = fit_probe(
                    features[train],
                    targets[train],
                    known[train],
                    exclusive=True,
                    references=2_000,
                    rng=np.random.default_rng(seed),
                )
                answer = probe.probabilities(features[test]).argmax(axis=1)
                right = answer == codes[test]
                recall = [right[codes[test] == c].mean() for c in range(classes) if (codes[test] == c).any()]
                sizes[repeat, i], scores[repeat, i] = len(train), float(np.mean(recall))
    return sizes.mean(axis=0), scores


def _usable(dataset: Dataset) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    labels = dataset.labels
    if labels.task not in ("single", "ordinal"):
        raise SkipCheck("the forecast needs one class per record")
    names = [c for c in dataset.features.columns if str(c).split(".")[0] in MODULES and c not in ENCODING and c not in COLOURS]
    values = dataset.features[names].to_numpy(dtype=np.float32) if names else np.empty((dataset.size, 0), np.float32)
    codes = labels.codes
    usable = (codes >= 0) & (np.isfinite(values).all(axis=1) if names else np.zeros(dataset.size, bool))
    large = np.flatnonzero(np.bincount(codes[usable], minlength=1) >= LEAST_PER_CLASS)
    usable &= np.isin(codes, large)
    if usable.sum() < LEAST_RECORDS or len(large) < 2:
        raise SkipCheck(
            f"the forecast needs {LEAST_RECORDS} labelled images and two classes of at least {LEAST_PER_CLASS} of them"
        )
    rows = np.flatnonzero(usable)
    groups = np.unique(fold_groups(dataset)[rows], return_inverse=True)[1]
    if len(rows) > MOST:
        # Whole groups, every k-th: the draw does not depend on a generator.
        kept = groups % -(-len(rows) // MOST) == 0
        rows, groups = rows[kept], np.unique(groups[kept], return_inverse=True)[1]
    if groups.max() < 40:
        raise SkipCheck("the forecast needs at least 40 patients")
    return values[rows], np.searchsorted(large, codes[rows]).astype(np.int64), np.asarray(groups, dtype=np.int64)
