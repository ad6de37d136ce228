"""Predicted masks beside the drawn ones, so that checks open no file; read in the bounded workers, one record at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from auditor.evidence.masks.mask_sources import open_masks
from auditor.progress import Progress
from auditor.reading.jobs import Job, in_order
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.mask_scores import OBJECT_COLUMNS, RECORD_COLUMNS, MaskScores

FORM_SAMPLE = 16
RULER_SAMPLE = 200
NO_MASK = "no mask that can be read"
NO_PREDICTION = "no prediction of this record"


def score_masks(
    dataset: Dataset, paths: Sequence[Path], limits: Limits, *, in_sample: bool, progress: Progress, workers: int = 1
) -> Dataset:
    """Fill `Dataset.mask_scores`. Only masks that a worker has read without a problem are opened.

    Args:
        paths: one folder, npy or npz of predicted masks (`auditor.evidence.masks.mask_sources`).
        in_sample: the model learnt from these masks.

    Raises:
        ConfigError: the dataset has no masks, or several predictions are given.
        DatasetError: the predictions cannot be read, are no probabilities, or fit no mask.
    """
    if len(paths) > 1:
        raise ConfigError("--predictions: name one folder or one array of masks")
    path = paths[0]
    if dataset.masks.empty:
        raise ConfigError(f"{path}: predicted masks, but the dataset has no masks to compare them with (see --mask)")
    source = open_masks(path, dataset, limits, workers=workers)
    masks = dataset.masks.drop_duplicates("record").set_index("record").reindex(dataset.records.index)
    drawn = [str(p) if problem == "" else "" for p, problem in zip(masks["path"], masks["problem"], strict=True)]
    rows = [row for row in source.rows if drawn[row]]
    if not rows:
        raise DatasetError(f"{path}: no prediction belongs to a record whose mask can be read")

    def asked(name: str, few: Sequence[int], *more: object) -> Job:
        own = {row: drawn[row] for row in few}
        return Job(function=f"auditor.evidence.masks.mask_maps:{name}", arguments=(dataset.root, own, *more))

    def read(jobs: Sequence[Job], rows: int) -> Iterator[Any]:
        # One job reads many pairs: what each of them may cost is granted to each.
        most = replace(limits, seconds=limits.seconds * 2 * rows, wall_seconds=limits.wall_seconds * 2 * rows)
        for answer in in_order(jobs, most, workers=workers, chunk=1):
            try:
                yield answer.value
            except UnreadableFile as error:
                raise DatasetError(f"{path}: the predicted masks cannot be read ({error})") from None

    few = _spread(rows, FORM_SAMPLE)
    form_job = Job(function="auditor.evidence.masks.mask_maps:form", arguments=(path, dataset.masks, source, few))
    (form,) = read([form_job], len(few))
    some = _spread(rows, RULER_SAMPLE)
    (ruler,) = read([asked("ruler", some, source, some, form)], len(some))
    names = [str(name) for name in dataset.records.index]
    scores: dict[int, tuple[object, ...]] = {}
    objects: list[tuple[object, ...]] = []
    progress.start("comparing masks with predictions", len(rows))
    parts = list(source.parts(rows))
    jobs = [asked("fits", part, own, part, form, ruler) for own, part in parts]
    for found in read(jobs, max(len(part) for _, part in parts)):
        for row, fit in found:
            if isinstance(fit, str):
                scores[row] = (*_NOTHING, fit)
            else:
                scores[row] = (fit.score, fit.self_confidence, fit.dice, fit.objects, fit.predicted_objects, "")
                objects += [(names[row], *conflict) for conflict in fit.conflicts]
        progress.advance(len(found))
    progress.finish()
    if all(answer[-1] for answer in scores.values()):
        raise DatasetError(f"{path}: no prediction can be compared with its mask ({next(iter(scores.values()))[-1]})")
    table = [
        (name, drawn[row] or None, *scores.get(row, (*_NOTHING, NO_PREDICTION if drawn[row] else NO_MASK)))
        for row, name in enumerate(names)
    ]
    told = MaskScores(
        records=pd.DataFrame(table, columns=list(RECORD_COLUMNS)),
        objects=pd.DataFrame(objects, columns=list(OBJECT_COLUMNS)).astype({"missing": "bool", "confidence": "float64"}),
        ruler=ruler,
        origin=path.name,
        out_of_fold=not in_sample,
    )
    return replace(dataset, mask_scores=told)


_NOTHING = (float("nan"), float("nan"), float("nan"), 0, 0)


def _spread(rows: Sequence[int], most: int) -> list[int]:
    """At most so many, evenly spread, rising."""
    return [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(np.int64))]
