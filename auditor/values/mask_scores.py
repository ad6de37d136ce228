"""What the stage that compares drawn masks with predicted ones says: plain values, no reading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

RECORD_COLUMNS = ("record", "path", "score", "self_confidence", "dice", "objects", "predicted_objects", "problem")
OBJECT_COLUMNS = ("record", "missing", "confidence", "area", "row", "column")


@dataclass(frozen=True, kw_only=True)
class Ruler:
    """What the collection says of its own objects, so that predictions of any sharpness are judged alike.

    Args:
        sure: mean probability of the clearest tenth of the drawn objects. A model that learnt from masks in which half of the
            objects are missing gives even these .5 (Elkan & Noto, KDD 2008); probabilities are divided by it.
        least_pixels: nine of ten drawn objects are at least as large; smaller ones, drawn or predicted, are not judged.
    """

    sure: float = 1.0
    least_pixels: float = 1.0


@dataclass(frozen=True, kw_only=True)
class MaskScores:
    """Drawn masks beside predicted ones.

    Args:
        records: one row per record: `record`, `path` of its mask, `score` (soft minimum of the self-confidence of its pixels,
            as in cleanlab.segmentation; low = doubtful), `self_confidence` (mean), `dice`, `objects` and `predicted_objects`
            (connected, not too small), `problem` (empty, or why there is no score).
        objects: one row per object that only one of both has: `record`, `missing` (predicted, not drawn; else drawn, not
            predicted), `confidence` 0-1 of the model in that, `area` in pixels, `row`, `column` of its middle.
        ruler: what confidence and smallness were measured by.
        origin: name of the folder or file.
        out_of_fold: False when declared in-sample.
    """

    records: pd.DataFrame
    objects: pd.DataFrame
    ruler: Ruler
    origin: str
    out_of_fold: bool = True
