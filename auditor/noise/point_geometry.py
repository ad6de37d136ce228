"""Points that cannot be right: outside their image, or two marks of one reader on the same spot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Doubles = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]


def doubled_points(points: pd.DataFrame, *, most: float) -> tuple[Positions, Positions, Doubles]:
    """Pairs of marks of one reader in one image that are at most `most` pixels apart.

    Args:
        points: `record`, `label`, `x`, `y` [, `rater`]; a row without numbers pairs with none.

    Returns:
        Position of the first, of the second, and their distance in pixels.
    """
    at = points[["x", "y"]].to_numpy(dtype=np.float64)
    there = np.flatnonzero(np.isfinite(at).all(axis=1))
    keys = ["record", "rater"] if "rater" in points.columns else ["record"]
    group = points.iloc[there].groupby(keys, sort=False).ngroup().to_numpy(dtype=np.int64)
    # sorted by x, a mark is compared with the next ones only as long as they can be near
    order = np.lexsort((at[there, 1], at[there, 0], group))
    rows, group = there[order], group[order]
    first: list[npt.NDArray[np.int64]] = []
    second: list[npt.NDArray[np.int64]] = []
    for step in range(1, len(rows)):
        near = (group[step:] == group[:-step]) & (at[rows[step:], 0] - at[rows[:-step], 0] <= most)
        if not near.any():
            break
        first.append(rows[:-step][near])
        second.append(rows[step:][near])
    if not first:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    pair = np.sort(np.stack([np.concatenate(first), np.concatenate(second)], axis=1), axis=1)
    away = np.hypot(*(at[pair[:, 0]] - at[pair[:, 1]]).T)
    pair, away = pair[away <= most], away[away <= most]
    order = np.lexsort((pair[:, 1], pair[:, 0]))
    return pair[order, 0], pair[order, 1], away[order]


def pixels_outside(corners: Doubles, size: Doubles) -> Doubles:
    """How far each box (n, 4), or point as a box without extent, reaches beyond its image; NaN where the size is not known.

    Args:
        size: width and height of its image, shape (n, 2).
    """
    beyond = np.maximum(np.maximum(-corners[:, :2], corners[:, 2:] - size), np.maximum(-corners[:, 2:], corners[:, :2] - size))
    return np.asarray(np.maximum(beyond, 0).max(axis=1)) if len(corners) else np.empty(0)
