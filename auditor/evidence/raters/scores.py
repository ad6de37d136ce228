"""Measurements by several raters: a matrix of numbers instead of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.raters.readings import are_scores, complete_readings, patients_of
from auditor.values.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Measurements.

    Args:
        records, raters: names of rows and columns.
        values: (records, raters), NaN = not measured; a rater's first reading of a record counts.
        cluster: patient of each record.
    """

    records: pd.Index
    raters: tuple[str, ...]
    values: npt.NDArray[np.float64]
    cluster: npt.NDArray[np.int64]


def collect_scores(dataset: Dataset) -> Scores | None:
    """The readings as measurements, or None where they are classes or grades.

    Raises:
        SkipCheck: there are no readings, or one rater only.
    """
    complete = complete_readings(dataset)
    names = tuple(complete["label"].astype(str).unique())
    if not are_scores(names):
        return None
    first = complete.drop_duplicates(["record", "rater"])
    unit, records = pd.factorize(first["record"].astype(str))
    rater, raters = pd.factorize(first["rater"].astype(str), sort=True)
    if len(raters) < 2:
        raise SkipCheck("all readings are by one rater: agreement needs two")
    values = np.full((len(records), len(raters)), np.nan)
    values[unit, rater] = pd.to_numeric(first["label"].astype(str)).to_numpy(np.float64)
    index = pd.Index(records)
    return Scores(records=index, raters=tuple(str(r) for r in raters), values=values, cluster=patients_of(dataset, index))
