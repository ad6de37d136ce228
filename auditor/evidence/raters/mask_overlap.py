"""Masks of several raters beside each other, so that checks open no file: pairwise Dice and Hausdorff 95, STAPLE.

A worker reads and compares those of one image (`drawn_masks`) and says plain values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.reading.jobs import Job, in_order
from auditor.values.dataset import Dataset
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

Doubles = npt.NDArray[np.float64]
_NONE: Doubles = np.empty((0, 0))


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """One image.

    Args:
        raters: whose masks were compared, in the order of the arrays.
        left_out: rater → why the mask was not compared.
        dice, hd95: (raters, raters); empty where fewer than two masks could be read.
        sensitivity, specificity: STAPLE, (raters,).
        area: share of the pixels in the consensus; doubtful: share with a probability of 5 to 95 %.
        consensus: (height, width), of a single frame, where it was asked for.
    """

    raters: tuple[str, ...]
    left_out: Mapping[str, str]
    dice: Doubles = field(default_factory=lambda: _NONE)
    hd95: Doubles = field(default_factory=lambda: _NONE)
    sensitivity: Doubles = field(default_factory=lambda: np.empty(0))
    specificity: Doubles = field(default_factory=lambda: np.empty(0))
    area: float = 0.0
    doubtful: float = 0.0
    consensus: npt.NDArray[np.bool_] | None = None


def compare_drawings(
    root: Path, images: Sequence[Mapping[str, str]], limits: Limits, *, workers: int = 1, keep: bool = False
) -> Iterator[Overlap]:
    """What workers find, image by image, in the order of `images` (rater → file inside `root`)."""
    jobs = [Job(function="auditor.evidence.raters.drawn_masks:compared", arguments=(root, paths, keep)) for paths in images]
    for answer in in_order(jobs, limits, workers=workers):
        try:
            found = answer.value
        except UnreadableFile as error:
            found = Overlap(raters=(), left_out=dict.fromkeys(images[answer.number], error.kind))
        assert isinstance(found, Overlap)
        yield found


MAX_RECORDS = 2_000
"""So many records are compared, spread evenly; the rest is said to be not evaluated."""

PAIR_COLUMNS = ("record", "rater_a", "rater_b", "dice", "hd95_pixels")

NOT_COMPARED = "not among the records compared"


def compare_masks(dataset: Dataset, limits: Limits, *, workers: int = 1) -> Dataset:
    """Fill `Dataset.mask_pairs`, and sensitivity, specificity and problem in `Dataset.rater_masks`.

    Only masks that a worker has read without a problem are opened again, in the bounded workers, one record at a time.
    """
    table = dataset.rater_masks
    if table.empty:
        return dataset
    problem = dict(zip(table.index, table["problem"], strict=True))
    scores: dict[object, tuple[float, float]] = {}
    pairs: list[tuple[str, str, str, float, float]] = []
    readable = table[table["problem"] == ""]
    groups = [(str(record), group) for record, group in readable.groupby("record", sort=False) if len(group) > 1]
    taken = np.linspace(0, len(groups) - 1, min(len(groups), MAX_RECORDS)).astype(np.int64).tolist()
    for number in set(range(len(groups))) - set(taken):
        problem |= dict.fromkeys(groups[number][1].index, NOT_COMPARED)
    chosen = [groups[number] for number in dict.fromkeys(taken)]
    images = [dict(zip(group["rater"], group["path"], strict=True)) for _, group in chosen]
    drawings = compare_drawings(dataset.root, images, limits, workers=workers)
    for (record, group), found in zip(chosen, drawings, strict=True):
        rows = dict(zip(group["rater"], group.index, strict=True))
        problem |= {rows[rater]: reason for rater, reason in found.left_out.items()}
        if not len(found.dice):
            continue
        for k, name in enumerate(found.raters):
            scores[rows[name]] = (float(found.sensitivity[k]), float(found.specificity[k]))
            pairs += [
                (record, name, found.raters[j], found.dice[k, j], found.hd95[k, j]) for j in range(k + 1, len(found.raters))
            ]
    measured = pd.DataFrame([scores.get(row, (np.nan, np.nan)) for row in table.index], index=table.index)
    filled = table.assign(
        problem=pd.Series(problem, dtype="str").reindex(table.index), sensitivity=measured[0], specificity=measured[1]
    )
    return replace(dataset, rater_masks=filled, mask_pairs=pd.DataFrame(pairs, columns=list(PAIR_COLUMNS)))
