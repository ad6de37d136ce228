"""Annotated objects beside predicted ones, image by image: which are the same, and what is left over on either side.

Pairs are made by how much two objects share, whatever their classes are called: first those that are one object (`SAME` or
more), then, of what is left over, those that touch (`TOUCHES` or more).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.evidence.objects.boxes import areas

Doubles = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SAME, TOUCHES = 0.5, 0.1
MOST_PER_IMAGE = 1000
"""So many predicted objects of an image, the surest, are looked at."""
BLOCK = 1_000_000
"""So many pairs are looked at at once."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """What belongs together.

    Args:
        partner: per annotated object the position of its predicted one, −1 where there is none; `shared`: how much (0-1).
        support: per annotated object the highest score of its partner and of any predicted one that is the same (0: none).
        elsewhere: per predicted object, whether nothing is annotated there; of several predictions of one object the surest.
    """

    partner: Positions
    shared: Doubles
    support: Doubles
    elsewhere: Bools


def similarity(a: Doubles, b: Doubles, reach: float) -> Doubles:
    """How much each of `a` shares with each of `b`, shape (a, b), 0-1.

    Of boxes (n, 4) their intersection over union. Of points (n, 2) 1 − distance / (2 × `reach`): at most `reach` pixels apart
    is .5 or more, as of boxes that are one object.
    """
    if a.shape[1] == 2:
        away = np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])
        return np.asarray(np.maximum(0.0, 1 - away / (2 * reach)))
    inner = np.maximum(a[:, None, :2], b[None, :, :2])
    outer = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.maximum(outer - inner, 0).prod(axis=2)
    union = areas(a)[:, None] + areas(b)[None, :] - common
    return np.asarray(common / np.where(union > 0, union, 1.0))


def match_objects(
    images: Positions, annotated: Doubles, predicted_images: Positions, predicted: Doubles, score: Doubles, *, reach: float
) -> Match:
    """Lay predicted objects beside annotated ones.

    Args:
        images, predicted_images: number of the image per object.
        annotated, predicted: (objects, 4) corners or (objects, 2) points, in pixels.
        score: of the predicted, 0-1.
        reach: of points, see `similarity`.
    """
    partner = np.full(len(annotated), -1, dtype=np.int64)
    shared, support = np.zeros(len(annotated)), np.zeros(len(annotated))
    elsewhere = np.zeros(len(predicted), dtype=np.bool_)
    order = np.argsort(images, kind="stable")
    ranked = np.lexsort((-score, predicted_images))
    numbers = np.union1d(images, predicted_images)
    cuts, told = (
        (np.searchsorted(values, numbers, "left"), np.searchsorted(values, numbers, "right"))
        for values in (images[order], predicted_images[ranked])
    )
    for start, end, first, last in zip(*cuts, *told, strict=True):
        here, seen = order[start:end], ranked[first : min(last, first + MOST_PER_IMAGE)]
        if len(seen) == 0:
            continue
        kept = seen[surest_alone(similarity(predicted[seen], predicted[seen], reach))]
        if len(here) == 0:
            elsewhere[kept] = True
            continue
        pairs: list[tuple[Positions, Positions, Doubles]] = []
        step = max(1, BLOCK // len(seen))
        for begin in range(0, len(here), step):
            part = here[begin : begin + step]
            same = similarity(annotated[part], predicted[seen], reach)
            support[part] = np.where(same >= SAME, score[seen], 0.0).max(axis=1)
            close = similarity(annotated[part], predicted[kept], reach)
            rows, columns = np.nonzero(close >= TOUCHES)
            pairs.append((rows + begin, columns, close[rows, columns]))
        row, column, value = (np.concatenate([part[k] for part in pairs]) for k in range(3))
        apart = np.ones(len(kept), dtype=np.bool_)
        apart[column[value >= SAME]] = False
        taken = np.zeros(len(kept), dtype=np.bool_)
        for least in (SAME, TOUCHES):
            for a, b, much in _closest(row, column, value, least):
                if partner[here[a]] < 0 and not taken[b]:
                    partner[here[a]], shared[here[a]], taken[b] = kept[b], much, True
                    support[here[a]] = max(support[here[a]], score[kept[b]])
        elsewhere[kept[apart & ~taken]] = True
    return Match(partner=partner, shared=shared, support=support, elsewhere=elsewhere)


def surest_alone(same: Doubles) -> Positions:
    """Of objects in the order of their certainty, those that are not the same as a surer one that is kept."""
    left = np.ones(len(same), dtype=np.bool_)
    for i in range(len(same)):
        if left[i]:
            left[i + 1 :] &= same[i, i + 1 :] < SAME
    return np.flatnonzero(left)


def _closest(row: Positions, column: Positions, value: Doubles, least: float) -> Iterator[tuple[int, int, float]]:
    """Pairs that share `least` or more, those that share most first."""
    enough = np.flatnonzero(value >= least)
    order = enough[np.argsort(-value[enough], kind="stable")]
    return zip(row[order].tolist(), column[order].tolist(), value[order].tolist(), strict=True)
