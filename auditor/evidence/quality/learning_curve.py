"""Does more of this data still help: the built-in probe on nested parts of the patients, and two curves through its results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from auditor.check import SkipCheck
from auditor.evidence.quality.sample_size import filled, plain_features
from auditor.prediction.folds import fold_groups
from auditor.prediction.probe import fit_probe
from auditor.values.dataset import Dataset

Floats = npt.NDArray[np.float64]

PARTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4)
"""Of the groups; the last quarter is the test."""
MOST = 4_000
LEAST_RECORDS = 200
LEAST_PER_CLASS = 20
DRAWS = 60
BENDS = 41
"""Of the curves that are compared at a time."""


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
    curves = predict_curve(sizes, drawn, ahead)  # draws × 2 fits × points
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
    """Values at `ahead` by a power law a − b·n^−c and by a plateau a − b·exp(−n/τ).

    Both rise or are flat (0 ≤ b ≤ 1), end between 0 and 1, and are fitted by least squares with larger parts weighing more.
    For each bend (c from .1 to 2, τ from .02 to 2 times the largest part) the best a and b are known in closed form; the best
    bend is looked for on a grid, and on two finer ones around the best so far.

    Args:
        sizes: (parts,).
        scores: (..., parts).
        ahead: (points,).

    Returns:
        (..., 2, points).
    """
    scale = float(sizes.max())
    weight = sizes / scale
    rows = np.asarray(scores, np.float64).reshape(-1, len(sizes))
    found = [
        _best_bend(lambda bend, n: (n[:, None] / scale) ** -bend, 0.1, 2.0, sizes, rows, weight, ahead),
        _best_bend(lambda bend, n: np.exp(-n[:, None] / scale / bend), 0.02, 2.0, sizes, rows, weight, ahead),
    ]
    return np.stack(found, axis=1).reshape(*np.shape(scores)[:-1], 2, len(ahead))


def _best_bend(
    falls: Callable[[Floats, Floats], Floats],
    low: float,
    high: float,
    sizes: Floats,
    rows: Floats,
    weight: Floats,
    ahead: Floats,
) -> Floats:
    """Values of a − b·falls(bend, n) at `ahead`, shape (rows, points); `falls` gives (sizes, ..., bends)."""
    bends = np.tile(np.geomspace(low, high, BENDS), (len(rows), 1))
    each = np.arange(len(rows))
    for finer in range(3):
        a, b, loss = _within_bounds(falls(bends[:, None, :], sizes), rows[:, :, None], weight[:, None])
        best = loss.argmin(axis=1)
        chosen = bends[each, best]
        if finer < 2:
            around = bends[each, np.maximum(best - 1, 0)], bends[each, np.minimum(best + 1, BENDS - 1)]
            bends = np.geomspace(*around, BENDS, axis=1)
    return np.asarray(a[each, best][:, None] - b[each, best][:, None] * falls(chosen[:, None, None], ahead)[..., 0])


def _within_bounds(falls: Floats, scores: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """The a and b between 0 and 1 for which Σ weight·(a − b·falls − scores)² is least, and that sum; sums run over axis 1.

    The sum is a bowl: where its bottom lies outside of the bounds, the least of them lies on one of the four sides.
    """
    w, wf, wff = weight.sum(), (weight * falls).sum(axis=1), (weight * falls**2).sum(axis=1)
    ws, wfs = (weight * scores).sum(axis=1) + 0 * wf, (weight * falls * scores).sum(axis=1)
    bend = np.maximum(w * wff - wf**2, 1e-12)
    open_a, open_b = (ws * wff - wf * wfs) / bend, (wf * ws - w * wfs) / bend
    options = [(open_a, open_b)]
    for side in (0.0, 1.0):
        options.append((np.full_like(wf, side), np.clip((side * wf - wfs) / np.maximum(wff, 1e-12), 0, 1)))
        options.append((np.clip((ws + side * wf) / w, 0, 1), np.full_like(wf, side)))
    a, b = (np.stack(part) for part in zip(*options, strict=True))
    loss = w * a**2 - 2 * a * b * wf + b**2 * wff - 2 * a * ws + 2 * b * wfs + (weight * scores**2).sum(axis=1)
    loss[0][(open_a < 0) | (open_a > 1) | (open_b < 0) | (open_b > 1)] = np.inf
    best = loss.argmin(axis=0)[None]
    return tuple(np.take_along_axis(part, best, axis=0)[0] for part in (a, b, loss))


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
    table, places = plain_features(dataset)
    codes = labels.codes
    usable = (codes >= 0) & (filled(table, places) if len(places) else np.zeros(dataset.size, bool))
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
    return table[np.ix_(rows, places)], np.searchsorted(large, codes[rows]).astype(np.int64), np.asarray(groups, dtype=np.int64)
