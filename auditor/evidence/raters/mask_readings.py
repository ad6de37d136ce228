"""The stage that reads the masks of several raters, so that checks open no file: pairwise Dice and Hausdorff 95, STAPLE."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.raters.mask_folders import read_masks
from auditor.evidence.raters.overlap import pairwise_masks, staple
from auditor.values.dataset import Dataset
from auditor.values.image import Limits

MAX_RECORDS = 2_000
"""So many records are compared, spread evenly; the rest is said to be not evaluated."""
PAIR_COLUMNS = ("record", "rater_a", "rater_b", "dice", "hd95_pixels")
NOT_COMPARED = "not among the records compared"


def compare_masks(dataset: Dataset, limits: Limits) -> Dataset:
    """Fill `Dataset.mask_pairs`, and sensitivity, specificity and problem in `Dataset.rater_masks`.

    Only masks that a worker has read without a problem are opened, one record at a time.
    """
    table = dataset.rater_masks
    if table.empty:
        return dataset
    problem = dict(zip(table.index, table["problem"], strict=True))
    scores: dict[object, tuple[float, float]] = {}
    pairs: list[tuple[str, str, str, float, float]] = []
    readable = table[table["problem"] == ""]
    groups = [(str(record), group) for record, group in readable.groupby("record", sort=False) if len(group) > 1]
    taken = set(np.linspace(0, len(groups) - 1, min(len(groups), MAX_RECORDS)).astype(np.int64).tolist())
    for number, (record, group) in enumerate(groups):
        if number not in taken:
            problem |= dict.fromkeys(group.index, NOT_COMPARED)
            continue
        rows = dict(zip(group["rater"], group.index, strict=True))
        masks, left_out = read_masks(dataset.root, dict(zip(group["rater"], group["path"], strict=True)), limits)
        problem |= {rows[rater]: reason for rater, reason in left_out.items()}
        if len(masks) < 2:
            continue
        names, stack = list(masks), _cropped(np.stack(list(masks.values())))
        overlap, distance = pairwise_masks(stack)
        fitted = staple(np.stack(list(masks.values())))
        for k, name in enumerate(names):
            scores[rows[name]] = (float(fitted.sensitivity[k]), float(fitted.specificity[k]))
            pairs += [(record, name, names[j], overlap[k, j], distance[k, j]) for j in range(k + 1, len(names))]
    measured = pd.DataFrame([scores.get(row, (np.nan, np.nan)) for row in table.index], index=table.index)
    filled = table.assign(
        problem=pd.Series(problem, dtype="str").reindex(table.index), sensitivity=measured[0], specificity=measured[1]
    )
    return replace(dataset, rater_masks=filled, mask_pairs=pd.DataFrame(pairs, columns=list(PAIR_COLUMNS)))


def _cropped(stack: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The part of the image that somebody drew in: Dice and the distances between surfaces are the same, and it is smaller."""
    drawn = stack.any(axis=0)
    if not drawn.any():
        return stack
    box = tuple(slice(int(where.min()), int(where.max()) + 1) for where in np.nonzero(drawn))
    return stack[(slice(None), *box)]
