"""Logistic regression with an L2 penalty, by Newton's method: the Hessian is never written, its products go to conjugate
gradients. On principal components the Hessian is nearly diagonal, so that a handful of products are enough.

scikit-learn's has the same optimum (a test holds both together) and takes a second to import, which is more than a scan of
some hundred images spends on all of its fits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

TOLERANCE = 1e-6
"""Of the gradient of the mean loss."""
MOST_STEPS = 60
MOST_PRODUCTS = 100

Doubles = npt.NDArray[np.float64]


def fit_logistic(
    inputs: npt.NDArray[np.floating], codes: npt.NDArray[np.int64], classes: int, *, strength: float
) -> tuple[Doubles, Doubles]:
    """The minimum of Σ log-loss + |weights|² / (2·strength); the offsets are not penalised.

    Args:
        inputs: (rows, inputs).
        codes: class of each row, 0 to classes − 1; each class has a row.
        classes: two: one vector w is penalised, given as −w/2 and w/2; more: softmax, all vectors are penalised.

    Returns:
        Weights (inputs, classes) and offsets (classes,); the linear scores of a row sum to nought.
    """
    rows = np.column_stack([inputs.astype(np.float64), np.ones(len(inputs))])
    targets = (codes[:, None] == np.arange(classes)).astype(np.float64)[:, 1 if classes == 2 else 0 :]
    penalty = np.full((rows.shape[1], 1), 1 / strength)
    penalty[-1] = 0
    squares = (rows**2).sum(axis=0)[:, None]
    found = np.zeros((rows.shape[1], targets.shape[1]))
    loss, shares = _loss(rows @ found, targets)
    loss += float((penalty * found**2).sum() / 2)
    for _ in range(MOST_STEPS):
        gradient = rows.T @ (shares - targets) + penalty * found
        if np.abs(gradient).max() <= TOLERANCE * len(rows):
            break
        near = squares * (shares * (1 - shares)).mean(axis=0) + penalty + 1e-9
        step = _newton_step(rows, shares, penalty, gradient, near)
        slope, length = float((gradient * step).sum()), 1.0
        while True:
            there = found + length * step
            new, new_shares = _loss(rows @ there, targets)
            new += float((penalty * there**2).sum() / 2)
            if new <= loss + 1e-4 * length * slope or length < 1e-6:
                break
            length /= 2
        found, loss, shares = there, new, new_shares
    # what all classes have in common changes no probability and costs penalty
    found = np.hstack([-found / 2, found / 2]) if classes == 2 else found - found.mean(axis=1, keepdims=True)
    return found[:-1], found[-1]


def _loss(scores: Doubles, targets: Doubles) -> tuple[float, Doubles]:
    """Σ log-loss and the probabilities; a single column is a sigmoid, several are a softmax."""
    if scores.shape[1] == 1:
        return float((np.logaddexp(0, scores) - targets * scores).sum()), 1 / (1 + np.exp(-np.clip(scores, -500, 500)))
    scores = scores - scores.max(axis=1, keepdims=True)
    power = np.exp(scores)
    total = power.sum(axis=1, keepdims=True)
    return float((np.log(total[:, 0]) - (targets * scores).sum(axis=1)).sum()), power / total


def _newton_step(rows: Doubles, shares: Doubles, penalty: Doubles, gradient: Doubles, near: Doubles) -> Doubles:
    """Solves Hessian · step = −gradient, as well as the distance from the optimum is worth.

    Args:
        near: about the diagonal of the Hessian, which preconditions.
    """

    def product(direction: Doubles) -> Doubles:
        seen = rows @ direction
        bent = shares * (seen - (shares * seen).sum(axis=1, keepdims=True)) if shares.shape[1] > 1 else bend * seen
        return np.asarray(rows.T @ bent + penalty * direction)

    bend = shares * (1 - shares)
    step, rest = np.zeros_like(gradient), -gradient
    toward = rest / near
    direction, weight = toward, float((rest * toward).sum())
    size = float(np.linalg.norm(gradient))
    enough = min(0.1, size / len(rows)) * size
    for _ in range(MOST_PRODUCTS):
        bent = product(direction)
        along = float((direction * bent).sum())
        if along <= 0:  # rounding alone: the Hessian is not negative
            break
        step = step + weight / along * direction
        rest = rest - weight / along * bent
        if float(np.linalg.norm(rest)) <= enough:
            break
        toward = rest / near
        weight, old = float((rest * toward).sum()), weight
        direction = toward + weight / old * direction
    return step if step.any() else -gradient / near
