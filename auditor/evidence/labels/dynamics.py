"""The ranking of labels joined with how networks learnt them: wrong labels are learnt late (area under the margin)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from auditor.values.judgements import NoiseEstimate

MARGIN_SHARE = 0.25
"""Weight of the margin's rank beside that of the score. Chosen on digits and pneumoniamnist: 0.15 to 0.5 are alike."""

Floats = npt.NDArray[np.float32]


def with_margins(
    estimate: NoiseEstimate, margins: Floats, probabilities: Floats, codes: npt.NDArray[np.int64]
) -> NoiseEstimate:
    """The same estimate, its labels in another order: by the weighted mean of their ranks by score and by margin.

    How many are flagged, and which scores and suspicions there are, stays as it is; only which label has which changes. Labels
    without a margin keep the rank of their score.

    Args:
        margins: of the given labels (`Predictions.margins`), shape (labels,); low = learnt late.
        probabilities: (labels, classes).
        codes: given class per label.
    """
    known = np.isfinite(margins)
    if not known.any():
        return estimate
    by_score = ranks(estimate.score)
    mixed = by_score.copy()
    mixed[known] = (1 - MARGIN_SHARE) * by_score[known] + MARGIN_SHARE * ranks(margins[known])
    order = np.argsort(mixed, kind="stable")
    score, suspicion = np.empty_like(estimate.score), np.empty_like(estimate.suspicion)
    score[order], suspicion[order] = np.sort(estimate.score), np.sort(estimate.suspicion)[::-1]
    flagged = np.zeros_like(estimate.flagged)
    flagged[order[: int(estimate.flagged.sum())]] = True
    others = probabilities.copy()
    others[np.arange(len(codes)), codes] = -1
    suggested = np.where(flagged & (estimate.suggested == codes), others.argmax(axis=1), estimate.suggested)
    return replace(estimate, score=score, suspicion=suspicion, flagged=flagged, suggested=suggested)


def ranks(values: Floats) -> npt.NDArray[np.float64]:
    """Place of each value among all, 0–1; equal values have one rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray((middle[inverse.reshape(-1)] + 0.5) / len(values))
