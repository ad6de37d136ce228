"""The stage that lays predicted masks beside the drawn ones, so that checks open no file; one record in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.masks.mask_facts import single_channel
from auditor.evidence.masks.mask_fit import fit_of, ruler_of
from auditor.evidence.masks.mask_form import Form, Pair, form_of
from auditor.evidence.masks.mask_sources import MaskSource, open_masks
from auditor.format import open_header, open_pixels, read_source
from auditor.progress import Progress
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.mask_scores import OBJECT_COLUMNS, RECORD_COLUMNS, MaskScores

FORM_SAMPLE = 16
RULER_SAMPLE = 200
NO_MASK = "no mask that can be read"
NO_PREDICTION = "no prediction of this record"


def score_masks(dataset: Dataset, paths: Sequence[Path], limits: Limits, *, in_sample: bool, progress: Progress) -> Dataset:
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
    source = open_masks(path, dataset, limits)
    masks = dataset.masks.drop_duplicates("record").set_index("record").reindex(dataset.records.index)
    drawn = [str(p) if problem == "" else "" for p, problem in zip(masks["path"], masks["problem"], strict=True)]
    rows = [row for row in source.rows if drawn[row]]
    if not rows:
        raise DatasetError(f"{path}: no prediction belongs to a record whose mask can be read")
    sample = [found for _, found in source.maps(_spread(rows, FORM_SAMPLE)) if not isinstance(found, str)]
    form = form_of(dataset.masks, sample, path)
    told = _pairs(dataset.root, drawn, source, _spread(rows, RULER_SAMPLE), form, limits)
    ruler = ruler_of(pair for _, pair in told if isinstance(pair, Pair))
    names = [str(name) for name in dataset.records.index]
    scores: dict[int, tuple[object, ...]] = {}
    objects: list[tuple[object, ...]] = []
    progress.start("comparing masks with predictions", len(rows))
    for row, pair in _pairs(dataset.root, drawn, source, rows, form, limits):
        if isinstance(pair, str):
            scores[row] = (*_NOTHING, pair)
        else:
            fit = fit_of(pair, ruler)
            scores[row] = (fit.score, fit.self_confidence, fit.dice, fit.objects, fit.predicted_objects, "")
            objects += [(names[row], *conflict) for conflict in fit.conflicts]
        progress.advance()
    progress.finish()
    if all(answer[-1] for answer in scores.values()):
        raise DatasetError(f"{path}: no prediction can be compared with its mask ({next(iter(scores.values()))[-1]})")
    table = [
        (name, drawn[row] or None, *scores.get(row, (*_NOTHING, NO_PREDICTION if drawn[row] else NO_MASK)))
        for row, name in enumerate(names)
    ]
    found = MaskScores(
        records=pd.DataFrame(table, columns=list(RECORD_COLUMNS)),
        objects=pd.DataFrame(objects, columns=list(OBJECT_COLUMNS)).astype({"missing": "bool", "confidence": "float64"}),
        ruler=ruler,
        origin=path.name,
        out_of_fold=not in_sample,
    )
    return replace(dataset, mask_scores=found)


_NOTHING = (float("nan"), float("nan"), float("nan"), 0, 0)


def _spread(rows: Sequence[int], most: int) -> list[int]:
    """At most so many, evenly spread, rising."""
    return [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(np.int64))]


def _pairs(
    root: Path, drawn: Sequence[str], source: MaskSource, rows: Sequence[int], form: Form, limits: Limits
) -> Iterator[tuple[int, Pair | str]]:
    """Row and both masks, or why they cannot be compared."""
    for row, found in source.maps(rows):
        if isinstance(found, str):
            yield row, f"the prediction cannot be read ({found})"
            continue
        try:
            mask = _read_mask(root / drawn[row], limits)
        except UnreadableFile as error:
            yield row, f"the mask cannot be read ({error.kind})"
            continue
        yield row, form.pair(found, mask)


def _read_mask(path: Path, limits: Limits) -> npt.NDArray[Any]:
    source = read_source(path, limits)
    return single_channel(open_pixels(source, open_header(source, limits), limits).array)
