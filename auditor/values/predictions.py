"""Class probabilities that somebody's model gave to the records: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

PredictionKind = Literal["masks", "objects", "classes"]
"""What a file of predictions holds: predicted masks, boxes or points, or probabilities of classes."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Class probabilities of every record by a model that did not train on it.

    Args:
        probabilities: float32, shape (records, classes), rows aligned with `Dataset.records`; NaN rows = not predicted. Of a
            continuous label the predicted number, in one column called `value`.
        classes: names of the columns.
        origin: `built-in probe`, or the file name.
        out_of_fold: False when declared in-sample.
        margins: float32, shape (records,): how far networks were ahead with the given label while they learnt from it (logit of
            that class less the largest other, mean over the first half of the epochs and all folds that held the record);
            NaN = not learnt from. None where nothing was trained for the scan, and for labels that are not exclusive classes.
        agreed: bool, shape (records,): the two models or more that the probabilities are the mean of name the same class. None
            where there is one model, and for labels that are not exclusive classes.
    """

    probabilities: npt.NDArray[np.float32]
    classes: tuple[str, ...]
    origin: str
    out_of_fold: bool = True
    folds: int = 0
    margins: npt.NDArray[np.float32] | None = None
    agreed: npt.NDArray[np.bool_] | None = None
