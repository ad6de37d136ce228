"""Agreement of drawings: masks (Dice, Hausdorff 95, STAPLE) and boxes or points (matched F1)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def dice(first: Bools, second: Bools) -> float:
    """2 |A ∩ B| / (|A| + |B|); 1 where both masks are empty (Dice 1945)."""
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


def hausdorff95(first: Bools, second: Bools, *, spacing: tuple[float, ...] | None = None) -> float:
    """95th percentile of the distances between the two surfaces, the larger of both directions.

    Args:
        first, second: masks of one shape.
        spacing: size of a pixel along each axis; default 1, so that the distance is in pixels.

    Returns:
        0 where both are empty, NaN where one is.
    """
    if not first.any() or not second.any():
        return 0.0 if not (first.any() or second.any()) else float("nan")
    one, two = (_surface(mask) for mask in (first, second))
    from scipy.ndimage import distance_transform_edt  # slow to import, and few datasets have masks of several readers

    to_two = distance_transform_edt(~two, sampling=spacing)[one]
    to_one = distance_transform_edt(~one, sampling=spacing)[two]
    return float(max(np.percentile(to_two, 95), np.percentile(to_one, 95)))


def _surface(mask: Bools) -> Bools:
    """Pixels of the mask with a neighbour outside; the frame of the image is outside."""
    from scipy.ndimage import binary_erosion

    return np.asarray(mask & ~binary_erosion(mask), dtype=bool)


def pairwise_masks(masks: npt.NDArray[np.bool_]) -> tuple[Doubles, Doubles]:
    """Dice and Hausdorff 95 of every two raters; (raters, …) → two (raters, raters), 1 and 0 on the diagonal."""
    raters = len(masks)
    overlap, distance = np.eye(raters), np.zeros((raters, raters))
    for a, b in combinations(range(raters), 2):
        overlap[a, b] = overlap[b, a] = dice(masks[a], masks[b])
        distance[a, b] = distance[b, a] = hausdorff95(masks[a], masks[b])
    return overlap, distance


@dataclass(frozen=True, kw_only=True)
class Staple:
    """STAPLE (Warfield, Zou & Wells, IEEE TMI 2004).

    Args:
        truth: probability that a pixel belongs to the structure; the shape of one mask.
        sensitivity, specificity: (raters,).
    """

    truth: Doubles
    sensitivity: Doubles
    specificity: Doubles


def staple(masks: npt.NDArray[np.bool_], *, rounds: int = 100, tolerance: float = 1e-6) -> Staple:
    """Consensus of several masks of one image by expectation-maximisation; (raters, …) → `Staple`.

    Pixels that all raters leave out or all draw are counted by pattern, so that large images cost no more than their patterns.
    The prior is the mean share of drawn pixels.
    """
    raters = len(masks)
    flat = masks.reshape(raters, -1)
    code = np.zeros(flat.shape[1], dtype=np.int64)
    for mask in flat:
        code = 2 * code + mask
    present, inverse, times = np.unique(code, return_inverse=True, return_counts=True)
    drawn = ((present[:, None] >> np.arange(raters)[::-1]) & 1).astype(np.float64)
    prior = float(flat.mean())
    if prior in (0.0, 1.0):
        return Staple(truth=np.full(masks.shape[1:], prior), sensitivity=np.ones(raters), specificity=np.ones(raters))
    p, q = np.full(raters, 0.99), np.full(raters, 0.99)
    weight = np.zeros(len(present))
    for _ in range(rounds):
        inside = np.log(prior) + drawn @ np.log(p) + (1 - drawn) @ np.log(1 - p)
        outside = np.log(1 - prior) + (1 - drawn) @ np.log(q) + drawn @ np.log(1 - q)
        updated = 1 / (1 + np.exp(np.clip(outside - inside, -700, 700)))
        weighted = times * updated
        p = np.clip(drawn.T @ weighted / weighted.sum(), 1e-7, 1 - 1e-7)
        rest = times * (1 - updated)
        q = np.clip((1 - drawn).T @ rest / max(float(rest.sum()), 1e-300), 1e-7, 1 - 1e-7)
        moved = float(np.abs(updated - weight).max())
        weight = updated
        if moved < tolerance:
            break
    return Staple(truth=weight[inverse].reshape(masks.shape[1:]), sensitivity=p, specificity=q)


def intersection_over_union(first: Doubles, second: Doubles) -> Doubles:
    """(n, 4) and (m, 4) boxes x0, y0, x1, y1 → (n, m)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    one, two = ((boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1) for boxes in (first, second))
    union = one[:, None] + two[None, :] - common
    return np.asarray(np.where(union > 0, common / np.where(union > 0, union, 1), 0.0))


def matched_boxes(first: Doubles, second: Doubles, *, least: float = 0.5) -> int:
    """How many boxes can be matched one to one with an overlap (IoU) of `least` or more; as many as possible."""
    if len(first) == 0 or len(second) == 0:
        return 0
    return _matched(intersection_over_union(first, second) >= least)


def matched_points(first: Doubles, second: Doubles, *, radius: float) -> int:
    """How many points, (n, 2) and (m, 2), can be matched one to one within `radius`."""
    if len(first) == 0 or len(second) == 0:
        return 0
    distance = np.sqrt(((first[:, None] - second[None]) ** 2).sum(axis=2))
    return _matched(distance <= radius)


def _matched(fits: Bools) -> int:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-fits.astype(np.float64))
    return int(fits[rows, columns].sum())


def f1(matched: float, first: float, second: float) -> float:
    """2 · matched / (first + second); NaN where neither drew anything."""
    return 2 * matched / (first + second) if first + second > 0 else float("nan")
